"""How many input positions one output position sees along every spatial axis.

The usual recursion (Araujo et al. 2019, "Computing receptive fields of convolutional neural
networks"): through a window of span s the field grows by (s - 1) x jump, where jump is the product
of the strides so far; up-sampling divides the jump. At a merge the widest branch counts.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from resspec.graph import Graph
from resspec.ops.base import Reach
from resspec.ops.source import Input

GLOBAL = "global"
Field = tuple[int, ...] | str | None


def receptive_field(graph: Graph, node: int) -> Field:
    """Positions along each spatial axis, `global` if the whole input is seen, None where nothing is spatial."""
    return fields(graph)[node]


def fields(graph: Graph) -> list[Field]:
    """The receptive field of every node."""
    found: list[tuple[Field, tuple[Fraction, ...]]] = []
    reaches: dict[int, Reach | None] = {}
    for node, like in zip(graph.nodes, graph.alike, strict=True):
        if isinstance(node.op, Input):
            rank = len(node.outputs[0].spatial)
            found.append(((1,) * rank if rank else None, (Fraction(1),) * rank))
            continue
        below = [found[ref.node] for ref in node.inputs]
        field, jump = _widest(below)
        if node.op.sees_all and field is not None:
            field = GLOBAL
        if like not in reaches:
            reaches[like] = node.op.reach(graph.operands(node))
        reach = reaches[like]
        if reach is not None and isinstance(field, tuple) and len(field) == len(reach.span):
            field = tuple(ceil(f + (span - 1) * j) for f, span, j in zip(field, reach.span, jump, strict=True))
        if reach is not None and len(jump) == len(reach.stride):
            jump = tuple(j * Fraction(*stride) for j, stride in zip(jump, reach.stride, strict=True))
        found.append((field, jump))
    return [field for field, _ in found]


def _widest(below: list[tuple[Field, tuple[Fraction, ...]]]) -> tuple[Field, tuple[Fraction, ...]]:
    if any(field == GLOBAL for field, _ in below):
        return GLOBAL, below[0][1]
    spatial = [(field, jump) for field, jump in below if isinstance(field, tuple)]
    if not spatial:
        return None, ()
    rank = max(len(field) for field, _ in spatial)
    same = [(field, jump) for field, jump in spatial if len(field) == rank]
    return tuple(max(field[axis] for field, _ in same) for axis in range(rank)), same[0][1]
