"""The layout `spine`: the network from top to bottom, in as many columns as the page is best filled with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from resspec.render.layout.compose import Composer
from resspec.render.layout.pieces import Piece, Wire
from resspec.render.layout.scissors import BEST, COLUMNS, GUTTER, cut
from resspec.render.view.outputs import with_outputs
from resspec.render.view.regions import Segment, Series, Tangle, series
from resspec.render.view.unframed import unframed
from resspec.render.view.view import ENTRY, EXIT, Cell

MOST = 1.9
"""width over height of a page: the most and (its inverse) the least that is taken"""
FRAMES = 4
"""levels of frames that are left out at most"""


def spine(composer: Composer, root: Cell) -> Piece:
    """The whole figure. Columns are broken where a single line leads on.

    Where frames are so tall that no page of a good shape comes about, the outermost are left out; where that
    does not help either, columns are broken where several lines lead on.
    """
    names = list(composer.boxes.graph.outputs)
    for _ in range(FRAMES):
        whole = with_outputs(root, names)
        order = series(len(whole.cells), whole.links)
        if isinstance(order, Tangle):
            return cut(composer.tangle(whole.cells, order, 0), composer.room)
        sizes = [_size(composer, whole, order, k) for k in range(len(order.cells))]
        breaks = [k for k, segment in enumerate(order.segments[1:-1], 1) if _single(segment)]
        shape, parts = _best(sizes, breaks, composer.room)
        frames = [k for k, cell in enumerate(root.cells) if cell.is_open and cell.times == 1]
        if shape >= 1 / MOST or not frames:
            break
        root = unframed(root, frames)
    assert isinstance(order, Series)
    if shape < 1 / MOST:
        return cut(composer.series(whole.cells, order, 0), composer.room)
    return _columns(composer, whole, order, parts)


def _best(sizes: Sequence[_Size], breaks: Sequence[int], room: float) -> tuple[float, list[tuple[int, int]]]:
    """The shape of the best page, and the cells in each of its columns."""
    found: list[tuple[bool, float, float, list[tuple[int, int]]]] = []
    for count in range(1, COLUMNS + 1):
        parts = _parts([size.height for size in sizes], breaks, count)
        if parts is None:
            break
        width, height = _page(sizes, parts)
        shape = width / height
        found.append((width > room, max(shape / BEST, BEST / shape), shape, parts))
        if shape > MOST:
            break
    *_, shape, parts = min(found)
    return shape, parts


class _Size(NamedTuple):
    """Of one cell and what lies before it: px to the left and right of the axis, and in height."""

    left: float
    right: float
    height: float


def _size(composer: Composer, root: Cell, order: Series, k: int) -> _Size:
    before = composer.segment(root.cells, order.segments[k], ENTRY if k == 0 else order.cells[k - 1], order.cells[k], 0)
    piece = composer.measured(root.cells[order.cells[k]])
    right = max(before.width - before.axis, piece.width - piece.axis)
    return _Size(max(before.axis, piece.axis), right, before.height + piece.height)


def _page(sizes: Sequence[_Size], parts: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Width and height of the page with these columns."""
    columns = [sizes[start:end] for start, end in parts]
    width = sum(max(one.left for one in column) + max(one.right for one in column) for column in columns)
    height = max(sum(one.height for one in column) for column in columns)
    return width + GUTTER * (len(columns) - 1), max(1.0, height)


def _single(segment: Segment) -> bool:
    return not segment.branches and len(segment.direct) == 1 and bool(segment.direct[0].leaves)


def _parts(heights: Sequence[float], breaks: Sequence[int], count: int) -> list[tuple[int, int]] | None:
    """The cells in `count` columns whose tallest is as low as can be; None if there are too few places to break."""
    if count > len(breaks) + 1:
        return None
    bounds = [0, *breaks, len(heights)]
    sums = [sum(heights[a:b]) for a, b in pairwise(bounds)]
    low, high = max(sums), sum(sums)
    while high - low > 1:
        middle = (low + high) / 2
        low, high = (low, middle) if _columns_for(sums, middle) <= count else (middle, high)
    found: list[tuple[int, int]] = []
    start = 0
    filled = 0.0
    for k, size in enumerate(sums):
        if filled and filled + size > high:
            found.append((start, bounds[k]))
            start, filled = bounds[k], 0.0
        filled += size
    return [*found, (start, len(heights))]


def _columns_for(sums: Sequence[float], most: float) -> int:
    columns, filled = 1, 0.0
    for size in sums:
        if filled and filled + size > most:
            columns, filled = columns + 1, 0.0
        filled += size
    return columns


def _columns(composer: Composer, root: Cell, order: Series, parts: Sequence[tuple[int, int]]) -> Piece:
    """Columns beside each other; what leaves the bottom of one enters the top of the next."""
    pieces: list[Piece] = []
    for start, end in parts:
        first = order.segments[start] if start == 0 else Segment(order.segments[start].direct)
        last = order.segments[end]
        cells = order.cells[start:end]
        pieces.append(composer.series(root.cells, Series(cells, [first, *order.segments[start + 1 : end], last]), 0))
    tall = max(piece.height for piece in pieces)
    whole = Piece(0, tall + 2, pieces[0].axis)
    x = 0.0
    leaving: list[Wire] = []
    for k, piece in enumerate(pieces):
        piece.moved(x, 0)
        coming = [wire for wire in piece.wires if wire.source == ENTRY]
        for wire in coming:
            for before in leaving:
                if before.leaves & wire.leaves or len(leaving) == 1:
                    wire.points = [*_round(before, wire, x - GUTTER / 2, tall + 2), *wire.points]
                    wire.leaves = before.leaves & wire.leaves or wire.leaves
        leaving = [wire for wire in piece.wires if wire.target == EXIT]
        going_on = k + 1 < len(pieces)
        whole.wires += [wire for wire in piece.wires if not (going_on and wire.target == EXIT)]
        whole.drawn += piece.drawn
        whole.texts += piece.texts
        x += piece.width + GUTTER
    whole.width = x - GUTTER
    return whole


def _round(before: Wire, after: Wire, gutter: float, bottom: float) -> list[tuple[float, float]]:
    """From the end of one column below it and up the gutter to the top of the next."""
    x, _ = before.points[-1]
    axis, _ = after.points[0]
    return [*before.points, (x, bottom), (gutter, bottom), (gutter, -6), (axis, -6)]
