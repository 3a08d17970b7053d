"""What stands in a plan: slabs with their strips, in columns, and how high and wide they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from resspec.analysis.cost import number, shape_at
from resspec.graph import Graph
from resspec.ops.source import Input
from resspec.render import labels
from resspec.render.layout.stops import THIN, Row, Stop, widths
from resspec.render.metrics import fit, width
from resspec.render.scene import Text
from resspec.render.view.view import Cell

TITLE, SMALL = 9.5, 8.5
"""sizes of letters, px"""
STRIP = 4.0
"""px of the width of a strip"""
NEAR = 9.0
"""px between equal slabs that share their words"""
SIDE = 15.0
"""px beside a group: the ways around it rise there"""
WORDS = 128.0
"""px of the longest line below a slab"""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A slab with the strips before and behind it."""

    number: int
    stops: tuple[int, ...]
    before: tuple[Stop, ...]
    main: Stop
    behind: tuple[Stop, ...]
    size: int
    channels: int

    @property
    def slab(self) -> float:
        """px of the width of the slab, by its channels."""
        return 5 + 1.1 * sqrt(self.channels)

    @property
    def width(self) -> float:
        return self.slab + STRIP * (len(self.before) + len(self.behind))


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """Groups that share their words."""

    groups: tuple[Group, ...]
    frames: tuple[Cell, ...]
    words: tuple[Text, ...]

    @property
    def inner(self) -> float:
        return sum(group.width for group in self.groups) + NEAR * (len(self.groups) - 1)

    @property
    def width(self) -> float:
        text = max((width(one.text, one.size, one.bold) for one in self.words), default=0.0)
        return max(self.inner + 2 * SIDE, text + 10)


def height(size: int, tallest: float, largest: int) -> float:
    """px of the height of a slab, by the size of its map."""
    return 9 + (tallest - 9) * sqrt(size / largest)


def columns(graph: Graph, at: Mapping[str, int], whole: Row, framed: bool) -> list[Column] | None:
    """The columns of a row of stops; None where a size is not known. `framed`: open blocks keep their frames."""
    found: list[Column] = []
    for k, (before, main, behind) in enumerate(grouped(graph, whole, framed)):
        stop = whole.stops[main]
        shape = shape_at(labels.exit_spec(graph, stop.cell), at)
        sizes = [number(size, at) for size in shape.shape]
        known = [size for size in sizes if size is not None]
        if len(known) < len(sizes):
            return None
        group = Group(
            k, (*before, main, *behind),
            tuple(whole.stops[i] for i in before), stop, tuple(whole.stops[i] for i in behind),
            max(known[:-1], default=1), known[-1] if known else 1,
        )  # fmt: skip
        frames = stop.around if framed else ()
        last = found[-1] if found else None
        if last is not None and _alike(graph, last, group, frames, whole):
            groups = (*last.groups, group)
            found[-1] = Column(groups, frames, _words(graph, at, stop, len(groups)))
        else:
            found.append(Column((group,), frames, _words(graph, at, stop, 1)))
    return found


def grouped(graph: Graph, whole: Row, framed: bool) -> list[tuple[list[int], int, list[int]]]:
    """Strips before, the main stop, and strips behind, for every slab. `framed`: none from outside its frame."""
    found: list[tuple[list[int], int, list[int]]] = []
    ahead: list[int] = []  # strips that wait for the slab behind them

    def near(one: int, two: int) -> bool:
        a, b = whole.stops[one], whole.stops[two]
        return a.around == b.around or (not framed and a.times == b.times)

    for k, stop in enumerate(whole.stops):
        linked = k > 0 and {a for a, b in whole.ways if b == k} == {k - 1}
        if ahead and not (linked and near(k, ahead[0])):
            found.append((ahead[:-1], ahead[-1], []))
            ahead = []
        main = found[-1][1] if found else None
        if not thin(graph, stop.cell):
            found.append((ahead, k, []))
            ahead = []
        elif linked and not ahead and main is not None and near(k, main) and _holds(graph, whole.stops[main].cell):
            found[-1][2].append(k)
        else:
            ahead.append(k)
    if ahead:
        found.append((ahead[:-1], ahead[-1], []))
    return found


def thin(graph: Graph, cell: Cell) -> bool:
    """Whether a cell is drawn as a strip: it changes numbers, but no shape (or only flattens it)."""
    nodes = [graph.nodes[i] for i in cell.part.nodes]
    return all(node.op.family in THIN or node.op.kind == "flatten" for node in nodes)


def _holds(graph: Graph, cell: Cell) -> bool:
    """Whether strips may follow: not on an input, and not on a block, whose norms and activations are inside."""
    return not cell.part.is_block and not isinstance(graph.nodes[cell.first].op, Input)


def _alike(graph: Graph, last: Column, group: Group, frames: Sequence[Cell], whole: Row) -> bool:
    """Whether a group is the same as those in a column, and directly behind them."""
    before = last.groups[-1]
    if group.main.cell.part.is_block or before.main.cell.part.is_block or tuple(frames) != last.frames:
        return False
    if {a for a, b in whole.ways if b == group.stops[0]} != {before.stops[-1]}:
        return False
    same = labels.title(graph, before.main.cell) == labels.title(graph, group.main.cell)
    shape = (before.size, before.channels) == (group.size, group.channels)
    return same and shape and graph.nodes[group.main.cell.first].op.family == "conv"


def _words(graph: Graph, at: Mapping[str, int], stop: Stop, times: int) -> tuple[Text, ...]:
    """The lines below a slab; x is left 0, y is counted from the slab's foot."""
    cell = stop.cell
    title = labels.title(graph, cell)
    head, _, tail = title.partition(", ") if not cell.part.is_block else (title, "", widths(graph, cell))
    shape = labels.shape(shape_at(labels.exit_spec(graph, cell), at))
    strided = down(graph, at, cell) if cell.part.is_block else ""
    if strided:
        head = f"{head}, {strided}"
    if times > 1:
        head = f"{times} \N{MULTIPLICATION SIGN} {head}"
    lines = [(head, TITLE, "label", False)]
    if tail:
        lines.append((tail, SMALL, "note", False))
    if cell.times > 1:
        lines[-1] = (f"{lines[-1][0]} \N{MULTIPLICATION SIGN}{cell.times}", SMALL, "note", True)
    if shape != tail:
        lines.append((shape, SMALL, "shape", False))
    return tuple(
        Text(0, 11 + 11.5 * k, fit(text, size, WORDS, bold), size, role, "middle", bold)
        for k, (text, size, role, bold) in enumerate(lines)
    )


def down(graph: Graph, at: Mapping[str, int], cell: Cell) -> str:
    """`/2` where a block makes its map smaller by that factor."""
    entry = labels.entry_spec(graph, cell)
    if entry is None:
        return ""
    before, after = shape_at(entry, at).spatial, shape_at(labels.exit_spec(graph, cell), at).spatial
    if not before or len(before) != len(after):
        return ""
    one, two = before[0], after[0]
    if not isinstance(one, int) or not isinstance(two, int) or one <= two:
        return ""
    return f"/{round(one / two)}" if round(one / two) > 1 else ""
