"""A view as lines from top to bottom: what reads the line above stands below it, all else is drawn.

Open blocks have a heavy rule, skips run in lanes beside the lines that they skip, branches hang one
below the other, and what leads to an output of its own hangs below its source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resspec.graph import Graph
from resspec.render.paint.edges import members, projections
from resspec.render.paint.lanes import ABOVE, Lane, margins
from resspec.render.view.regions import Segment, Series, Tangle, series
from resspec.render.view.view import ENTRY, EXIT, Cell, Link


@dataclass(slots=True)
class Row:
    """A line of the drawing: a box, or the head of an open block; a gap where `cell` is None."""

    cell: Cell | None
    lead: str = ""
    """lanes, rules and branches before the name"""
    around: str = ""
    """path of the open block around it, which its name leaves out"""
    projection: bool = False


def outline(graph: Graph, cell: Cell) -> list[Row]:
    """The lines of what is inside an open cell."""
    return _Body(graph, cell, {}, projections(graph, cell)).rows_of(range(len(cell.cells)))


def _trunk(cells: Sequence[int], links: Sequence[Link]) -> tuple[list[int], dict[int, list[list[int]]]]:
    """What the last result comes from, and what else hangs below its cells: side outputs."""
    sources: dict[int, set[int]] = {k: set() for k in cells}
    for link in links:
        if link.target in sources and link.source in sources:
            sources[link.target].add(link.source)
    sinks = set(cells) - {source for one in sources.values() for source in one}
    reached = {sink: _ancestors(sink, sources) for sink in sorted(sinks)}
    trunk = max(reached.values(), key=lambda one: (len(one), max(one)), default=set())
    heads: dict[int, list[list[int]]] = {}
    group: dict[int, list[int]] = {}
    for k in (k for k in cells if k not in trunk):
        for source in sorted(sources[k] - trunk):
            group.setdefault(k, group[source])
        if k in group:
            group[k].append(k)
            continue
        group[k] = [k]
        heads.setdefault(max(sources[k], default=ENTRY), []).append(group[k])
    return sorted(trunk), heads


def _ancestors(cell: int, sources: Mapping[int, set[int]]) -> set[int]:
    found, waiting = {cell}, [cell]
    while waiting:
        new = sources[waiting.pop()] - found
        found |= new
        waiting += new
    return found


class _Body:
    """Lines with one margin: the inside of a block, or a branch."""

    def __init__(self, graph: Graph, cell: Cell, heads: Mapping[int, list[list[int]]], aside: set[int]) -> None:
        self.graph, self.cell, self.heads, self.aside = graph, cell, heads, aside
        self.rows: list[Row] = []
        self.lanes: list[Lane] = []
        self.branch = range(0)
        """the lines of the last branch"""

    def rows_of(self, cells: Sequence[int]) -> list[Row]:
        """The lines of some of the cells, and of nothing else."""
        trunk, self.heads = _trunk(cells, self.cell.links)
        number = {k: position for position, k in enumerate(trunk)}
        links = [
            Link(number.get(link.source, ENTRY), number[link.target], link.leaves)
            for link in self.cell.links
            if link.target in number
        ]
        for head in self.heads.get(ENTRY, ()):
            self.hang(head)
        return self.rows_in(_renumbered(series(len(trunk), links), trunk))

    def rows_in(self, region: Series | Tangle) -> list[Row]:
        _, branched = self.region(region, ABOVE)
        if branched:  # nothing below for the branches to meet in
            for k in self.branch:
                lead = self.rows[k].lead
                self.rows[k].lead = ("╰" if lead[0] == "├" else " ") + lead[1:]
        for row, margin in zip(self.rows, margins(len(self.rows), self.lanes), strict=True):
            row.lead = margin + row.lead
        return self.rows

    def region(self, region: Series | Tangle, source: int) -> tuple[list[Lane], bool]:
        """Adds a region that reads the line `source`; what is to end at the line behind it: lanes, and branches."""
        if isinstance(region, Tangle):
            return self.tangle(region, source), False
        for k, segment in enumerate(region.segments):
            lanes, branched = self.segment(segment, source)
            if k == len(region.cells):
                return lanes, branched
            first = self.add(region.cells[k], "╰→ " if branched else "")
            for lane in lanes:
                lane.ends.append(first)
            source = len(self.rows) - 1
            for head in self.heads.get(region.cells[k], ()):
                self.hang(head)
        return [], False

    def segment(self, segment: Segment, source: int) -> tuple[list[Lane], bool]:
        skips = len(segment.direct) - (not segment.branches)
        lanes = [self.lane(source, again=k > 0) for k in range(skips)]
        branched = False
        branches = sorted(segment.branches, key=lambda one: members(one)[0])
        main = max(branches, key=self.size, default=None)
        if len(branches) == 2 and main is not None and self.size(min(branches, key=self.size)) * 2 <= self.size(main):
            for one in branches:
                if one is main:
                    more, branched = self.region(one, source)
                    lanes += more
                else:
                    lanes.append(self.station(one, source))
        elif len(branches) > 1:
            for one in branches:
                inner = _Body(self.graph, self.cell, self.heads, self.aside)
                self.insert(inner.rows_in(one), "├─ ", "│  ")
            branched = True
        elif main is not None:
            more, branched = self.region(main, source)
            lanes += more
        return lanes, branched

    def size(self, region: Series | Tangle) -> int:
        return sum(len(part.nodes) for k in members(region) for part in self.cell.cells[k].run)

    def lane(self, source: int, again: bool = False) -> Lane:
        """A lane from a line; one that begins there already is read once more, unless it is read twice at once."""
        for lane in self.lanes:
            if lane.start == source and lane.station == ABOVE and not again:
                return lane
        self.lanes.append(Lane(source))
        return self.lanes[-1]

    def station(self, region: Series | Tangle, source: int) -> Lane:
        """A short branch beside a long one: it stands on its lane."""
        lane = Lane(source, dashed=bool(self.aside & set(members(region))), station=len(self.rows))
        self.lanes.append(lane)
        inner = _Body(self.graph, self.cell, self.heads, self.aside)
        rows = inner.rows_in(region)
        if len(members(region)) > 1:
            self.insert(rows, "┬ ", "│ ", "╰ ")
        else:
            self.insert(rows, "", "")
        return lane

    def hang(self, head: list[int]) -> None:
        """What leads to an output of its own."""
        inner = _Body(self.graph, self.cell, {}, self.aside)
        self.insert(inner.rows_of(sorted(head)), "╰─ ", "   ")

    def insert(self, rows: list[Row], first: str, later: str, last: str | None = None) -> None:
        for k, row in enumerate(rows):
            end = k == len(rows) - 1 and last is not None and k > 0
            row.lead = (str(last) if end else later if k else first) + row.lead
        self.branch = range(len(self.rows), len(self.rows) + len(rows))
        self.rows += rows

    def add(self, k: int, lead: str = "") -> int:
        """The lines of a cell; the number of the first."""
        cell, first = self.cell.cells[k], len(self.rows)
        around = self.cell.part.path
        if not cell.is_open:
            self.rows.append(Row(cell, lead, around, k in self.aside))
            return first
        self.rows.append(Row(cell, f"{lead}┏ ", around, k in self.aside))
        inner = outline(self.graph, cell)
        for position, row in enumerate(inner, start=1):
            row.lead = ("┗ " if position == len(inner) else "┃ ") + row.lead
        self.rows += inner
        return first

    def tangle(self, region: Tangle, source: int) -> list[Lane]:
        """Cells that do not come apart: every edge but those to the next line is a lane."""
        place = {ENTRY: source}
        read: dict[int, set[int]] = {k: set() for k in region.cells}
        for link in region.links:
            if link.target != EXIT and link.leaves:
                read[link.target].add(link.source)
        before = ENTRY
        for k in region.cells:
            if before not in read[k] and len(read[k]) > 1:
                self.rows.append(Row(None))  # else the line above would seem to be read too
            lanes = [self.lane(place[one]) for one in sorted(read[k]) if one != before]
            first = self.add(k)
            for lane in lanes:
                lane.ends.append(first)
            place[k], before = len(self.rows) - 1, k
            for head in self.heads.get(k, ()):
                self.hang(head)
        leaving = {link.source for link in region.links if link.target == EXIT}
        return [self.lane(place[one]) for one in sorted(leaving) if one != before]


def _renumbered(region: Series | Tangle, cells: Sequence[int]) -> Series | Tangle:
    """A region of the cells with these numbers."""
    own = [cells[k] for k in region.cells]
    if isinstance(region, Tangle):
        links = [
            Link(
                cells[link.source] if link.source >= 0 else link.source,
                cells[link.target] if link.target >= 0 else link.target,
                link.leaves,
            )
            for link in region.links
        ]
        return Tangle(own, links)
    segments = [
        Segment(segment.direct, [_renumbered(branch, cells) for branch in segment.branches])
        for segment in region.segments
    ]
    return Series(own, segments)
