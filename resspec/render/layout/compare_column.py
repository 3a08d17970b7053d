"""One side of a comparison: boxes of one width in a column, ways around them on the outer side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from resspec.analysis.cost import shape_at
from resspec.render import labels
from resspec.render.layout.boxes import NOTE, SHAPE, TITLE
from resspec.render.layout.compare_rows import Entry, Side
from resspec.render.layout.page import lines
from resspec.render.layout.pieces import CLOSED, Wire
from resspec.render.layout.stops import widths
from resspec.render.metrics import fit, width
from resspec.render.scene import Box, Group, Item, Mark, Point, Text
from resspec.render.view.view import EXIT

GAP, SHAPED, PASSED = 10.0, 16.0, 22.0
"""px between boxes; where a shape is written; where ways around one or both part and meet"""
NEAR, LANE, SLOT = 11.0, 20.0, 8.0
"""px from a box to the way around it, to the first line that passes others, and from one such line to the next"""


class Column:
    """The boxes of one side; `outer` is -1 if its lanes lie to the left, 1 if to the right."""

    def __init__(self, side: Side, at: Mapping[str, int], marks: Mapping[int, str], outer: int, wide: float) -> None:
        self.side, self.at, self.marks, self.outer, self.wide = side, at, marks, outer, wide
        self.far = sorted((b - a, a, b) for a, b in side.ways if b != EXIT and b > a + 1)
        self.slots = _slots([(a, b) for _, a, b in self.far])
        self.lanes = LANE + SLOT * (max(self.slots, default=0) + 1)
        self.roles = {self.role(entry) for entry in side.entries}

    def role(self, entry: Entry) -> str:
        return "block" if entry.cell.part.is_block else self.side.graph.nodes[entry.cell.first].op.family

    def high(self, k: int) -> float:
        return 32.0 if self._note(self.side.entries[k]) else 21.0

    def before(self, k: int) -> float:
        """px that a box needs above it."""
        return PASSED if self.side.entries[k].skip else GAP

    def below(self, k: int) -> float:
        """px that a box needs below it."""
        return PASSED if self.side.entries[k].skip else SHAPED if self._shape(k, 0, 0) else GAP

    def _note(self, entry: Entry) -> str:
        """The widths of a block, and the norms and activations that go with it."""
        graph = self.side.graph
        inner = widths(graph, entry.cell) if entry.cell.part.is_block else ""
        return ", ".join([*([inner] if inner else []), *(labels.title(graph, cell) for cell in entry.thin)])

    def items(self, x: float, tops: Mapping[int, float], name: str) -> list[Item]:
        """Everything of this side, its boxes from `x` on; `tops` says where each one stands."""
        found: list[Item] = [self._box(k, x, y, name) for k, y in tops.items()]
        found += [text for k, y in tops.items() for text in self._shape(k, x, y)]
        wires = self._wires(x, tops)
        return [*found, *(replace(line, id=f"{name}:{line.id}") for line in lines(self.side.graph, wires))]

    def _box(self, k: int, x: float, y: float, name: str) -> Group:
        entry, graph, high = self.side.entries[k], self.side.graph, self.high(k)
        cell, path = entry.cell, entry.cell.part.path
        id = f"{name}:{path}"
        times = f"{labels.MULTIPLY}{entry.times}" if entry.times > 1 else ""
        badge = "  ".join(part for part in (times, self.marks.get(k, "")) if part)
        room = width(badge, NOTE, bold=True) + 10 if badge else 0.0
        title = fit(self._title(entry), TITLE, self.wide - 12 - (room + 4 if room else 0))
        aside = room / 2 if width(title, TITLE) > self.wide - 2 * room - 12 else 0.0
        mark: Mark = "round" if cell.part.is_block or self.role(entry) == "input" else "rect"
        items: list[Item] = [
            Box(f"box:{id}", round(x, 1), round(y, 1), self.wide, high, self.role(entry), mark),
            Text(round(x + self.wide / 2 - aside, 1), round(y + 14.5, 1), title, TITLE, "label"),
        ]
        if note := self._note(entry):
            text = fit(note, NOTE, self.wide - 12)
            items.append(Text(round(x + self.wide / 2, 1), round(y + 26, 1), text, NOTE, "note"))
        if badge:
            left = x + self.wide - room - 4
            items.append(Box(f"badge:{id}", round(left, 1), round(y + 4, 1), round(room, 1), 14, "badge", "badge"))
            middle = round(left + room / 2, 1)
            items.append(Text(middle, round(y + 14.3, 1), badge, NOTE, "badge", "middle", True))
        spoken = labels.spoken(graph, cell)
        marked = f", {self.marks[k]}" if k in self.marks else ""
        return Group(f"cell:{id}", f"{spoken}{marked}", tuple(items), path, cell.part.is_block)

    def _title(self, entry: Entry) -> str:
        """A block is known by what it stands in: `stage2: unit1 .. unit3`."""
        title = labels.title(self.side.graph, entry.cell)
        if not entry.cell.part.is_block:
            return title
        around = entry.cell.part.path.rpartition("/")[0].rpartition("/")[2]
        return f"{around}: {title}" if around else title

    def _shape(self, k: int, x: float, y: float) -> list[Text]:
        """The shape behind a box, where it is another than that behind the box before."""
        graph, entries = self.side.graph, self.side.entries
        spec = shape_at(labels.exit_spec(graph, entries[k].cell), self.at)
        if k and spec.shape == shape_at(labels.exit_spec(graph, entries[k - 1].cell), self.at).shape:
            return []
        # on the inner side: lines to and from the lanes come from the other
        anchor, place = ("start", x + self.wide / 2 + 5) if self.outer < 0 else ("end", x + self.wide / 2 - 5)
        below = round(y + self.high(k) + 11, 1)
        return [Text(round(place, 1), below, labels.shape(spec), SHAPE, "shape", anchor)]  # type: ignore[arg-type]

    def _wires(self, x: float, tops: Mapping[int, float]) -> list[Wire]:
        axis = x + self.wide / 2
        edge = x if self.outer < 0 else x + self.wide
        found: list[Wire] = []
        for k, entry in enumerate(self.side.entries):
            top, foot = tops[k], tops[k] + self.high(k)
            around = entry.skip.leaves if entry.skip else frozenset()
            if entry.skip:
                out = edge + self.outer * NEAR
                points: list[Point] = [(axis, top - 8), (out, top - 8), (out, foot + 6), (axis, foot + 6)]
                found.append(Wire(points, around, entry.skip.role, CLOSED, CLOSED))
            leaves = self.side.ways.get((k, k + 1))
            if leaves:
                after = self.side.entries[k + 1].skip
                rest = leaves - (after.leaves if after else frozenset())
                found.append(Wire([(axis, foot), (axis, tops[k + 1])], rest or leaves, "flow", CLOSED, CLOSED))
            if leaves := self.side.ways.get((k, EXIT)):
                last = k + 1 == len(self.side.entries)
                end: list[Point] = [(axis, foot), (axis, foot + SHAPED + 4)]
                inner = axis - self.outer * (self.wide / 2 + 12)
                aside: list[Point] = [(axis - self.outer * self.wide / 2, foot - 6), (inner, foot - 6)]
                found.append(Wire(end if last else aside, leaves, "flow", CLOSED, EXIT))
        for slot, (_, a, b) in zip(self.slots, self.far, strict=True):
            lane = edge + self.outer * (LANE + SLOT * slot)
            start, end_y = tops[a] + self.high(a) - 8, tops[b] + 8
            points = [(edge, start), (lane, start), (lane, end_y), (edge, end_y)]
            found.append(Wire(points, self.side.ways[a, b], "identity", CLOSED, CLOSED))
        return found


def _slots(spans: list[tuple[int, int]]) -> list[int]:
    """A lane for every span so that no two overlap in one, in the order given: short ones first."""
    taken: list[list[tuple[int, int]]] = []
    found = []
    for low, high in spans:
        free = (k for k, others in enumerate(taken) if all(high <= a or low >= b for a, b in others))
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((low, high))
        found.append(lane)
    return found
