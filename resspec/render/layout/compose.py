"""Cells put together: one below the other, branches side by side, skips in lanes beside them.

A series-parallel body comes out without a crossing. In a tangle every cell has a row of its own and
every other edge a lane to the right, so that no line runs through a box there either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from resspec.render import labels
from resspec.render.layout.boxes import NOTE, SHAPE, Boxes
from resspec.render.layout.pieces import CLOSED, Drawn, Piece, Place, Wire, connected
from resspec.render.metrics import fit, width
from resspec.render.scene import Text
from resspec.render.view.regions import Segment, Series, Tangle, series
from resspec.render.view.view import ENTRY, EXIT, Cell, Link

GAP = 14.0
"""px between two boxes of a series"""
FAN = 14.0
"""px in which lines part and meet"""
LANE = 16.0
"""px from a box to a skip beside it"""
ASIDE = 18.0
"""px between branches"""
PAD, HEAD = 10.0, 18.0
"""px of a frame's border, and of the line with its name"""
SLOT = 7.0
"""px between two lines that turn in one gap of a tangle"""


@dataclass(frozen=True, slots=True)
class Composer:
    """Makes the piece of a cell and of all that is open in it."""

    boxes: Boxes
    room: float = inf
    """px of width that the page has; a layout that can choose keeps within"""
    _measured: dict[int, tuple[Cell, Piece]] = field(default_factory=dict)
    """pieces that were made to know their size, until they are asked for"""

    def measured(self, cell: Cell) -> Piece:
        """The piece of a cell, to be looked at only: the next one that asks for it gets it."""
        piece = self.cell(cell)
        self._measured[id(cell)] = cell, piece
        return piece

    def cell(self, cell: Cell, depth: int = 0) -> Piece:
        known = self._measured.pop(id(cell), None)
        if known is not None:
            return known[1]
        return self.frame(cell, depth) if cell.is_open else self.boxes.piece(cell)

    def body(self, cell: Cell, depth: int = 0) -> Piece:
        """What is inside of an open cell."""
        return self.region(cell.cells, series(len(cell.cells), cell.links), depth)

    def frame(self, cell: Cell, depth: int) -> Piece:
        """An open block: its body in a frame with its name."""
        inside = self.body(cell, depth + 1)
        closed = Cell(cell.part, cell.run)
        box = self.boxes.piece(closed)
        title = labels.name(cell, whole=depth == 0)  # a block whose outer frame was left out says where it is
        badge = box.drawn[0].badge
        room = width(badge, NOTE, bold=True) + 14 if badge else 0
        heading = fit(title, NOTE, 200)
        wide = width(heading, NOTE, bold=True) + 8
        left = max(PAD, wide + 12 - inside.axis)  # the line that comes in does not run through the name
        right = max(PAD, room + 12 - (inside.width - inside.axis))
        full = left + inside.width + right
        inside.moved(left, HEAD + 4)
        axis, height = left + inside.axis, inside.height + HEAD + 4 + PAD
        texts = [Text(8, 13, heading, NOTE, "heading", "start", True), *inside.texts]
        drawn = Drawn(cell, 0, 0, full, height, "frame", "frame", texts, inside.drawn, badge)
        for wire in inside.wires:
            if wire.source == ENTRY:
                wire.points.insert(0, (axis, 0))
            if wire.target == EXIT:
                wire.points.append((axis, height))
        whole = Piece(full, height, axis, [drawn], inside.wires)
        self._behind(cell, whole)
        return whole

    def _behind(self, cell: Cell, frame: Piece) -> None:
        """The shape behind a fold that changes it at every turn: inside stands what the first one makes."""
        after, first = labels.exit_spec(self.boxes.graph, cell), Cell(cell.part, cell.run[:1])
        if self.boxes.shapes == "none" or after.shape == labels.exit_spec(self.boxes.graph, first).shape:
            return
        shape = self.boxes.shape(after)
        frame.texts.append(Text(frame.axis + 5, frame.height + 10.5, shape, SHAPE, "shape", "start"))
        frame.height += 13
        frame.width = max(frame.width, frame.axis + 6 + width(shape, SHAPE))
        for wire in frame.wires:
            if wire.target == EXIT:
                wire.points.append((frame.axis, frame.height))

    def region(self, cells: Sequence[Cell], order: Series | Tangle, depth: int) -> Piece:
        return self.tangle(cells, order, depth) if isinstance(order, Tangle) else self.series(cells, order, depth)

    # -- one after the other ------------------------------------------------------------------

    def series(self, cells: Sequence[Cell], order: Series, depth: int) -> Piece:
        pieces = {k: self.cell(cells[k], depth) for k in order.cells}
        ends = [ENTRY, *order.cells, EXIT]
        between = [self.segment(cells, one, ends[k], ends[k + 1], depth) for k, one in enumerate(order.segments)]
        parts = [one for pair in zip(between, [*pieces.values(), None], strict=True) for one in pair if one]
        axis = max((one.axis for one in parts), default=0.0)
        right = max((one.width - one.axis for one in parts), default=0.0)
        whole = Piece(axis + right, 0, axis)
        places: dict[int, Place] = {}
        wires: list[Wire] = []
        y = 0.0
        for k, segment in enumerate(between):
            sign = pieces.get(ends[k + 1])
            segment.moved(axis - segment.axis, y)
            y += segment.height
            if sign is not None and sign.rise:
                for wire in segment.wires:
                    _sideways(wire, ends[k + 1], axis, y, sign)
            wires += segment.wires
            whole.drawn += segment.drawn
            whole.texts += segment.texts
            if sign is not None:
                cell = cells[ends[k + 1]]
                places[ends[k + 1]] = place_of(whole, sign.moved(axis - sign.axis, y), cell, y)
                wires += [wire for wire in sign.wires if wire.source == CLOSED and wire.target == CLOSED]
                y += sign.height
        whole.height = y
        inner = [wire for wire in wires if wire.source == CLOSED and wire.target == CLOSED]
        order_of = {end: k for k, end in enumerate(ends)}
        open_ones = [wire for wire in wires if wire.source != CLOSED or wire.target != CLOSED]
        open_ones.sort(key=lambda wire: order_of.get(wire.source, order_of.get(wire.target, 0)))
        whole.wires = [*inner, *connected(open_ones, places)]
        return whole

    def segment(self, cells: Sequence[Cell], segment: Segment, source: int, target: int, depth: int) -> Piece:
        """What lies between two cells: wires, and branches beside each other."""
        direct = [link for link in segment.direct if link.leaves]
        if not segment.branches and len(direct) <= 1:
            height = GAP if source != ENTRY and target != EXIT else GAP / 2 if direct else 0.0
            wires = [Wire([(0, 0), (0, height)], frozenset(one.leaves), "flow", source, target) for one in direct]
            return Piece(0, height, 0, [], wires)
        pieces = [self.region(cells, branch, depth) for branch in segment.branches]
        sizes = [sum(cells[k].boxes() for k in branch.cells) for branch in segment.branches]
        pieces = [piece for _, piece in sorted(zip(sizes, pieces, strict=True), key=lambda pair: -pair[0])]
        return self.parallel(pieces, direct, source, target)

    # -- side by side ---------------------------------------------------------------------------

    def parallel(self, pieces: list[Piece], direct: Sequence[Link], source: int, target: int) -> Piece:
        """The largest branch on the axis, smaller ones and skips to its right; more than two in the middle."""
        skips = list(direct)
        ends = [piece for piece in pieces if all(wire.target != EXIT for wire in piece.wires)]
        pieces = [piece for piece in pieces if piece not in ends]
        if not pieces and skips:  # the first of several lines goes straight
            first = skips.pop(0)
            pieces = [Piece(0, GAP, 0, [], [Wire([(0, 0), (0, GAP)], frozenset(first.leaves), "flow", ENTRY, EXIT)])]
        through = max(1, len(pieces))
        pieces = [*pieces, *ends]
        tall = max(piece.height for piece in pieces)
        height = tall + 2 * FAN
        x = 0.0
        placed: list[tuple[Piece, float]] = []
        for piece in pieces:
            placed.append((piece, x))
            x += piece.width + ASIDE
        x -= ASIDE
        axis = pieces[0].axis if through < 3 else sum(piece.width + ASIDE for piece in pieces[:through]) / 2
        whole = Piece(x, height, axis)
        for number, (piece, left) in enumerate(placed):
            beside = 0 < number < through == 2 and self.projects(piece)
            dy = FAN + (tall - piece.height) / 2
            for wire in piece.moved(left, dy).wires:
                if beside and wire.role == "flow":
                    wire.role = "projection"
                if wire.source == ENTRY:
                    _from_axis(wire, axis, dy)
                    wire.source = source
                if wire.target == EXIT:
                    _to_axis(wire, axis, height)
                    wire.target = target
                whole.wires.append(wire)
            whole.drawn += piece.drawn
            whole.texts += piece.texts
        for k, link in enumerate(skips):
            lane = x + LANE + k * SLOT
            points = [(axis, 0), (axis, FAN / 2), (lane, FAN / 2), (lane, height - FAN / 2), (axis, height - FAN / 2)]
            whole.wires.append(Wire([*points, (axis, height)], frozenset(link.leaves), "identity", source, target))
            whole.width = lane + 4
        return whole

    def projects(self, piece: Piece) -> bool:
        """Whether a branch only brings a tensor to another shape: one convolution, with its norm."""
        ops = [self.boxes.graph.nodes[i].op for one in piece.drawn for i in one.cell.part.nodes]
        families = [op.family for op in ops]
        return len(ops) <= 3 and families.count("conv") == 1 and set(families) <= {"conv", "norm", "pool"}

    # -- neither ----------------------------------------------------------------------------------

    def tangle(self, cells: Sequence[Cell], order: Tangle, depth: int) -> Piece:
        """Every cell in a row of its own; an edge that passes others takes a lane to the right."""
        row = {k: r for r, k in enumerate(order.cells, 1)}
        row |= {ENTRY: 0, EXIT: len(order.cells) + 1}
        pieces = [self.cell(cells[k], depth) for k in order.cells]
        axis = max(piece.axis for piece in pieces)
        right = max(piece.width - piece.axis for piece in pieces)
        links = [link for link in order.links if link.leaves]
        near = [link for link in links if row[link.target] == row[link.source] + 1]
        far = [link for link in links if row[link.target] > row[link.source] + 1]
        lanes = lanes_of([(row[link.source], row[link.target]) for link in far])
        leaving: dict[int, list[int]] = {}
        coming: dict[int, list[int]] = {}
        for number, link in sorted(enumerate(far), key=lambda one: lanes[one[0]]):
            leaving.setdefault(row[link.source], []).append(number)
            coming.setdefault(row[link.target], []).append(number)
        whole = Piece(0, 0, axis)
        places: dict[int, Place] = {}
        slots: dict[tuple[str, int], float] = {}
        tops: dict[int, float] = {0: 0.0}
        y = 0.0
        wires: list[Wire] = []
        for r in range(len(order.cells) + 1):
            start = y
            for number in leaving.get(r, ()):
                y += SLOT
                slots["out", number] = y
            for number in reversed(coming.get(r + 1, [])):
                y += SLOT
                slots["in", number] = y
            y = max(y + SLOT, start + GAP)
            tops[r + 1] = y
            if r < len(order.cells):
                k = order.cells[r]
                piece = pieces[r].moved(axis - pieces[r].axis, y)
                places[k] = place_of(whole, piece, cells[k], y)
                wires += [wire for wire in piece.wires if wire.source == CLOSED and wire.target == CLOSED]
                y += piece.height
        whole.height = y
        open_ones = []
        for link in near:
            begin = places[link.source].bottom if link.source in places else (axis, 0.0)
            points = [begin, (axis, tops[row[link.target]])]
            open_ones.append(Wire(points, frozenset(link.leaves), "flow", link.source, link.target))
        for number, link in enumerate(far):
            lane = axis + right + LANE + lanes[number] * SLOT
            begin = places[link.source].bottom if link.source in places else (axis, 0.0)
            out, back = slots["out", number], slots["in", number]
            end = (axis, tops[row[link.target]])
            points = [begin, (axis, out), (lane, out), (lane, back), (axis, back), end]
            open_ones.append(Wire(points, frozenset(link.leaves), "identity", link.source, link.target))
        whole.width = axis + right + (LANE + (max(lanes, default=-1) + 1) * SLOT if far else 0)
        open_ones.sort(key=lambda wire: row[wire.source])
        whole.wires = [*wires, *connected(open_ones, places)]
        return whole


def place_of(whole: Piece, piece: Piece, cell: Cell, y: float) -> Place:
    """Put the piece of a cell into a larger one."""
    whole.drawn += piece.drawn
    whole.texts += piece.texts
    x = piece.drawn[0].x + piece.axis if cell.is_open else piece.drawn[0].x + piece.drawn[0].width / 2
    top, bottom = (x, y), (x, y + piece.height - piece.drop)
    if not cell.is_open:
        return Place(top, bottom)
    heads = [wire for wire in piece.wires if wire.source == ENTRY]
    tails = [wire for wire in piece.wires if wire.target == EXIT and wire.source != ENTRY]
    return Place(top, bottom, heads, tails, cell.times > 1)


def _from_axis(wire: Wire, axis: float, top: float) -> None:
    x = wire.points[0][0]
    bend = [(axis, 0.0), (axis, FAN / 2), (x, FAN / 2)] if x != axis else [(axis, 0.0)]
    wire.points = [*bend, *wire.points]


def _to_axis(wire: Wire, axis: float, height: float) -> None:
    x = wire.points[-1][0]
    bend = [(x, height - FAN / 2), (axis, height - FAN / 2), (axis, height)] if x != axis else [(axis, height)]
    wire.points = [*wire.points, *bend]


def _sideways(wire: Wire, target: int, axis: float, y: float, sign: Piece) -> None:
    """A line that comes from the right enters a sign at its side."""
    if wire.target != target or len(wire.points) < 3:
        return
    (x, _), (_, turn), end = wire.points[-3:]
    if x > axis + sign.reach and end == (axis, y) and turn == y - FAN / 2:
        wire.points[-2:] = [(x, y + sign.rise), (axis + sign.reach, y + sign.rise)]


def lanes_of(spans: Sequence[tuple[int, int]]) -> list[int]:
    """A lane for every span so that none overlap in one; short ones take the inner lanes."""
    found = [0] * len(spans)
    taken: list[list[tuple[int, int]]] = []
    for number, (low, high) in sorted(enumerate(spans), key=lambda one: (one[1][1] - one[1][0], one[1])):
        free = (lane for lane, others in enumerate(taken) if all(high <= a or low >= b for a, b in others))
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((low, high))
        found[number] = lane
    return found
