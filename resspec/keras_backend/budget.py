"""What can be said of a build before Keras is imported: whether it is affordable, how its file loads."""

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
                help=f"allow more (`max_parameters={total}`), or make the network smaller",
            )
        ]
    )


def longest_chain(graph: Graph) -> int:
    """The number of Keras layers on the longest path from an input to any tensor, helper layers counted.

    Explicit padding may take a layer of its own, so a window op with numbers for `padding` counts twice.
    """
    depths: list[int] = []
    for node in graph.nodes:
        padded = not isinstance(getattr(node.op, "padding", "valid"), str)
        above = max((depths[ref.node] for ref in node.inputs), default=0)
        depths.append(above + (2 if padded else 1))
    return max(depths, default=0)


def loading_note(graph: Graph) -> Diagnostic | None:
    """A warning with code `deep-chain` if the saved model needs a higher recursion limit to load, else None.

    Keras walks a graph by recursion, one Python frame a layer, whenever a model is put together: in its
    constructor and again when a file is loaded. `build` takes care of itself; whoever loads must do it too.
    """
    depth = longest_chain(graph)
    if depth <= limits.KERAS_DEPTH:
        return None
    room = -(-(depth + 1000) // 1000) * 1000
    return Diagnostic(
        "deep-chain",
        f"`{graph.name}` has a chain of {depth:,} layers, too long for Keras to load with Python's default settings",
        severity="warning",
        notes=("Keras walks the graph of a model by recursion, one frame a layer",),
        help=f"run `import sys; sys.setrecursionlimit({room})` before `keras.saving.load_model(...)`",
    )
