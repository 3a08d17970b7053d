"""A view as a row of stops, for figures that show the network along one line: plain chains opened, units closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resspec.graph import Graph
from resspec.render.edges import members
from resspec.render.regions import Segment, Tangle, series
from resspec.render.view import EXIT, Cell, Leaf

PRODUCTS = ("conv", "dense")
THIN = ("norm", "activation", "regularization")


@dataclass(frozen=True, slots=True)
class Skip:
    """The way around a closed unit: `identity` or `projection`, and the edges that enter it."""

    role: str
    leaves: frozenset[Leaf]


@dataclass(frozen=True, slots=True, eq=False)
class Stop:
    """A closed cell of the row, and the open blocks around it, outermost first."""

    cell: Cell
    around: tuple[Cell, ...]
    skip: Skip | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Stops in topological order, and what runs between them: leaves by (source, target), EXIT for outputs."""

    stops: tuple[Stop, ...]
    ways: dict[tuple[int, int], frozenset[Leaf]]


def row(graph: Graph, root: Cell, depth: int = 100) -> Row:
    """The stops of a view. Blocks deeper than `depth` levels, and all in which ways part, are closed."""
    stops: list[Stop] = []
    owner: dict[int, int] = {}

    def walk(cell: Cell, around: tuple[Cell, ...], turns: Sequence[int]) -> None:
        if cell.is_open and (not around or (len(around) <= depth and chained(cell))):
            # what lies in a later block of a fold is shown in the first
            inner = [turn + part.first - cell.first for turn in turns for part in cell.run]
            for one in cell.cells:
                walk(one, (*around, cell), inner)
            return
        closed = Cell(cell.part, cell.run)
        for i in range(cell.first, cell.last + 1):
            owner.update((i + turn, len(stops)) for turn in turns)
        stops.append(Stop(closed, around[1:], _skip(graph, cell)))

    walk(root, (), (0,))
    found: dict[tuple[int, int], set[Leaf]] = {}
    for i, node in enumerate(graph.nodes):
        for operand, ref in enumerate(node.inputs):
            source, target = owner[ref.node], owner[i]
            if source < target:
                found.setdefault((source, target), set()).add(Leaf(ref, i, operand))
    for k, ref in enumerate(graph.outputs.values()):
        found.setdefault((owner[ref.node], EXIT), set()).add(Leaf(ref, -1, k))
    return Row(tuple(stops), {key: frozenset(leaves) for key, leaves in found.items()})


def chained(cell: Cell) -> bool:
    """Whether the cells in an open cell follow each other without anything beside them."""
    order = series(len(cell.cells), cell.links)
    return not isinstance(order, Tangle) and all(
        not segment.branches and len([link for link in segment.direct if link.leaves]) <= 1
        for segment in order.segments
    )


def _skip(graph: Graph, cell: Cell) -> Skip | None:
    """The first way around something in an open cell: the direct one, or the smallest branch."""
    if not cell.is_open:
        return None
    order = series(len(cell.cells), cell.links)
    if isinstance(order, Tangle):
        return None
    for segment in order.segments:
        direct = [leaf for link in segment.direct for leaf in link.leaves]
        if segment.branches and direct:
            return Skip("identity", frozenset(direct))
        if len(segment.branches) > 1:
            return _branch(graph, cell, segment)
    return None


def _branch(graph: Graph, cell: Cell, segment: Segment) -> Skip | None:
    def size(own: list[int]) -> int:
        return sum(len(cell.cells[k].part.nodes) for k in own)

    least = min((members(branch) for branch in segment.branches), key=size)
    coming = {leaf for link in cell.links if link.target in least and link.source not in least for leaf in link.leaves}
    products = sum(graph.nodes[i].op.family in PRODUCTS for k in least for i in cell.cells[k].part.nodes)
    if products > 1:  # a branch in its own right
        return None
    return Skip("projection" if products else "identity", frozenset(coming))


def widths(graph: Graph, cell: Cell) -> str:
    """The widths of the convolutions and dense layers on the longest way through a block: `[64, 64, 256] ×3`."""
    first = cell.part.first
    best: dict[int, int] = {}
    came: dict[int, int] = {}
    for i in cell.part.nodes:
        node = graph.nodes[i]
        before = max((ref.node for ref in node.inputs if ref.node >= first), key=best.__getitem__, default=-1)
        best[i], came[i] = best.get(before, 0) + (node.op.family in PRODUCTS), before
    i = max(best, key=best.__getitem__)
    found: list[str] = []
    while i >= 0:
        if graph.nodes[i].op.family in PRODUCTS:
            found.append(str(graph.nodes[i].outputs[0].shape[-1]))
        i = came[i]
    return _periodic(found[::-1])


def _periodic(values: list[str]) -> str:
    """Values as text; many of them that recur are written once, with their number of times."""
    if len(values) < 2:
        return "".join(values)
    for period in range(1, min(4, len(values) // 2 if len(values) > 4 else 0) + 1):
        times = next(
            (k // period for k in range(len(values)) if values[k] != values[k % period]), len(values) // period
        )
        rest = values[times * period :]
        if times > 1 and len(rest) < 2:
            unit = ", ".join(values[:period])
            return ", ".join([f"{unit if period == 1 else f'[{unit}]'} \N{MULTIPLICATION SIGN}{times}", *rest])
    if len(values) > 4:
        values = [*values[:2], "..", values[-1]]
    return f"[{', '.join(values)}]"
