"""One level of an encoder-decoder as pieces: a stack down, a stack up, and what stands on the skip between.

Every band has a line of its own at y = 0: there the skip leaves the stack on the left, below its
last box, and runs to the merge, which stands on the line. Both stacks are measured from their axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from resspec.render.layout.boxes import SHAPE
from resspec.render.layout.compose import Composer
from resspec.render.layout.pieces import CLOSED, Drawn, Piece, Wire
from resspec.render.layout.ushape_nest import Level
from resspec.render.scene import Anchor, Text
from resspec.render.view.regions import Series
from resspec.render.view.view import ENTRY, EXIT, Cell, Leaf

STEM = 8.0
"""px from a stack down to the line"""
SPACE = 16.0
"""px beside what stands on the line"""
NEAR = 40.0
"""px between two boxes that are brought to one height"""


@dataclass(frozen=True, slots=True)
class Column(Composer):
    """A composer whose boxes have at least one width, so that stacks mirror each other."""

    least: float = 0.0

    def cell(self, cell: Cell, depth: int = 0) -> Piece:
        # the base class by its name: `super()` does not work in a dataclass with slots
        piece = Composer.cell(self, cell, depth)
        if not cell.is_open and piece.drawn[0].mark in ("rect", "round"):
            _widened(piece, self.least)
        return piece


@dataclass(slots=True)
class Band:
    """The pieces of one level where they stand: the stacks on x = 0, what is between them begins at x = 0."""

    down: Piece | None
    across: Piece
    up: Piece | None
    merge: Drawn | None = None
    gates: list[tuple[Drawn, frozenset[Leaf]]] = field(default_factory=list)
    """what on the skip reads what comes up from below"""
    heads: list[float] = field(default_factory=lambda: [0.0, 0.0])
    """where the stacks begin and end at the top, y"""

    @property
    def top(self) -> float:
        return min(*self.heads, -self.across.axis)

    @property
    def bottom(self) -> float:
        merge = self.merge.y + self.merge.height if self.merge is not None else 0.0
        return max(merge, self.across.height - self.across.axis)

    @property
    def outside(self) -> tuple[float, float]:
        """px to the left of the left axis, and to the right of the right one."""
        left = self.down.axis if self.down is not None else 0.0
        right = self.up.width - self.up.axis if self.up is not None else 0.0
        return left, right

    @property
    def inside(self) -> tuple[float, float]:
        """px from the left axis to the right, and from the right one to the left, that the stacks take."""
        left = self.down.width - self.down.axis if self.down is not None else 0.0
        right = self.up.axis if self.up is not None else 0.0
        return left, right

    @property
    def room(self) -> float:
        """The least px from axis to axis: twice the larger half, so that what is between stands in the middle."""
        return 2 * max(self.inside) + self.across.width + 2 * SPACE


def band(composer: Composer, cells: Sequence[Cell], level: Level) -> Band:
    """The pieces of a level."""
    down = composer.series(cells, level.down, 0) if level.down is not None else None
    if down is not None and down.width > 3 * down.axis and not any(one.cell.is_open for one in down.drawn):
        down = turned(down)  # branches stand outside, where there is room
    up = flipped(composer.series(cells, level.up, 0)) if level.up is not None else None
    across = _across(composer, cells, level)
    for wire in across.wires:
        if not level.lowest and (ENTRY in (wire.source, wire.target) or EXIT in (wire.source, wire.target)):
            wire.role = "projection" if _has_weights(composer, cells, level.across) else "identity"
    found = Band(down, across.moved(0, -across.axis), up)
    found.gates = [(_of(across, cells[k]), frozenset(leaves)) for k, leaves in level.gates.items()]
    lefts: list[Drawn] = []
    rights: list[Drawn] = []
    if down is not None and level.down is not None:
        found.heads[0] = -down.height - STEM
        down.moved(-down.axis, found.heads[0])
        lefts = [_of(down, cells[k]) for k in reversed(level.down.cells)]
    if up is not None and level.up is not None:
        found.heads[1] = -up.height - STEM
        up.moved(-up.axis, found.heads[1])
        rights = [_of(up, cells[k]) for k in level.up.cells]
        if not level.lowest:
            found.merge = rights.pop(0)
            lower = -found.merge.y - found.merge.height / 2
            found.heads[1] += lower
            up.moved(0, lower)
    _brought_to_rows(found, lefts, rights)
    return found


def _brought_to_rows(found: Band, lefts: Sequence[Drawn], rights: Sequence[Drawn]) -> None:
    """What faces each other in the two stacks comes to one height, from the line upwards."""
    floor = 0.0
    for left, right in zip(lefts, rights, strict=False):
        lower = left.y + left.height / 2 - right.y - right.height / 2
        if abs(lower) > NEAR or found.down is None or found.up is None:
            return
        if lower > 0:
            found.heads[0] -= lower
            _stretched(found.down, floor - 0.01, lower)
        else:
            found.heads[1] += lower
            _stretched(found.up, right.y + right.height + 0.01, -lower)
        floor = left.y


def _stretched(piece: Piece, cut: float, amount: float) -> None:
    """What is above `cut`, which only lines cross, moves up."""
    high = [one for one in piece.drawn if one.y + one.height <= cut]
    over = Piece(0, 0, 0, high, [], [text for text in piece.texts if text.y <= cut]).moved(0, -amount)
    piece.texts = [*over.texts, *(text for text in piece.texts if text.y > cut)]
    for wire in piece.wires:
        wire.points = [(x, y - amount if y <= cut else y) for x, y in wire.points]


def _of(piece: Piece, cell: Cell) -> Drawn:
    return next(one for one in piece.drawn if one.cell is cell)


def _has_weights(composer: Composer, cells: Sequence[Cell], order: Series) -> bool:
    weights = composer.boxes.graph.weights
    return any(weights[i] for k in order.cells for i in cells[k].part.nodes)


def _widened(piece: Piece, least: float) -> None:
    """The box of a piece at least so wide, its axis still in the middle."""
    box = piece.drawn[0]
    more = max(0.0, least - box.width) / 2
    right = piece.width - piece.axis
    piece.moved(more, 0)
    box.x -= more
    box.width += 2 * more
    piece.axis += more
    piece.width = piece.axis + max(right, box.width / 2)


def widest(composer: Composer, cells: Sequence[Cell], levels: Sequence[Level]) -> float:
    """The width of the widest closed box in the stacks of some levels."""
    found = [0.0]
    for level in levels:
        for stack in (level.down, level.up):
            for k in stack.cells if stack is not None else ():
                if not cells[k].is_open:
                    one = composer.boxes.piece(cells[k]).drawn[0]
                    found.append(one.width if one.mark in ("rect", "round") else 0)
    return max(found)


def flipped(piece: Piece) -> Piece:
    """The piece upside down: what flowed downwards flows up. Texts stay upright."""
    tall = piece.height
    waiting = list(piece.drawn)
    while waiting:
        one = waiting.pop()
        y = tall - one.y - one.height
        if one.mark == "frame":
            # the line with the name is at the other end now, and so is the repeat count
            name, *others = one.texts
            low = y + one.height - 7
            one.texts = [_moved_to(name, name.x, low), *(_flipped_text(text, tall) for text in others)]
            if one.badge:
                count = Text(one.x + one.width - 8, low, one.badge, name.size, name.role, "end", True)
                one.texts.append(count)
            one.badge = ""
        else:
            one.texts = [_moved_to(text, text.x, text.y + y - one.y) for text in one.texts]
        one.y = y
        waiting += one.inner
    for wire in piece.wires:
        wire.points = [(x, tall - y) for x, y in wire.points]
    piece.texts = [_flipped_text(text, tall) for text in piece.texts]
    return piece


def _flipped_text(text: Text, tall: float) -> Text:
    return _moved_to(
        text, text.x, tall - text.y + 0.56 * text.size
    )  # 0.76 em of a letter are above its line, 0.2 below


def _moved_to(text: Text, x: float, y: float, anchor: Anchor | None = None) -> Text:
    return Text(x, y, text.text, text.size, text.role, anchor or text.anchor, text.bold)


def turned(piece: Piece) -> Piece:
    """The piece with left and right exchanged. It holds no frames."""
    for one in piece.drawn:
        x = piece.width - one.x - one.width
        one.texts = [_moved_to(text, text.x + x - one.x, text.y) for text in one.texts]
        one.x = x
    for wire in piece.wires:
        wire.points = [(piece.width - x, y) for x, y in wire.points]
    other: dict[Anchor, Anchor] = {"start": "end", "end": "start", "middle": "middle"}
    piece.texts = [_moved_to(text, piece.width - text.x, text.y, other[text.anchor]) for text in piece.texts]
    piece.axis = piece.width - piece.axis
    return piece


def _across(composer: Composer, cells: Sequence[Cell], level: Level) -> Piece:
    """What stands on a line that runs to the right, the line at `axis` px below the top."""
    order = level.across
    closed = not any(cells[k].is_open for k in order.cells)
    if closed and not any(one.branches or len(one.direct) > 1 for one in order.segments):
        return _row(composer, cells, level)
    piece = composer.series(cells, order, 0)
    wide, axis, tall = piece.width + 3 * SPACE, 2 * SPACE + piece.axis, piece.height + SPACE / 2
    if level.lowest:  # it hangs below the line: there is nothing
        before, after, line = [(0.0, 0.0), (axis, 0.0)], [(axis, tall), (wide, tall), (wide, 0.0)], 0.0
    else:  # it stands on the line
        line = tall + SPACE / 2
        before = [(0, line), (SPACE, line), (SPACE, 0), (axis, 0)]
        after = [(axis, line), (wide, line)]
    for wire in piece.moved(2 * SPACE, SPACE / 2).wires:
        if wire.source == ENTRY:
            wire.points = [*before, *wire.points]
        if wire.target == EXIT:
            wire.points = [*wire.points, *after]
    piece.width, piece.height, piece.axis = wide, max(line, tall), line
    return piece


def _row(composer: Composer, cells: Sequence[Cell], level: Level) -> Piece:
    """Boxes beside each other, their shapes below them: beside the middle, where a line comes from below."""
    order = level.across
    whole = Piece(0, 0, 0)
    x = SPACE
    start = (0.0, 0.0)
    for k, segment in zip(order.cells, order.segments):
        piece = composer.cell(cells[k])
        box = piece.drawn[0]
        piece.moved(x, -box.height / 2)
        middle = x + box.width / 2
        texts = [
            _moved_to(t, middle + 5, t.y, "start") if k in level.gates else Text(middle, t.y, t.text, SHAPE, t.role)
            for t in piece.texts
        ]
        leaves = frozenset(leaf for link in segment.direct for leaf in link.leaves)
        whole.wires.append(Wire([start, (x, 0)], leaves, "flow", ENTRY if not whole.drawn else CLOSED))
        whole.drawn.append(box)
        whole.texts += texts
        start = (x + box.width, 0.0)
        whole.axis = max(whole.axis, box.height / 2)
        whole.height = max(whole.height, box.height / 2 + piece.drop)
        x += box.width + 1.5 * SPACE
    whole.width = x - SPACE / 2 if order.cells else 2 * SPACE
    leaves = frozenset(leaf for link in order.segments[-1].direct for leaf in link.leaves)
    whole.wires.append(Wire([start, (whole.width, 0)], leaves, "flow", CLOSED if order.cells else ENTRY, EXIT))
    whole.height += whole.axis
    return whole.moved(0, whole.axis)
