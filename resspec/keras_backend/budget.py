"""What can be said of a build before Keras is imported: whether it is affordable."""

from __future__ import annotations

from resspec import limits
from resspec.diagnostics import Diagnostic, SpecError
from resspec.graph import Graph


def check_budget(graph: Graph, max_parameters: int = limits.PARAMETERS) -> None:
    """Refuse a graph with more than `max_parameters` weights; Keras would start to allocate them at once.

    All weights count, those that no gradient changes as well. Raises `SpecError` with code
    `too-many-parameters`, pointing at the largest layer.
    """
    sizes = [sum(weight.size for weight in weights) for weights in graph.weights]
    total = sum(sizes)
    if total <= max_parameters:
        return
    largest = max(range(len(sizes)), key=sizes.__getitem__)
    node = graph.nodes[largest]
    raise SpecError(
        [
            Diagnostic(
                "too-many-parameters",
                f"`{graph.name}` has {total:,} weights ({4 * total:,} bytes in float32), "
                f"the limit is {max_parameters:,}",
                node.origin.span,
                notes=(f"the largest layer is `{node.path}` with {sizes[largest]:,}",),
                help=f"allow more (`--max-params {total}`, in Python `max_parameters`), or make the network smaller",
            )
        ]
    )
