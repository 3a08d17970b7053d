"""A view as a row of stops, for figures that show the network along one line: plain chains opened, units closed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import prod

from resspec.graph import Graph
from resspec.render.labels import exit_spec
from resspec.render.paint.edges import members
from resspec.render.view.regions import Segment, Tangle, series
from resspec.render.view.tree import Part
from resspec.render.view.view import EXIT, Cell, Leaf, Link

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

    @property
    def times(self) -> int:
        """How often it stands in the network, the folds around it included."""
        return prod(cell.times for cell in (self.cell, *self.around))


@dataclass(frozen=True, slots=True)
class Row:
    """Stops in topological order, and what runs between them: leaves by (source, target), EXIT for outputs."""

    stops: tuple[Stop, ...]
    ways: dict[tuple[int, int], frozenset[Leaf]]


def row(graph: Graph, root: Cell, depth: int = 100, closed: Collection[str] = ()) -> Row:
    """The stops of a view. Blocks deeper than `depth` levels, those of the kinds `closed`, and all in which ways
    part, are closed."""
    stops: list[Stop] = []
    owner: dict[int, int] = {}

    def walk(cell: Cell, around: tuple[Cell, ...], turns: Sequence[int]) -> None:
        if cell.is_open and (not around or (len(around) <= depth and cell.part.kind not in closed and chained(cell))):
            # what lies in a later block of a fold is shown in the first
            inner = [turn + part.first - cell.first for turn in turns for part in cell.run]
            for one in cell.cells:
                for turn in _turns(graph, one):
                    walk(turn, (*around, cell), inner)
            return
        for i in range(cell.first, cell.last + 1):
            owner.update((i + turn, len(stops)) for turn in turns)
        stops.append(Stop(Cell(cell.part, cell.run), around[1:], _skip(graph, cell)))

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


def _turns(graph: Graph, cell: Cell) -> list[Cell]:
    """A fold whose blocks change the size of the map as its single blocks: one slab cannot have both sizes."""
    if cell.times == 1:
        return [cell]
    one, two = (exit_spec(graph, Cell(part, (part,))) for part in cell.run[:2])
    if one.spatial == two.spatial:
        return [cell]
    return [_moved(graph, cell, part) for part in cell.run]


def _moved(graph: Graph, cell: Cell, part: Part) -> Cell:
    """An open or closed cell as it is for another block of equal structure."""
    shift = part.first - cell.first
    known = {(one.first, one.last, one.kind): one for one in _inside(part)}

    def moved(one: Cell) -> Cell:
        run = tuple(known[p.first + shift, p.last + shift, p.kind] for p in one.run)
        return Cell(run[0], run, one.is_open, [moved(inner) for inner in one.cells], [shifted(x) for x in one.links])

    def shifted(link: Link) -> Link:
        inside = [leaf for leaf in link.leaves if 0 <= leaf.node <= cell.last]
        leaves = (Leaf(graph.nodes[x.node + shift].inputs[x.operand], x.node + shift, x.operand) for x in inside)
        return Link(link.source, link.target, tuple(leaves))

    return moved(Cell(cell.part, cell.run[:1], cell.is_open, cell.cells, cell.links))


def _inside(part: Part) -> Iterator[Part]:
    """A part and all parts in it, inner ones last."""
    yield part
    for one in part.parts:
        yield from _inside(one)


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
