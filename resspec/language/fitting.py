"""Input sizes that would fit, for a network whose merges fail at the sizes that it was given.

The same document is expanded with its spatial sizes unknown. If that succeeds, only the sizes were
at fault, and the legal ones are known exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from resspec.diagnostics import Diagnostic, SpecError
from resspec.graph import Graph
from resspec.tensor import TensorSpec

CODES = ("shape-mismatch", "expect-failed", "empty-tensor")
"""findings that another input size may mend"""

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
"""what the spatial axes of an input are called, by their number"""

Freed = Mapping[str, Sequence[int | None]]


def with_fitting_sizes(
    diagnostics: Sequence[Diagnostic], inputs: Mapping[str, TensorSpec], expand: Callable[[Freed], Graph]
) -> list[Diagnostic]:
    """The findings, the first that is about sizes with a note on the nearest legal input sizes.

    `expand` makes the graph for inputs in which None stands for an unknown size, or raises SpecError.
    """
    found = list(diagnostics)
    first = next((k for k, one in enumerate(found) if one.code in CODES), None)
    if first is None or any(one.code not in CODES and one.severity == "error" for one in found):
        return found
    if not inputs or any(not spec.known or spec.rank < 2 for spec in inputs.values()):
        return found
    freed = {name: [*(None for _ in spec.spatial), int(str(spec.channels))] for name, spec in inputs.items()}
    try:
        graph = expand(freed)
    except SpecError:
        return found
    notes = _notes(graph, inputs)
    if notes:
        found[first] = replace(found[first], notes=(*notes, *found[first].notes))
    return found


def _notes(graph: Graph, inputs: Mapping[str, TensorSpec]) -> list[str]:
    found = []
    for name, spec in inputs.items():
        free = graph.nodes[graph.inputs[name]].outputs[0].spatial
        words = AXES.get(len(free), [f"axis {axis}" for axis in range(len(free))])
        for word, size, given in zip(words, free, spec.spatial, strict=True):
            domain = graph.domains.get(str(size))  # of a size that follows from others there is none
            if domain is None or not isinstance(given, int) or domain.contains(given) or domain.largest() is not None:
                continue  # a size that only a single input has is no choice
            near = " and ".join(str(value) for value in domain.near(given) if value is not None)
            legal = replace(domain, unknown=word)  # the file has no name for it
            found.append(f"of `{name}` the {word} {given} does not fit, {near} would: {legal}")
    return found
