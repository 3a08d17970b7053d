"""The layout `plan`: the network from left to right as slabs, high like the map is large and wide like it is deep.

What a slab stands for is written below it; a unit's way around runs above it, and so does every edge
that passes other slabs. Normalizations and activations are thin strips at the slab that they follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from resspec.graph import Graph
from resspec.render.layout.boxes import NOTE, SHAPE
from resspec.render.layout.compose import Composer
from resspec.render.layout.pieces import CLOSED, Piece, Wire
from resspec.render.layout.plan_slabs import Column, columns
from resspec.render.layout.plan_strip import Strip
from resspec.render.layout.stops import Row, row
from resspec.render.metrics import width
from resspec.render.scene import Text
from resspec.render.view.view import EXIT, Cell, Leaf

WIDEST = 2.0
"""width over height of a page, at most"""
AROUND = (40.0, 104.0)
"""px that a page adds to the width and the height of a piece: margins, title, legend"""
ROWS = 10
UNEVEN = 1.6
"""the widest of several rows is at most that many times as wide as they are on average"""
TALLEST = (150.0, 200.0, 260.0, 340.0)
"""px of the tallest slab; a network that has no place for a second row may have higher ones"""
BETWEEN = 30.0
"""px between rows, in which the line from one to the next runs"""
TURN = 16.0
"""px beside the rows, where that line turns"""
CAPTION = (
    "a slab's height goes with the root of the map's size, its width with the root of the channels",
    "strips: normalization and activation",
)


def plan(composer: Composer, root: Cell) -> Piece | None:
    """The whole figure; None where sizes are unknown, or no page of a fair shape holds it."""
    graph, at = composer.boxes.graph, composer.boxes.at
    whole = row(graph, root)
    for framed in (True, False):
        found = columns(graph, at, whole, framed)
        if found is None:
            return None
        edges = _edges(whole, found)
        for tallest in TALLEST:
            for count in range(1, ROWS + 1):
                piece = _rows(graph, found, edges, tallest, count)
                if piece is not None and (piece.width + AROUND[0]) / (piece.height + AROUND[1]) <= WIDEST:
                    return piece
    return None


def _edges(whole: Row, found: Sequence[Column]) -> dict[tuple[int, int], frozenset[Leaf]]:
    """The ways between groups, by their numbers. What stays inside a group goes with the line that leaves it."""
    owner = {stop: group.number for column in found for group in column.groups for stop in group.stops}
    ways: dict[tuple[int, int], frozenset[Leaf]] = {}
    inner: dict[int, frozenset[Leaf]] = {}
    around = frozenset(leaf for stop in whole.stops if stop.skip for leaf in stop.skip.leaves)  # lines of their own
    for (source, target), all_leaves in whole.ways.items():
        leaves = all_leaves - around
        a, b = owner[source], owner.get(target, EXIT)
        if a == b:
            inner[a] = inner.get(a, frozenset()) | leaves
        else:
            ways[a, b] = ways.get((a, b), frozenset()) | leaves
    for a, leaves in inner.items():
        first = min((key for key in ways if key[0] == a), key=lambda key: (key[1] == EXIT, key[1]), default=None)
        if first is not None:
            ways[first] |= leaves
    return ways


def _rows(
    graph: Graph, found: Sequence[Column], edges: dict[tuple[int, int], frozenset[Leaf]], tallest: float, count: int
) -> Piece | None:
    """The columns in `count` rows, one below the other; None if there are too few places to break."""
    parts = _parts(found, edges, count)
    if parts is None:
        return None
    largest = max(group.size for column in found for group in column.groups)
    strips = [Strip(graph, part, edges, tallest, largest) for part in parts]
    pieces = [strip.piece() for strip in strips]
    margin = TURN if count > 1 else 0.0
    wide = max(piece.width for piece in pieces) + 2 * margin
    if count > 1 and wide * count > UNEVEN * sum(piece.width for piece in pieces):
        return None
    whole = Piece(wide, 0, 0)
    y = 0.0
    ends: list[tuple[float, float, float]] = []
    for strip, piece in zip(strips, pieces, strict=True):
        if ends:
            y += BETWEEN
        piece.moved(margin, y)
        whole.drawn += piece.drawn
        whole.wires += piece.wires
        whole.texts += piece.texts
        axis = y + strip.axis
        if ends:
            right, above, bottom = ends[-1]
            last, first = strips[len(ends) - 1].groups[-1], strip.groups[0]
            corner, turn = wide - TURN / 2, bottom + BETWEEN / 2
            points = [(right, above), (corner, above), (corner, turn), (TURN / 2, turn), (TURN / 2, axis)]
            target = (margin + strip.left(first), axis)
            leaves = edges[last.number, first.number]
            whole.wires.append(Wire([*points, target], leaves, "flow", CLOSED, CLOSED))
        y += piece.height
        ends.append((margin + strip.right(strip.groups[-1]), axis, y))
    y += 10
    for line in CAPTION:
        y += 12
        whole.texts.append(Text(0, y, line, SHAPE, "note", "start"))
        whole.width = max(whole.width, width(line, NOTE))
    whole.height = y + 2
    return whole


def _parts(
    found: Sequence[Column], edges: dict[tuple[int, int], frozenset[Leaf]], count: int
) -> list[Sequence[Column]] | None:
    """The columns in rows of about the same width, broken where one line leads on and no frame is open."""
    far = [key for key in edges if key[1] > key[0] + 1]
    breaks = []
    for k, (one, two) in enumerate(pairwise(found), 1):
        last, first = one.groups[-1].number, two.groups[0].number
        free = (last, first) in edges and not any(a <= last and b >= first for a, b in far)
        if free and not (one.frames and two.frames and one.frames[0] is two.frames[0]):
            breaks.append(k)
    if count > len(breaks) + 1:
        return None
    total = sum(column.width for column in found)
    ends: list[int] = []
    for number in range(1, count):
        goal = total * number / count
        left = [k for k in breaks if not ends or k > ends[-1]]
        left = left[: len(left) - (count - 1 - number)]
        if not left:
            return None
        ends.append(min(left, key=lambda k: abs(sum(column.width for column in found[:k]) - goal)))
    return [found[a:b] for a, b in pairwise([0, *ends, len(found)])]
