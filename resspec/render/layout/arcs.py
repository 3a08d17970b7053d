"""The layout `arcs`: dense blocks as their paper draws them, an arc from every layer to all that read it.

What lies between two dense blocks stands in a stack. Below the layers of a dense block runs the line
that collects their channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from resspec.graph import Graph
from resspec.render.layout.arcs_block import block, reads
from resspec.render.layout.arcs_dense import Dense, items
from resspec.render.layout.boxes import NOTE, SHAPE
from resspec.render.layout.compose import GAP, Composer
from resspec.render.layout.pieces import CLOSED, Piece, Wire
from resspec.render.metrics import fit, width
from resspec.render.scene import Point, Text
from resspec.render.view.view import EXIT, Cell, Leaf

GUTTER = 26.0
"""px between a stack and a dense block, in which the line from one to the other turns"""
BETWEEN = 34.0
"""px between rows"""
BEST = 1.5
"""width over height of a page that is aimed at"""
ARCS = "an arc: a layer reads what an earlier one gave, a colour for each source"
BUS = "the line below the layers: their channels add up"
AROUND = (40.0, 104.0)
"""px that a page adds to the width and the height of a piece"""


@dataclass(frozen=True, slots=True)
class _Part:
    """A stack or a dense block with the points where the line comes in and goes out."""

    piece: Piece
    enters: Point
    leaves: Point
    first: int
    last: int
    stacked: bool
    reads: frozenset[Leaf] = frozenset()
    """edges into the first layer of a dense block, which arcs stand for"""

    def moved(self, dx: float, dy: float) -> _Part:
        (ax, ay), (bx, by) = self.enters, self.leaves
        piece = self.piece.moved(dx, dy)
        return _Part(piece, (ax + dx, ay + dy), (bx + dx, by + dy), self.first, self.last, self.stacked, self.reads)


def arcs(composer: Composer, root: Cell) -> Piece | None:
    """The whole figure; None for a network without dense blocks, or where something runs beside them."""
    graph = composer.boxes.graph
    found = items(graph, root)
    if not any(isinstance(one, Dense) for one in found):
        return None
    ways = _ways(graph, found)
    if any(b != a + 1 for a, b in ways if b != EXIT) or any(b == EXIT and a + 1 < len(found) for a, b in ways):
        return None
    best: tuple[float, int] | None = None
    stacks = sum(not isinstance(one, Dense) for one in found)
    for count in range(1, stacks + 2):
        piece = _rows(_parts(composer, found, ways), ways, count)
        if piece is None:
            break
        shape = (piece.width + AROUND[0]) / (piece.height + AROUND[1])
        badness = max(shape / BEST, BEST / shape)
        if best is None or badness < best[0]:
            best = (badness, count)
    assert best is not None
    return _rows(_parts(composer, found, ways), ways, best[1])


def _ways(graph: Graph, found: Sequence[Dense | Cell]) -> dict[tuple[int, int], frozenset[Leaf]]:
    """The edges between items by their numbers, EXIT for outputs."""
    owner = {i: k for k, one in enumerate(found) for i in range(one.first, one.last + 1)}
    ways: dict[tuple[int, int], set[Leaf]] = {}
    for i, node in enumerate(graph.nodes):
        for operand, ref in enumerate(node.inputs):
            if owner[ref.node] != owner[i]:
                ways.setdefault((owner[ref.node], owner[i]), set()).add(Leaf(ref, i, operand))
    for k, ref in enumerate(graph.outputs.values()):
        ways.setdefault((owner[ref.node], EXIT), set()).add(Leaf(ref, -1, k))
    return {key: frozenset(leaves) for key, leaves in ways.items()}


def _parts(
    composer: Composer, found: Sequence[Dense | Cell], ways: dict[tuple[int, int], frozenset[Leaf]]
) -> list[_Part]:
    """Dense blocks, and stacks of what lies between them."""
    graph = composer.boxes.graph
    parts: list[_Part] = []
    k = 0
    while k < len(found):
        one = found[k]
        end = k + 1
        if isinstance(one, Dense):
            piece, enters, leaves = block(composer, one)
            parts.append(_Part(piece, enters, leaves, k, k, False, reads(graph, one.units[0])))
        else:
            cells = [one]
            while end < len(found) and isinstance(more := found[end], Cell):
                cells.append(more)
                end += 1
            parts.append(_stack(composer, cells, k, ways))
        k = end
    return parts


def _stack(
    composer: Composer, cells: Sequence[Cell], first: int, ways: dict[tuple[int, int], frozenset[Leaf]]
) -> _Part:
    """Cells one below the other."""
    pieces = [composer.boxes.piece(cell) for cell in cells]
    axis = max(piece.axis for piece in pieces)
    whole = Piece(axis + max(piece.width - piece.axis for piece in pieces), 0, axis)
    y, bottom = 0.0, 0.0
    for k, piece in enumerate(pieces):
        if k:
            leaves = ways[first + k - 1, first + k]
            whole.wires.append(Wire([(axis, bottom), (axis, y)], leaves, "flow", CLOSED, CLOSED))
        piece.moved(axis - piece.axis, y)
        whole.drawn += piece.drawn
        whole.texts += piece.texts
        bottom = y + piece.height - piece.drop
        y += piece.height + GAP
    whole.height = y - GAP
    last = first + len(cells) - 1
    if (last, EXIT) in ways:
        points = [(axis, bottom), (axis, bottom + 2 * GAP)]
        names = list(composer.boxes.graph.outputs)
        name = ", ".join(names[k] for k in sorted(leaf.operand for leaf in ways[last, EXIT]))
        whole.texts.append(Text(axis, bottom + 2 * GAP + 11, fit(name, NOTE, whole.width), NOTE, "note"))
        whole.height = bottom + 2 * GAP + 14
        whole.wires.append(Wire(points, ways[last, EXIT], "flow", CLOSED, EXIT))
    return _Part(whole, (axis, 0), (axis, bottom), first, last, True)


def _rows(parts: Sequence[_Part], ways: dict[tuple[int, int], frozenset[Leaf]], count: int) -> Piece | None:
    """The parts in rows that begin with a stack; None if there are too few."""
    starts = [k for k, part in enumerate(parts) if k and part.stacked]
    if count > len(starts) + 1:
        return None
    sizes = [part.piece.width + GUTTER for part in parts]
    breaks: list[int] = []
    for number in range(1, count):
        goal = sum(sizes) * number / count
        left = [k for k in starts if not breaks or k > breaks[-1]]
        left = left[: len(left) - (count - 1 - number)]
        breaks.append(min(left, key=lambda k: abs(sum(sizes[:k]) - goal)))
    whole = Piece(0, 0, 0)
    margin = 16.0 if count > 1 else 0.0
    placed: list[_Part] = []
    bottoms: list[float] = []
    y = 0.0
    for a, b in pairwise([0, *breaks, len(parts)]):
        # what leaves a stack runs level with the sums of the dense block behind it
        levels = [part.leaves[1] + (GAP if part.stacked else 0) for part in parts[a:b]]
        level = y + 10 + max(levels)
        bottom = level + max(part.piece.height - own for part, own in zip(parts[a:b], levels, strict=True))
        x = margin
        for part, own in zip(parts[a:b], levels, strict=True):
            placed.append(part.moved(x, level - own))
            x += part.piece.width + GUTTER
        bottoms += [bottom] * (b - a)
        whole.width = max(whole.width, x - GUTTER + margin)
        y = bottom + BETWEEN
    whole.height = y - BETWEEN
    for k, part in enumerate(placed):
        whole.drawn += part.piece.drawn
        whole.texts += part.piece.texts
        whole.wires += part.piece.wires
        if k == 0:
            continue
        before = placed[k - 1]
        leaves = ways[before.last, part.first] - part.reads
        turn = bottoms[k - 1] + BETWEEN / 2 if k in breaks else None
        whole.wires.append(Wire(_path(before, part, turn, whole.width), leaves, "flow", CLOSED, CLOSED))
    last = parts[-1]
    if not last.stacked and (last.last, EXIT) in ways:
        x, y = placed[-1].leaves
        whole.wires.append(Wire([(x, y), (x + GUTTER, y)], ways[last.last, EXIT], "flow", CLOSED, EXIT))
        whole.width = max(whole.width, x + GUTTER)
    whole.height += 22
    drawn = any(wire.role.startswith("arc") for wire in whole.wires)
    caption = f"{ARCS}; {BUS}" if drawn else BUS
    whole.texts.append(Text(0, whole.height - 2, caption, SHAPE, "note", "start"))
    whole.width = max(whole.width, width(caption, SHAPE))
    return whole


def _path(before: _Part, after: _Part, turn: float | None, wide: float) -> list[Point]:
    """From the bottom of a stack, or the right of a dense block, to the top of the one, or the left of the other."""
    (ax, ay), (bx, by) = before.leaves, after.enters
    points: list[Point] = [(ax, ay)]
    right = before.piece.drawn[0].x + before.piece.drawn[0].width
    if before.stacked:
        right = max(one.x + one.width for one in before.piece.drawn)
        points.append((ax, ay + GAP))
    level = points[-1][1]
    if turn is not None:  # to the next row, around its left side
        points += [(wide - 8, level), (wide - 8, turn), (8, turn)] if not before.stacked else [(ax, turn), (8, turn)]
        points += [(8, by - 10), (bx, by - 10)] if after.stacked else [(8, by)]
        return [*points, (bx, by)]
    if after.stacked:
        gutter = right + GUTTER / 2
        return [*points, (gutter, level), (gutter, by - 10), (bx, by - 10), (bx, by)]
    gutter = after.piece.drawn[0].x - GUTTER / 2  # in front of the frame
    return [*points, (gutter, level), (gutter, by), (bx, by)]
