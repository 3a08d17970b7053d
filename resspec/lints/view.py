"""A graph as the rules look at it: who reads what, which step a node came from, and where that step stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from resspec.allow import documents
from resspec.diagnostics import Diagnostic, Fix, Label, Span
from resspec.graph import Graph, Ref
from resspec.language.arguments import span_in
from resspec.language.document import Document
from resspec.language.schema import Step
from resspec.ops.base import Op

WAY = 8
"""the most ops that a rule looks past: rules take time in proportion to the graph, whatever its form"""


class Places:
    """The steps of a document and of the files that it uses, by the place where they stand."""

    def __init__(self, document: Document) -> None:
        self.document = document

    @cached_property
    def steps(self) -> dict[Span, Step]:
        """Looked up only where something is found, so a spec without findings never pays for it."""
        return {
            step.tree.span: step
            for document in documents(self.document)
            for body in (document.spec.graph, *(block.graph for block in document.spec.blocks.values()))
            for step in every_step(body)
        }

    def of(self, span: Span | None, *arguments: str) -> Span | None:
        """Where the first of `arguments` that is written stands, else the name of the op, else the step."""
        step = self.steps.get(span) if span is not None else None
        if step is None or step.op is None:
            return span
        where = span_in(step.tree, step.op)
        written = step.arguments if isinstance(step.arguments, dict) else {}
        return next((where((name,), False) for name in arguments if name in written), where((), True))


def every_step(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps of a body, and those of the bodies and lists in it."""
    for step in steps:
        if step.inline is None:
            yield step
        yield from every_step(step.inline or step.do or ())


class View:
    """One graph and the places of its steps."""

    def __init__(self, graph: Graph, places: Places) -> None:
        self.graph, self.nodes, self.places = graph, graph.nodes, places

    @cached_property
    def _kinds(self) -> dict[type[Op], list[int]]:
        found: dict[type[Op], list[int]] = {}
        for i, node in enumerate(self.nodes):
            found.setdefault(type(node.op), []).append(i)
        return found

    def of(self, *kinds: type[Op]) -> list[int]:
        """Nodes whose op is of one of the kinds, in the order of the graph."""
        return sorted(i for kind, found in self._kinds.items() if issubclass(kind, kinds) for i in found)

    @cached_property
    def readers(self) -> list[list[int]]:
        """For each node those that read one of its results."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for i, node in enumerate(self.nodes):
            for ref in node.inputs:
                found[ref.node].append(i)
        return found

    @cached_property
    def shown(self) -> frozenset[int]:
        """Nodes whose results are outputs of the network."""
        return frozenset(ref.node for ref in self.graph.outputs.values())

    def together(self, found: Sequence[int]) -> dict[Span | None, list[int]]:
        """Nodes by the step that they came from: a step in a loop or block is one mistake, not many."""
        groups: dict[Span | None, list[int]] = {}
        for i in found:
            groups.setdefault(self.nodes[i].origin.span, []).append(i)
        return groups

    def everywhere(self, groups: dict[Span | None, list[int]]) -> dict[Span | None, list[int]]:
        """Those steps all of whose nodes are in their group: a change of the step then harms no other call."""
        counts: dict[Span | None, int] = {}
        for node in self.nodes:
            if node.origin.span in groups:
                counts[node.origin.span] = counts.get(node.origin.span, 0) + 1
        return {span: found for span, found in groups.items() if counts[span] == len(found)}

    def source(self, ref: Ref, *passed: type) -> int:
        """The node that made a tensor, a few nodes of the ops `passed` left out."""
        i = ref.node
        for _ in range(WAY):
            if not isinstance(self.nodes[i].op, passed) or len(self.nodes[i].inputs) != 1:
                break
            i = self.nodes[i].inputs[0].node
        return i

    def warning(
        self,
        code: str,
        message: str,
        found: Sequence[int],
        arguments: Sequence[str] = (),
        *,
        why: str,
        help: str,
        label: tuple[int, str] | None = None,
        fix: Fix | None = None,
    ) -> Diagnostic:
        """A finding at the step of the nodes `found`, at the first of `arguments` that it writes."""
        first = self.nodes[found[0]]
        more = len(found) - 1
        where = f"at `{first.path}`" + (f" and {more} more place{'s' * (more > 1)}" if more else "")
        labels: tuple[Label, ...] = ()
        if label is not None:
            span = self.places.of(self.nodes[label[0]].origin.span)
            labels = (Label(span, label[1]),) if span is not None else ()
        span = self.places.of(first.origin.span, *arguments)
        return Diagnostic(code, message, span, "warning", labels, (where, why), help, fix)
