"""A tall piece cut into columns, at any height where lines are all that crosses it.

Every line that crosses a cut is led below its column, up the gutter and into the next one from above. Each keeps
its place beside the others, so that lines led round never cross.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from math import inf

from resspec.render.layout.compose import SLOT
from resspec.render.layout.pieces import Piece, Wire
from resspec.render.metrics import width
from resspec.render.scene import Point, Text

GUTTER = 46.0
"""px between columns, in which the line from one to the next runs"""
BEST = 1.35
"""width over height of a page that is aimed at"""
COLUMNS = 40
AWAY = 8.0
"""px from the end of a column to the innermost line that turns below it"""
ABOVE = 6.0
"""px from the top of a column up to the lowest line that comes to it"""
LEAST = 4.0
"""px free of boxes and texts where a cut is possible"""
SHORT = 0.8
"""of the height that a column may have: where it may end, so that few lines cross"""

Span = tuple[float, float]


def cut(strip: Piece, room: float = inf) -> Piece:
    """The piece in as many columns as fill a page best."""
    places = _places(strip)
    lines = _crossing(strip, places)
    found: list[tuple[bool, float, int, list[int]]] = []
    for count in range(1, COLUMNS + 1):
        cuts = _cuts(strip.height, places, lines, count)
        if len(cuts) + 1 < count:
            break
        wide, tall = _page(strip, [places[k] for k in cuts], [lines[k] for k in cuts])
        shape = wide / tall
        found.append((wide > room, max(shape / BEST, BEST / shape), count, cuts))
    return _columns(strip, [places[k] for k in min(found)[-1]])


def _places(strip: Piece) -> list[float]:
    """Heights at which nothing but lines downwards is, from the top."""
    busy = [(one.y, one.y + one.height) for one in strip.drawn]
    busy += [_lines_of(text) for text in strip.texts]
    busy += [(ay, ay) for wire in strip.wires for (_, ay), (_, by) in pairwise(wire.points) if ay == by]
    found = []
    end = inf
    for low, high in sorted(busy):
        if low - end >= LEAST:
            found.append((low + end) / 2)
        end = high if end == inf else max(end, high)
    return found


def _lines_of(text: Text) -> Span:
    return text.y - 0.76 * text.size, text.y + 0.2 * text.size


def _crossing(strip: Piece, places: Sequence[float]) -> list[int]:
    """How many lines beside each other cross every place."""
    spans: dict[float, list[tuple[int, int]]] = {}
    for x, low, high in _falls(strip.wires):
        first, last = bisect_right(places, low), bisect_right(places, high)
        if first < last:
            spans.setdefault(x, []).append((first, last))
    steps = [0] * (len(places) + 1)
    for own in spans.values():
        end = -1
        for first, last in sorted(own):
            if last > end:
                steps[max(first, end)] += 1
                steps[last] -= 1
                end = last
    return list(accumulate(steps))[: len(places)]


def _falls(wires: Sequence[Wire]) -> Iterator[tuple[float, float, float]]:
    """The stretches downwards: x, and y of both ends."""
    for wire in wires:
        for (ax, ay), (_, by) in pairwise(wire.points):
            if ay < by:
                yield round(ax, 1), ay, by


def _cuts(tall: float, places: Sequence[float], lines: Sequence[int], count: int) -> list[int]:
    """Where the strip is cut into `count` columns of about one height, by number of the place."""
    low, high = tall / count, tall
    best = _filled(tall, places, lines, high)
    while high - low > 1:
        middle = (low + high) / 2
        cuts = _filled(tall, places, lines, middle)
        if len(cuts) < count:
            best, high = cuts, middle
        else:
            low = middle
    return best


def _filled(tall: float, places: Sequence[float], lines: Sequence[int], most: float) -> list[int]:
    """Cuts so that columns have at most that height: each where the fewest lines cross, as late as can be."""
    found: list[int] = []
    start, after = 0.0, 0
    while tall - start > most and after < len(places):
        last = max(bisect_right(places, start + most), after + 1)
        first = min(max(bisect_left(places, start + most * SHORT), after), last - 1)
        best = min(range(first, last), key=lambda k: (lines[k], -k))
        found.append(best)
        start, after = places[best], best + 1
    return found


def _page(strip: Piece, cuts: Sequence[float], lines: Sequence[int]) -> Span:
    """Width and height of the page, about."""
    left, right = _sides(strip, cuts)
    wide = sum(b - a for a, b in zip(left, right, strict=True)) + sum(GUTTER + SLOT * (count - 1) for count in lines)
    tall = max(b - a for a, b in pairwise([0.0, *cuts, strip.height]))
    return wide, max(1.0, tall + 2 * SLOT * max(lines, default=0))


def _sides(strip: Piece, cuts: Sequence[float]) -> tuple[list[float], list[float]]:
    """The left and right ends of every column."""
    left, right = [inf] * (len(cuts) + 1), [-inf] * (len(cuts) + 1)

    def reach(column: int, low: float, high: float) -> None:
        left[column], right[column] = min(left[column], low), max(right[column], high)

    for one in strip.drawn:
        reach(bisect_right(cuts, one.y), one.x, one.x + one.width)
    for text in strip.texts:
        reach(bisect_right(cuts, text.y), text.x, text.x + width(text.text, text.size, text.bold))
    for wire in strip.wires:
        for (ax, ay), (bx, by) in pairwise(wire.points):
            for column in range(bisect_right(cuts, min(ay, by)), bisect_right(cuts, max(ay, by)) + 1):
                reach(column, min(ax, bx), max(ax, bx))
    return left, right


def _columns(strip: Piece, cuts: Sequence[float]) -> Piece:
    """The columns beside each other, with the lines between them."""
    left, right = _sides(strip, cuts)
    crossing = [sorted({x for x, low, high in _falls(strip.wires) if low < y <= high}) for y in cuts]
    over = SLOT * (max(1, *map(len, crossing)) - 1) if crossing else 0.0
    starts = [0.0, *cuts]
    across: list[float] = []
    x = 0.0
    for column in range(len(starts)):
        across.append(x - left[column])
        x += right[column] - left[column]
        if column < len(cuts):
            x += GUTTER + SLOT * (len(crossing[column]) - 1)
    whole = Piece(x, 0, strip.axis + across[0], strip.drawn, strip.wires)

    def at(column: int, point: Point) -> Point:
        return point[0] + across[column], point[1] - starts[column] + over

    def led(column: int, x: float) -> list[Point]:
        """From the end of a column to the top of the next."""
        others = crossing[column]
        rank = others.index(round(x, 1))
        turn = SLOT * (len(others) - 1 - rank)
        gutter = across[column] + right[column] + GUTTER / 2 + turn
        below, above = at(column, (0, cuts[column]))[1] + AWAY + turn, over - ABOVE - SLOT * rank
        begin, end = at(column, (x, 0))[0], at(column + 1, (x, 0))[0]
        return [(begin, below), (gutter, below), (gutter, above), (end, above)]

    for wire in strip.wires:
        points: list[Point] = []
        for k, (x, y) in enumerate(wire.points):
            column = bisect_right(cuts, y)
            if k:
                for passed in range(bisect_right(cuts, wire.points[k - 1][1]), column):
                    points += led(passed, x)
            points.append(at(column, (x, y)))
        wire.points = points
    for one in strip.drawn:
        column = bisect_right(cuts, one.y)
        Piece(0, 0, 0, [one]).moved(across[column], over - starts[column])
    for text in strip.texts:
        column = bisect_right(cuts, text.y)
        whole.texts += Piece(0, 0, 0, texts=[text]).moved(across[column], over - starts[column]).texts
    ends = [*cuts, strip.height]
    whole.height = over + max(
        end - start + (AWAY + SLOT * len(crossing[k]) if k < len(cuts) else 0)
        for k, (start, end) in enumerate(zip(starts, ends, strict=True))
    )
    return whole
