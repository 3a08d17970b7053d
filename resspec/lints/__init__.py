"""Warnings: what is legal and most likely not meant, or known to train badly.

Every rule is a pure function, of the file or of one of its networks, to findings that a person may
`allow` by code. Rules rather miss a case than tell a wrong one.
"""

from __future__ import annotations

from dataclasses import replace

from resspec import allow
from resspec.chain import deep_chain, longest_chain
from resspec.diagnostics import Diagnostic, Findings
from resspec.graph import Graph
from resspec.language.document import Document
from resspec.lints import activations, bias, residual, sizes, slips, taps, unused, variance, windows
from resspec.lints.view import Places, View

OF_FILE = (
    *(unused.unused_blocks, unused.unused_values, unused.unused_inputs, unused.unused_outputs),
    *(taps.unused_taps, slips.suspicious_sizes),
)
OF_NETWORK = (
    *(bias.bias_before_norm, windows.even_same_kernel, windows.dropped_row),
    *(activations.relu_first, sizes.sizes_restricted),
)
OF_UNITS = (activations.relu_before_add, variance.growing_variance)


class Linter:
    """Collects the warnings of one file over all its networks, one at a place."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.findings = Findings()
        self._places = Places(document)
        self._deepest: tuple[int, Graph] | None = None

    def network(self, graph: Graph) -> None:
        """Look at one network of the file."""
        view = View(graph, self._places)
        units = tuple(residual.units(view))
        found = [one for rule in OF_NETWORK for one in rule(view)]
        found += [one for rule in OF_UNITS for one in rule(view, units)]
        for one in found:
            self.findings.add(one)
        depth = longest_chain(graph)
        if self._deepest is None or depth > self._deepest[0]:
            self._deepest = depth, graph

    def finish(self, others: Findings) -> tuple[Diagnostic, ...]:
        """All findings in source order: the `others`, and the warnings that are not allowed.

        Where there are errors no rule has its say: what one of them broke would look unused.
        """
        rules = () if others.failed else OF_FILE
        found = [one for rule in rules for one in rule(self.document)]
        deep = deep_chain(self._deepest[1]) if self._deepest is not None else None
        if deep is not None:
            found.append(replace(deep, span=self.document.span("graph", key=True)))
        warnings = () if others.failed else (*found, *self.findings.items)
        kept, used = allow.sifted(self.document, (*others.items, *warnings))
        together = Findings(most=2 * others.most)
        for one in kept if others.failed else (*kept, *allow.unused(self.document, used)):
            together.add(one)
        return together.sorted()
