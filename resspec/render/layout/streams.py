"""The layout `streams`: resolutions side by side, each straight down in a stream of its own.

Resolutions of which one ends before the other begins share a stream. Between two rows lines lead from stream to
stream; what has to pass a box takes a lane beside its stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from resspec.render.layout.boxes import Boxes
from resspec.render.layout.compose import GAP, LANE, SLOT, Composer, lanes_of, place_of
from resspec.render.layout.pieces import CLOSED, Piece, Place, Wire, connected
from resspec.render.layout.scissors import cut
from resspec.render.layout.spine import MOST
from resspec.render.layout.ushape_view import folds, opened, pixels
from resspec.render.scene import Point
from resspec.render.view.outputs import with_outputs
from resspec.render.view.regions import Series, Tangle, series
from resspec.render.view.view import Cell, Link, Viewer

ARROW = 15.0
"""px above a row that no line crosses: there are the heads of those that come in"""
PORT = 11.0
"""px between two lines that come to one box"""
BESIDE = 30.0
"""px between two streams"""


def streams(composer: Composer, root: Cell) -> Piece | None:
    """The figure; None where no two resolutions run side by side, tangled."""
    graph = composer.boxes.graph
    viewer = Viewer(graph)
    viewer.inline = viewer.branching()
    whole = viewer.cell((viewer.root,), {*viewer.inline, *opened(graph, root)}, folding=folds(root))
    whole = with_outputs(whole, list(graph.outputs))
    if not _tangled(series(len(whole.cells), whole.links)):
        return None
    spots = _spots(composer.boxes, whole)
    if not any(spot.stream for spot in spots):
        return None
    piece = _Drawing(composer, whole, spots).piece()
    fits = piece.width <= composer.room and piece.width * MOST >= piece.height
    return piece if fits else cut(piece, composer.room)


def _tangled(order: Series | Tangle) -> bool:
    if isinstance(order, Tangle):
        return True
    return any(_tangled(branch) for segment in order.segments for branch in segment.branches)


class _Spot(NamedTuple):
    """Where a cell stands."""

    row: int
    stream: int


def _spots(boxes: Boxes, root: Cell) -> list[_Spot]:
    """Every cell below all that it reads, in the stream of its resolution, one in a row."""
    sources: list[list[int]] = [[] for _ in root.cells]
    for link in root.links:
        sources[link.target] += [link.source] if link.source >= 0 else []
    sizes = pixels(boxes, root.cells)
    rows: list[int] = []
    spans: dict[float, list[int]] = {}
    taken: set[tuple[int, float]] = set()
    for k, own in enumerate(sources):
        if sizes[k] is None:
            sizes[k] = next((sizes[source] for source in own), 0.0)
        size = sizes[k] or 0.0
        row = max((rows[source] + 1 for source in own), default=0)
        while (row, size) in taken:
            row += 1
        taken.add((row, size))
        rows.append(row)
        span = spans.setdefault(size, [row, row])
        span[:] = min(span[0], row), max(span[1], row)
    ends: list[int] = []
    stream: dict[float, int] = {}
    for size, (first, last) in sorted(spans.items(), key=lambda one: (one[1][0], -one[0])):
        free = next((k for k, end in enumerate(ends) if end < first), len(ends))
        ends[free : free + 1] = [last]
        stream[size] = free
    return [_Spot(row, stream[size or 0.0]) for row, size in zip(rows, sizes, strict=True)]


class _Way(NamedTuple):
    """How a link runs past rows: down below its `source`, above its `target`, or in a `lane`; `straight` where both are
    one and nothing stands between."""

    link: Link
    at: str


class _Turn(NamedTuple):
    """A stretch across above a row: of which way, and whether `out` of its source or `in` to its target."""

    way: int
    end: str
    start: float
    stop: float


class _Drawing:
    """Puts the cells where they belong, and the lines between."""

    def __init__(self, composer: Composer, root: Cell, spots: Sequence[_Spot]) -> None:
        self.composer = composer
        self.cells = root.cells
        self.spots = spots
        self.pieces = [composer.cell(cell) for cell in root.cells]
        self.filled: dict[int, list[int]] = {}
        """stream -> rows in which something stands in it"""
        for spot in spots:
            self.filled.setdefault(spot.stream, []).append(spot.row)
        self.ways = [_Way(link, self._falls(link)) for link in root.links if link.leaves]
        self.lanes: dict[int, int] = {}
        """number of a way -> its lane beside the stream of its source"""
        width: dict[int, int] = {}
        for stream in self.filled:
            own = [k for k, way in enumerate(self.ways) if way.at == "lane" and spots[way.link.source].stream == stream]
            found = lanes_of([(spots[self.ways[k].link.source].row, spots[self.ways[k].link.target].row) for k in own])
            self.lanes |= dict(zip(own, found, strict=True))
            width[stream] = max(found, default=-1) + 1
        self.axis: dict[int, float] = {}
        self.side: dict[int, float] = {}
        """stream -> x of its first lane"""
        x = 0.0
        for stream in range(len(self.filled)):
            own_pieces = [piece for piece, spot in zip(self.pieces, spots, strict=True) if spot.stream == stream]
            self.axis[stream] = x + max(piece.axis for piece in own_pieces)
            self.side[stream] = self.axis[stream] + max(piece.width - piece.axis for piece in own_pieces) + LANE
            x = self.side[stream] - LANE + BESIDE + (LANE + SLOT * (width[stream] - 1) if width[stream] else 0)
        self.wide = x - BESIDE

    def _falls(self, link: Link) -> str:
        source, target = self.spots[link.source], self.spots[link.target]
        if not self._between(source.stream, source.row, target.row):
            return "straight" if source.stream == target.stream else "source"
        return "target" if not self._between(target.stream, source.row, target.row) else "lane"

    def _between(self, stream: int, first: int, last: int) -> bool:
        """Whether something stands in a stream between two rows."""
        return any(first < row < last for row in self.filled[stream])

    def piece(self) -> Piece:
        entries = self._entries()
        begins = [self._begin(k, entries[k]) for k in range(len(self.ways))]
        above: dict[int, list[_Turn]] = {}
        for k, way in enumerate(self.ways):
            source, target = self.spots[way.link.source], self.spots[way.link.target]
            if way.at in ("target", "lane"):
                above.setdefault(source.row + 1, []).append(_Turn(k, "out", self.axis[source.stream], begins[k]))
            if way.at in ("source", "lane"):
                above.setdefault(target.row, []).append(_Turn(k, "in", begins[k], entries[k]))
        cells: dict[int, list[int]] = {}
        for k, spot in enumerate(self.spots):
            cells.setdefault(spot.row, []).append(k)
        whole = Piece(self.wide, 0, self.axis[0])
        places: dict[int, Place] = {}
        levels: dict[tuple[int, str], float] = {}
        inner: list[Wire] = []
        y = 0.0
        for row in range(max(cells) + 1):
            tracks = _tracks(above.get(row, ()))
            levels |= {key: y + SLOT * (1 + track) for key, track in tracks.items()}
            y += max(GAP, SLOT * (1 + max(tracks.values(), default=-1)) + ARROW) if row else 0.0
            own = cells.get(row, ())
            for k in own:
                piece = self.pieces[k].moved(self.axis[self.spots[k].stream] - self.pieces[k].axis, y)
                places[k] = place_of(whole, piece, self.cells[k], y)
                inner += [wire for wire in piece.wires if wire.source == CLOSED and wire.target == CLOSED]
            y += max((self.pieces[k].height for k in own), default=0.0)
        whole.height = y
        wires = [self._wire(k, places, levels, begins[k], entries[k]) for k in range(len(self.ways))]
        wires.sort(key=lambda wire: wire.source)
        whole.wires = [*inner, *connected(wires, dict(sorted(places.items())))]
        return whole

    def _wire(
        self, k: int, places: dict[int, Place], levels: dict[tuple[int, str], float], begin: float, entry: float
    ) -> Wire:
        """A way as a line, from where it leaves its source to the top of its target."""
        link, at = self.ways[k]
        target = places[link.target]
        points: list[Point] = []
        if at in ("target", "lane"):
            out = levels[k, "out"]
            points += [(places[link.source].bottom[0], out), (begin, out)]
        if at in ("source", "lane"):
            points += [(begin, levels[k, "in"]), (entry, levels[k, "in"])]
        points.append((entry, target.top[1]))
        end = link.target if target.heads is not None else CLOSED
        return Wire(points, frozenset(link.leaves), "identity" if at == "lane" else "flow", link.source, end)

    def _begin(self, k: int, entry: float) -> float:
        """x of the stretch of a way that leads past rows."""
        return entry if self.ways[k].at == "target" else self._from(k)

    def _entries(self) -> list[float]:
        """x at which every way comes to its target: what does not come straight keeps off the middle."""
        coming: dict[int, list[int]] = {}
        busy: set[tuple[int, int]] = set()  # where lines lead down from the middle of a box to the row below
        for k, way in enumerate(self.ways):
            coming.setdefault(way.link.target, []).append(k)
            source, target = self.spots[way.link.source], self.spots[way.link.target]
            busy.add((source.stream, target.row if way.at in ("source", "straight") else source.row + 1))
        found = [0.0] * len(self.ways)
        for cell, own in coming.items():
            spot, box = self.spots[cell], self.pieces[cell].drawn[0]
            alone = len(own) == 1 and (spot.stream, spot.row) not in busy
            apart = min(PORT, (box.width / 2 - 2) / len(own))
            for side in (-1, 1):
                beside = [k for k in own if self.ways[k].at != "straight" and self._side(k) == side]
                beside.sort(key=lambda k: -side * self._from(k))
                for rank, k in enumerate(beside, 1):
                    found[k] = 0.0 if alone or self.cells[cell].is_open else side * apart * rank
            for k in own:
                found[k] += self.axis[spot.stream]
        return found

    def _from(self, k: int) -> float:
        """x from which a way comes to its target."""
        stream = self.spots[self.ways[k].link.source].stream
        return self.side[stream] + SLOT * self.lanes[k] if self.ways[k].at == "lane" else self.axis[stream]

    def _side(self, k: int) -> int:
        return 1 if self._from(k) > self.axis[self.spots[self.ways[k].link.target].stream] else -1


def _tracks(turns: Sequence[_Turn]) -> dict[tuple[int, str], int]:
    """The track of every turn between two rows, counted from above. Turns that begin at one place are one line."""
    groups: dict[tuple[bool, float], list[_Turn]] = {}
    for turn in turns:
        right = turn.stop > turn.start
        groups.setdefault((right, -turn.start if right else turn.start), []).append(turn)
    taken: list[list[tuple[float, float]]] = []
    found: dict[tuple[int, str], int] = {}
    # what starts on the way of others turns before they do
    for _, own in sorted(groups.items(), key=lambda one: one[0]):
        ends = [x for turn in own for x in (turn.start, turn.stop)]
        low, high = min(ends), max(ends)
        meets = [track for track, spans in enumerate(taken) if any(a <= high and low <= b for a, b in spans)]
        track = max(meets, default=-1) + 1
        if track == len(taken):
            taken.append([])
        taken[track].append((low, high))
        found |= {(turn.way, turn.end): track for turn in own}
    return found
