"""Chains too long for Keras's recursive walk over a graph; found out without Keras."""

from __future__ import annotations

from resspec import limits
from resspec.diagnostics import Diagnostic
from resspec.graph import Graph


def longest_chain(graph: Graph) -> int:
    """The number of Keras layers on the longest path from an input to any tensor, helper layers counted.

    Explicit padding may take a layer of its own, so a window op with numbers for `padding` counts twice.
    """
    depths: list[int] = []
    own: dict[int, int] = {}
    """layers of an op, by its identity: a repeated block has the same ops again"""
    for node in graph.nodes:
        layers = own.get(id(node.op))
        if layers is None:
            layers = own[id(node.op)] = 1 if isinstance(getattr(node.op, "padding", "valid"), str) else 2
        if len(node.inputs) == 1:  # by far the most; a deep network is walked in a moment
            depths.append(depths[node.inputs[0].node] + layers)
        else:
            depths.append(max([depths[ref.node] for ref in node.inputs], default=0) + layers)
    return max(depths, default=0)


def deep_chain(graph: Graph) -> Diagnostic | None:
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
