"""Encoder-decoders on a page: one beside the next, in as many rows as fill it best, and skips over whole ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resspec.render.layout.compose import LANE, SLOT
from resspec.render.layout.pieces import Drawn, Piece, Wire
from resspec.render.layout.scissors import BEST
from resspec.render.layout.ushape_nest import Skip
from resspec.render.layout.ushape_unit import Unit, led
from resspec.render.view.view import Cell

BESIDE = 34.0
"""px between two encoder-decoders"""
OVER = 12.0
"""px from boxes to a line that leads over or below them"""
INWARDS = (0, 8, 16, 24, 32, 44, 56, 68, 80, 95, 110, 125, 140)
"""px that each band is set inwards from the one above"""
AROUND = (40.0, 110.0)
"""px of a page beside and above the figure: margins, title, legend"""
MOST = 4000.0
"""px of a side of a page that is easily looked at"""


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the page is filled: encoder-decoders a row, px inwards."""

    count: int
    inwards: float
    width: float
    height: float

    @property
    def badness(self) -> float:
        shape = (self.width + AROUND[0]) / (self.height + AROUND[1])
        return max(shape / BEST, BEST / shape)


@dataclass(frozen=True, slots=True)
class _Row:
    """Where lines lead around a row: at its right end, below it."""

    end: float
    below: float


class Sheet:
    """Puts encoder-decoders on a page."""

    def __init__(self, cells: Sequence[Cell], units: Sequence[Unit], skips: Sequence[Skip], room: float) -> None:
        self.cells = cells
        self.room = room
        self.units = units
        self.skips = skips
        self.home: dict[int, tuple[int, bool]] = {}
        """of the cells of first levels: the encoder-decoder, and whether they stand on its left"""
        for number, unit in enumerate(units):
            for stack in (unit.levels[0].down, unit.levels[0].up):
                for k in stack.cells if stack is not None else ():
                    self.home[k] = (number, stack is unit.levels[0].down)
        self.ends: dict[tuple[int, bool], list[tuple[str, int]]] = {}
        """what comes and goes in lanes beside the first axes: skips by number, those that come first"""
        for way in ("in", "out"):
            for number, skip in enumerate(skips):
                end = skip.target if way == "in" else skip.source
                if end in self.home:
                    self.ends.setdefault(self.home[end], []).append((way, number))
        self.ranks = [sum(s.source <= one.source and one.target <= s.target for one in skips) for s in skips]
        """how many skips lie below each over the same cells, itself included"""
        lanes = max(map(len, self.ends.values()), default=0)
        self.aside = LANE + lanes * SLOT if lanes else 0.0
        self.around = OVER + SLOT * (1 + max(self.ranks, default=0)) if len(units) > 1 or skips else 0.0

    def piece(self) -> Piece | None:
        """The whole figure; None where a skip begins or ends in a place that no lane leads to."""
        for skip in self.skips:
            if not self.home.get(skip.source, (0, False))[1]:
                return None
            if self.cells[skip.source].is_open and not self._is_last(skip.source):
                return None
            if skip.target not in self.home or self.cells[skip.target].is_open:
                return None
        count = len(self.units)
        counts = dict.fromkeys(-(-count // rows) for rows in range(1, count + 1))
        plans = [self._plan(a_row, inwards) for a_row in counts if self._reaches(a_row) for inwards in INWARDS]
        within = [plan for plan in plans if plan.width <= self.room] or [min(plans, key=lambda plan: plan.width)]
        fitting = [plan for plan in within if max(plan.width, plan.height) <= MOST - max(AROUND)] or within
        return self._filled(min(fitting, key=lambda plan: plan.badness))

    def _reaches(self, count: int) -> bool:
        """Whether no skip leads past a whole row."""
        return all(self.home[skip.target][0] // count - self.home[skip.source][0] // count < 2 for skip in self.skips)

    def _plan(self, count: int, inwards: float) -> _Plan:
        rows = self._rows(count)
        width = max(sum(sum(unit.measured(inwards, self.aside)) + BESIDE for unit in row) for row in rows)
        height = sum(max(u.above for u in row) + max(u.below for u in row) + 2 * self.around for row in rows)
        return _Plan(count, inwards, width, height)

    def _rows(self, count: int) -> list[Sequence[Unit]]:
        return [self.units[k : k + count] for k in range(0, len(self.units), count)]

    def _filled(self, plan: _Plan) -> Piece:
        """The figure after a plan."""
        whole = Piece(0, 0, 0)
        y = widest = 0.0
        feed: list[Wire] = []
        places: list[_Row] = []
        for row in self._rows(plan.count):
            x = 0.0
            for unit in row:
                left, right = unit.measured(plan.inwards, self.aside)
                unit.x, x = x + left, x + left + right + BESIDE
                unit.y = y + self.around + max(one.above for one in row)
            widest = max(widest, x - BESIDE)
            below = max(unit.y + unit.below for unit in row)
            places.append(_Row(0.0, below + OVER))
            y = below + self.around + 2 * SLOT  # lines below a row keep off those over the next
        several = len(places) > 1
        places = [_Row(widest + OVER, one.below) for one in places]
        for number, unit in enumerate(self.units):
            if number:
                over = self._over(number - 1, number, plan.count)
                feed = led(feed, (self.units[number - 1].right, over))
                if number % plan.count == 0:
                    before = places[number // plan.count - 1]
                    feed = led(feed, (before.end, over), (before.end, before.below))
                    over = before.below
                feed = led(feed, (unit.x, over))
            feed = unit.drawn(whole, plan.inwards, feed)
        whole.wires += feed
        for number, skip in enumerate(self.skips):
            whole.wires += self._skip(whole, number, skip, places, plan.count)
        whole.width = widest + (self.around if several else 0.0)
        high = min(y for wire in whole.wires for _, y in wire.points)
        high = min(high, *(one.y for one in whole.drawn))
        whole.height = y - self.around - 2 * SLOT - high
        return whole.moved(0, -high)

    def _over(self, start: int, stop: int, count: int) -> float:
        """y of a line from the right arm of one encoder-decoder to the left one of another, or to the row's end."""
        row = range(start, min(stop + 1, (start // count + 1) * count))
        tops = [-self.units[k].bands[0].across.axis for k in row]
        tops += [self.units[k].bands[0].heads[1] for k in row if k < stop]
        tops += [self.units[k].bands[0].heads[0] for k in row if k > start]
        return self.units[start].y + min(tops) - OVER

    def _skip(self, whole: Piece, number: int, skip: Skip, rows: Sequence[_Row], count: int) -> list[Wire]:
        """A skip: up beside the axis where it begins, over to the one where it ends, and down."""
        (start, _), (stop, left) = self.home[skip.source], self.home[skip.target]
        rank = SLOT * (1 + self.ranks[number])
        here, box = rows[start // count], _box(whole, self.cells[skip.target])
        out, into = self._lane(start, True, ("out", number)), self._lane(stop, left, ("in", number))
        points = [(out, self._over(start, stop, count) - rank)]
        if start // count != stop // count:
            points += [(here.end + rank, points[-1][1]), (here.end + rank, here.below + rank)]
        points.append((into, points[-1][1]))
        y = box.y + box.height / 2
        points += [(into, y), (box.x + box.width if left else box.x, y)]
        leaves = frozenset(skip.leaves)
        if self._is_last(skip.source):
            points.insert(0, (out, self.units[start].y))
            tails = [tail for tail in self.units[start].tails if tail.leaves & leaves]
            return [Wire([*tail.points, *points], tail.leaves & leaves, "identity") for tail in tails]
        source = _box(whole, self.cells[skip.source])
        y = source.y + source.height / 2
        return [Wire([(source.x + source.width, y), (out, y), *points], leaves, "identity")]

    def _is_last(self, cell: int) -> bool:
        """Whether a cell of a left stack is the last of it, from which the skip of the level leaves too."""
        stack = self.units[self.home[cell][0]].levels[0].down
        return stack is not None and stack.cells[-1] == cell

    def _lane(self, unit: int, left: bool, end: tuple[str, int]) -> float:
        """x of a lane beside a first axis."""
        one = self.units[unit]
        far = max(one.bands[0].inside) + LANE + self.ends[unit, left].index(end) * SLOT
        return one.x + far if left else one.right - far


def _box(whole: Piece, cell: Cell) -> Drawn:
    return next(one for one in whole.drawn if one.cell is cell)
