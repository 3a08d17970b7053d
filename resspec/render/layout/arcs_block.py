"""One dense block: layers in a row, arcs between them above, and below the line on which their channels add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from resspec.graph import Graph
from resspec.render import labels
from resspec.render.layout.arcs_dense import Dense
from resspec.render.layout.boxes import NOTE, TITLE
from resspec.render.layout.compose import Composer
from resspec.render.layout.pieces import CLOSED, Drawn, Piece, Wire
from resspec.render.layout.stops import widths
from resspec.render.metrics import fit, width
from resspec.render.scene import Point, Text
from resspec.render.view.tree import Part
from resspec.render.view.view import Cell, Leaf

MOST = 8
"""layers that are drawn one by one, with their arcs"""
ENDS = 2
"""layers at the start of a longer block that are drawn; and its last"""
LAYER, BAR = 34.0, 16.0
"""px of the height of a layer's box and of the bar with its sum"""
NEXT = 26.0
"""px between layers; the line into a layer rises there"""
BELOW = 16.0
"""px between a layer and its sum"""
ARC = 13.0
"""px that an arc rises for every layer that it reaches over"""
PAD, HEAD = 10.0, 20.0
SOURCE = 26.0
"""px from the border to the first layer: from there come the arcs of what enters the block"""
RISER = PAD + 6
"""where they come from"""
MISSING = 46.0
"""px of the dots that stand for layers not drawn"""


@dataclass(frozen=True, slots=True)
class _Layer:
    """A layer where it stands."""

    part: Part
    x: float
    wide: float

    @property
    def right(self) -> float:
        return self.x + self.wide

    @property
    def middle(self) -> float:
        return self.x + self.wide / 2


def block(composer: Composer, dense: Dense) -> tuple[Piece, Point, Point]:
    """The piece of a dense block, and the points where the line comes in and goes out."""
    graph = composer.boxes.graph
    units = dense.units
    arcs = len(units) <= MOST
    shown = units if arcs else (*units[:ENDS], units[-1])
    layers = _placed(graph, shown, gap=None if arcs else ENDS)
    rise = ARC * (len(units) + 1) + 4 if arcs else 8.0
    top = HEAD + rise
    axis = top + LAYER + BELOW + BAR / 2
    full = layers[-1].right + SOURCE + PAD
    wires = _trunk(graph, units, layers, axis)
    for k, layer in enumerate(layers):
        leaves = reads(graph, layer.part)
        wires.append(_written(graph, layer, top, axis))
        if arcs:
            wires += [_arc(layers, s, k, leaves, top) for s in range(k + 1)]
        else:
            start, y = layer.x - NEXT / 2, top + LAYER / 2
            wires.append(Wire([(start, axis), (start, y), (layer.x, y)], leaves, "flow", CLOSED, CLOSED))
    if arcs:
        wires.append(Wire([(RISER, axis), (RISER, top)], reads(graph, units[0]), "arc0", CLOSED, CLOSED))
    texts = [_heading(graph, dense, full)]
    if not arcs:
        dots = (layers[ENDS - 1].right + layers[ENDS].x - NEXT / 2) / 2
        more = f"{len(units) - ENDS - 1} more"
        texts += [
            Text(dots, top + LAYER / 2 + 1, "\N{MIDLINE HORIZONTAL ELLIPSIS}", 16, "label"),
            Text(dots, top + LAYER / 2 + 15, more, NOTE, "note"),
        ]
    inner = [one for layer in layers for one in _boxes(graph, layer, top, axis)]
    height = axis + BAR / 2 + PAD + 2
    cell = Cell(dense.around, (dense.around,))
    drawn = Drawn(cell, 0, 0, full, height, "frame", "frame", texts, inner)
    return Piece(full, height, 0, [drawn], wires), (layers[0].x, axis), (layers[-1].right, axis)


def _placed(graph: Graph, shown: Sequence[Part], gap: int | None) -> list[_Layer]:
    """Layers from left to right, with room for dots before number `gap`."""
    layers: list[_Layer] = []
    x = PAD + SOURCE
    for k, part in enumerate(shown):
        if k == gap:
            x += MISSING
        lines = ((_name(part), TITLE), (widths(graph, Cell(part, (part,))), NOTE), (_sum(graph, part), NOTE))
        wide = max(64.0, *(width(text, size) + 14 for text, size in lines))
        layers.append(_Layer(part, x, wide))
        x += wide + NEXT
    return layers


def _name(part: Part) -> str:
    return fit(part.path.rpartition("/")[2], TITLE, 90)


def _sum(graph: Graph, part: Part) -> str:
    return labels.op_title(graph, graph.nodes[part.last])


def _heading(graph: Graph, dense: Dense, full: float) -> Text:
    """`block1: 6 layers, +32 each`."""
    name = dense.around.path.rpartition("/")[2] or graph.name
    grown = {_growth(graph, unit) for unit in dense.units}
    more = f", +{grown.pop()} each" if len(grown) == 1 else ""
    text = fit(f"{name}: {len(dense.units)} layers{more}", NOTE, full - 16, bold=True)
    return Text(8, 14, text, NOTE, "heading", "start", True)


def _growth(graph: Graph, unit: Part) -> str:
    """The channels that a unit adds."""
    operands = graph.nodes[unit.last].inputs
    return " + ".join(str(graph.spec(ref).channels) for ref in operands if ref.node >= unit.first)


def _boxes(graph: Graph, layer: _Layer, top: float, axis: float) -> list[Drawn]:
    """A layer and the bar with its sum."""
    part, middle = layer.part, layer.middle
    texts = [
        Text(middle, top + 15, _name(part), TITLE, "label"),
        Text(middle, top + 27.5, widths(graph, Cell(part, (part,))), NOTE, "note"),
    ]
    node = graph.nodes[part.last]
    last = Part(node.path, node.op.kind, part.last, part.last)
    total = [Text(middle, axis - BAR / 2 + 11.5, _sum(graph, part), NOTE, "label")]
    return [
        Drawn(Cell(part, (part,)), layer.x, top, layer.wide, LAYER, "round", "block", texts),
        Drawn(Cell(last, (last,)), layer.x, axis - BAR / 2, layer.wide, BAR, "bar", "merge", total),
    ]


def reads(graph: Graph, unit: Part) -> frozenset[Leaf]:
    """The edges by which a layer reads what was collected before it; its sum reads it too."""
    return frozenset(
        Leaf(ref, i, operand)
        for i in unit.nodes
        if i != unit.last
        for operand, ref in enumerate(graph.nodes[i].inputs)
        if ref.node < unit.first
    )


def _trunk(graph: Graph, units: Sequence[Part], layers: Sequence[_Layer], axis: float) -> list[Wire]:
    """The line from sum to sum; where layers are left out it stands for all their sums."""
    found = []
    for one, two in pairwise(layers):
        parts = units[units.index(one.part) + 1 : units.index(two.part) + 1]
        leaves = frozenset(Leaf(graph.nodes[part.last].inputs[0], part.last, 0) for part in parts)
        found.append(Wire([(one.right, axis), (two.x, axis)], leaves, "flow", CLOSED, CLOSED))
    return found


def _written(graph: Graph, layer: _Layer, top: float, axis: float) -> Wire:
    """From a layer into its sum."""
    last, first = layer.part.last, layer.part.first
    leaves = frozenset(Leaf(ref, last, k) for k, ref in enumerate(graph.nodes[last].inputs) if ref.node >= first)
    points = [(layer.middle, top + LAYER), (layer.middle, axis - BAR / 2)]
    return Wire(points, leaves, "flow", CLOSED, CLOSED)


def _arc(layers: Sequence[_Layer], source: int, target: int, leaves: frozenset[Leaf], top: float) -> Wire:
    """The arc from what enters the block (source 0) or from layer number `source` to a later one.

    An arc that reaches farther ends more to the right, so that none cross at their ends.
    """
    end = layers[target]
    over = target - source
    x = end.x + end.wide * (0.14 + 0.4 * over / max(1, len(layers) - 1))
    if source:
        begin = layers[source - 1]
        start = (begin.x + begin.wide * 0.75, top)
    else:
        start = (RISER, top)
    apex = ((start[0] + x) / 2, top - ARC * (over + 1))
    return Wire([start, apex, (x, top)], leaves, f"arc{source % 8}", CLOSED, CLOSED)
