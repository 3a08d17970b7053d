"""The nest of an encoder-decoder: levels inside each other, each lower in resolution, a skip across each.

In a series, a cell (the source) and a later one (the merge) are joined by a skip and by a branch that
goes down in resolution and comes up again. That branch is a series too, with such a pair inside, and
so on down to the bottom.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from resspec.render.layout.ushape_view import HALF
from resspec.render.view.regions import Segment, Series, Tangle, series
from resspec.render.view.view import ENTRY, EXIT, Cell, Leaf, Link


@dataclass(frozen=True, slots=True)
class Level:
    """What stands on one level: a stack down to the source, what is on the skip, a stack up from the merge.

    On the lowest level the stacks end and begin anywhere, and between them is the rest of the series.
    """

    down: Series | None
    across: Series
    up: Series | None
    lowest: bool = False
    gates: Mapping[int, tuple[Leaf, ...]] = field(default_factory=dict)
    """cells on the skip that read what comes up from below, too, as the merge does"""


@dataclass(frozen=True, slots=True)
class Skip:
    """A skip that does not belong to one level: over a whole encoder-decoder, from cell to cell."""

    source: int
    target: int
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class Nest:
    """Encoder-decoders one after the other, each as its levels from the top, and skips over them."""

    units: list[list[Level]]
    skips: list[Skip] = field(default_factory=list)


def nest(root: Cell, pixels: Sequence[float | None], heights: Callable[[Series], float]) -> Nest | None:
    """The nest of a network, None if it has none. `heights` says how tall a series is drawn: where the
    cells between two encoder-decoders are halved."""
    gates = _gates(root)
    links = [link for link in root.links if link not in gates]
    order = series(len(root.cells), links)
    if isinstance(order, Tangle):
        return None
    finder = _Finder(root.cells, pixels, {link.target: link.leaves for link in gates})
    found = finder.flat(order, None)
    if found is None:
        return None
    cells, segments, skips = found
    dips = {k: dip for k in range(1, len(cells)) if (dip := finder.dip(segments[k], cells[k - 1])) is not None}
    whole = Series(cells, segments)
    units: list[list[Level]] = []
    below = {k: finder.levels(branch) for k, (branch, _) in dips.items()}
    places = [k for k, levels in below.items() if levels is not None and len(levels) > 1]
    if not places or any(root.cells[cells[k]].is_open for k in places):
        return None
    start = 0
    for number, k in enumerate(places):
        end = places[number + 1] if number + 1 < len(places) else len(cells)
        turn = end if number + 1 == len(places) else _halved(whole, k, end, heights)
        over = [leaf for skip in skips if skip.source == cells[k - 1] for leaf in skip.leaves]
        down = part(whole, start, k, over) if start < k else None
        up = _above(whole, k, turn)
        units.append([finder.level(down, dips[k][1], up), *(below[k] or ())])
        start = turn
    return Nest(units, skips)


def _gates(root: Cell) -> list[Link]:
    """Links to what weighs a skip by the tensor that it is merged with: to a closed cell of two sources, one of which
    its only reader reads, too."""
    into: dict[int, list[Link]] = {}
    out: dict[int, list[Link]] = {}
    for link in root.links:
        into.setdefault(link.target, []).append(link)
        out.setdefault(link.source, []).append(link)
    found = []
    for k, cell in enumerate(root.cells):
        readers = [link.target for link in out.get(k, ())]
        if cell.is_open or len(into.get(k, ())) != 2 or len(readers) != 1:
            continue
        beside = {link.source for link in into.get(readers[0], ())} - {k}
        own = [link for link in into[k] if link.source in beside]
        if len(own) == 1:
            found += own
    return found


class _Finder:
    """Finds levels among the cells of one body."""

    def __init__(
        self, cells: Sequence[Cell], pixels: Sequence[float | None], gates: Mapping[int, tuple[Leaf, ...]]
    ) -> None:
        self.cells = cells
        self.pixels = pixels
        self.gates = gates

    def level(self, down: Series | None, across: Series, up: Series) -> Level:
        return Level(down, across, up, gates={k: self.gates[k] for k in across.cells if k in self.gates})

    def flat(self, order: Series, before: int | None) -> tuple[list[int], list[Segment], list[Skip]] | None:
        """The cells in a row, where a skip leads over a whole encoder-decoder too; None if more than a skip does."""
        cells: list[int] = []
        segments: list[Segment] = []
        skips: list[Skip] = []
        for k, segment in enumerate(order.segments):
            source = order.cells[k - 1] if k else before
            if not any(self.holds(branch, source) for branch in segment.branches) or self.dip(segment, source):
                segments.append(segment)
            else:
                branch = segment.branches[0]
                inner = self.flat(branch, source) if isinstance(branch, Series) else None
                if inner is None or len(segment.branches) > 1 or source is None or k == len(order.cells):
                    return None
                cells += inner[0]
                segments += inner[1]
                skips += [Skip(source, order.cells[k], link.leaves) for link in segment.direct]
                skips += inner[2]
            cells += order.cells[k : k + 1]
        return cells, segments, skips

    def holds(self, region: Series | Tangle, before: int | None) -> bool:
        """Whether there is a level somewhere in a region."""
        if isinstance(region, Tangle):
            return False
        for k, segment in enumerate(region.segments):
            source = region.cells[k - 1] if k else before
            if self.dip(segment, source) or any(self.holds(branch, source) for branch in segment.branches):
                return True
        return False

    def dip(self, segment: Segment, source: int | None) -> tuple[Series, Series] | None:
        """The branch that goes down and comes up again, and the skip beside it."""
        direct = [link for link in segment.direct if link.leaves]
        if source is None or len(direct) + len(segment.branches) != 2 or not segment.branches:
            return None
        falling = [branch for branch in segment.branches if self._dips(branch, source)]
        others = [branch for branch in segment.branches if all(branch is not one for one in falling)]
        skip = others[0] if others else Series([], [Segment(direct)])
        if len(falling) != 1 or isinstance(skip, Tangle) or not any(s.direct or s.branches for s in skip.segments[-1:]):
            return None
        assert isinstance(falling[0], Series)
        return falling[0], skip

    def _dips(self, region: Series | Tangle, source: int) -> bool:
        if isinstance(region, Tangle) or not region.cells:
            return False
        # cells on the way itself: a skip over a whole encoder-decoder is no level of it
        inside = [self.pixels[k] for k in region.cells]
        ends = (self.pixels[source], self.pixels[region.cells[-1]])
        if any(value is None for value in (*inside, *ends)):
            return False
        low = min(value for value in inside if value is not None)
        return all(value is not None and low * HALF <= value for value in ends)

    def levels(self, branch: Series) -> list[Level] | None:
        """The levels of a branch that dips, from the top; None where it holds several side by side."""
        found: list[Level] = []
        while True:
            dips = [
                (k, dip)
                for k in range(1, len(branch.cells))
                if (dip := self.dip(branch.segments[k], branch.cells[k - 1])) is not None
            ]
            if len(dips) > 1:
                return None
            if not dips:
                return [*found, _lowest(branch)]
            k, (inner, skip) = dips[0]
            if self.cells[branch.cells[k]].is_open:
                return None
            found.append(self.level(part(branch, 0, k), skip, _above(branch, k, len(branch.cells))))
            branch = inner


def part(whole: Series, low: int, high: int, more: Sequence[Leaf] = ()) -> Series:
    """The cells from `low` up to, not including, `high`; what leaves the last of them as one line."""
    if high == len(whole.cells) and low < high:
        return Series(whole.cells[low:], whole.segments[low:])
    leaves = (*_leaving(whole.segments[high]), *more)
    segments = whole.segments[low:high]
    source = whole.cells[high - 1] if low < high else ENTRY
    return Series(whole.cells[low:high], [*segments, Segment([Link(source, EXIT, leaves)])])


def _above(whole: Series, low: int, high: int) -> Series:
    """The same, without what enters the first: a merge, at whose sides the lines end."""
    found = part(whole, low, high)
    return Series(found.cells, [Segment(), *found.segments[1:]])


def _lowest(branch: Series) -> Level:
    """A series that goes down, along the bottom, and up."""
    count = len(branch.cells)
    middle = count if count < 2 else count - 2 if count < 5 else 2 - count % 2
    side = (count - middle) // 2
    down = part(branch, 0, side) if side else None
    up = part(branch, count - side, count) if side else None
    return Level(down, part(branch, side, count - side), up, lowest=True)


def _leaving(region: Segment | Series | Tangle) -> list[Leaf]:
    """What comes from the cell before a region."""
    if isinstance(region, Tangle):
        return [leaf for link in region.links if link.source == ENTRY for leaf in link.leaves]
    if isinstance(region, Series):
        return _leaving(region.segments[0])
    own = [leaf for link in region.direct for leaf in link.leaves]
    return own + [leaf for branch in region.branches for leaf in _leaving(branch)]


def _halved(whole: Series, low: int, high: int, heights: Callable[[Series], float]) -> int:
    """Where the cells from a merge up to the next source are broken: at a single line, in two of equal height."""
    places = [k for k in range(low + 1, high) if not whole.segments[k].branches and len(whole.segments[k].direct) == 1]
    if not places:
        return high

    def uneven(k: int) -> float:
        return abs(heights(_above(whole, low, k)) - heights(part(whole, k, high)))

    return min(places, key=uneven)
