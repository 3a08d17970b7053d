"""One row of a plan: slabs on an axis, words below them, ways around and passing edges above."""

from __future__ import annotations

from collections.abc import Sequence

from resspec.graph import Graph
from resspec.render.layout.boxes import NOTE
from resspec.render.layout.pieces import CLOSED, Drawn, Piece, Wire
from resspec.render.layout.plan_slabs import NEAR, SMALL, STRIP, Column, Group, height, thin
from resspec.render.layout.stops import Stop
from resspec.render.metrics import fit, width
from resspec.render.scene import Mark, Text
from resspec.render.view.view import EXIT, Cell, Leaf

PAD = 7.0
"""px of a frame's border"""
HEADING = 16.0
"""px of the line with a frame's name, at its foot: above run lines"""
RISE, SLOT = 10.0, 8.0
"""px from a slab to a line above it, and between two such lines"""
OUT = 26.0
"""px of the arrow behind the last slab, at least: the output's name stands above it"""


class Strip:
    """Columns beside each other, placed when made; the axis of the slabs is at y = `axis` of its piece."""

    def __init__(
        self, graph: Graph, columns: Sequence[Column], edges: dict[tuple[int, int], frozenset[Leaf]],
        tallest: float, largest: int,
    ) -> None:  # fmt: skip
        self.graph, self.columns, self.edges = graph, columns, edges
        self.tallest, self.largest = tallest, largest
        self.groups = [group for column in columns for group in column.groups]
        self.lefts: dict[int, float] = {}
        self.rooms = {group.number: column.width / len(column.groups) for column in columns for group in column.groups}
        self.axis = 0.0
        self._frames: list[tuple[Cell, float, float]] = []
        self.width = self._place()

    def left(self, group: Group) -> float:
        return self.lefts[group.number]

    def right(self, group: Group) -> float:
        return self.lefts[group.number] + group.width

    def high(self, group: Group) -> float:
        return height(group.size, self.tallest, self.largest)

    def piece(self) -> Piece:
        """Everything in this row; lines between rows are left to the caller."""
        wires, names, above = self._wires()
        drawn, texts, top, bottom = self._boxes()
        top = min(top, above)
        self.axis = -top
        return Piece(self.width, bottom - top, 0, drawn, wires, [*texts, *names]).moved(0, -top)

    # -- places ------------------------------------------------------------------------------------

    def _place(self) -> float:
        """From left to right; a frame is as wide as its heading at least."""
        x = 0.0
        open_ones: list[tuple[Cell, float]] = []
        for column in self.columns:
            x = self._close(open_ones, column.frames, x)
            for cell in column.frames[len(open_ones) :]:
                open_ones.append((cell, x))
                x += PAD
            left = x + (column.width - column.inner) / 2
            for group in column.groups:
                self.lefts[group.number] = left
                left += group.width + NEAR
            x += column.width
        x = self._close(open_ones, (), x)
        name = self._outputs(self.groups[-1])
        return x + (max(OUT, width(name, SMALL) + 4) if name else 0)

    def _close(self, open_ones: list[tuple[Cell, float]], wanted: Sequence[Cell], x: float) -> float:
        while open_ones and (len(open_ones) > len(wanted) or open_ones[-1][0] is not wanted[len(open_ones) - 1]):
            cell, left = open_ones.pop()
            x = max(x + PAD, left + width(self._heading(cell), NOTE, bold=True) + 2 * PAD)
            self._frames.append((cell, left, x))
            x += PAD / 2 if open_ones else PAD
        return x

    def _heading(self, cell: Cell) -> str:
        name = cell.part.path.rpartition("/")[2]
        return fit(name, NOTE, 160) + (f" \N{MULTIPLICATION SIGN}{cell.times}" if cell.times > 1 else "")

    # -- boxes -------------------------------------------------------------------------------------

    def _boxes(self) -> tuple[list[Drawn], list[Text], float, float]:
        """Slabs and frames, their words, and how far they reach up and down."""
        drawn: dict[int, list[Drawn]] = {}
        texts: list[Text] = []
        reach: dict[int, tuple[float, float]] = {}
        for column in self.columns:
            foot = max(self.high(group) for group in column.groups) / 2
            middle = (self.left(column.groups[0]) + self.right(column.groups[-1])) / 2
            words = [Text(middle, foot + w.y, w.text, w.size, w.role, w.anchor, w.bold) for w in column.words]
            texts += words
            for group in column.groups:
                drawn[group.number] = self._slabs(group)
                top = -self.high(group) / 2 - (RISE if group.main.skip else 0)
                reach[group.number] = (top, max((w.y + 3 for w in words), default=foot))
        top = min(one for one, _ in reach.values())
        bottom = max(one for _, one in reach.values())
        loose = dict(drawn)
        for cell, left, right in self._frames:  # inner ones first
            inside = [g.number for g in self.groups if left <= self.left(g) and self.right(g) <= right]
            up = min(reach[k][0] for k in inside) - PAD
            down = max(reach[k][1] for k in inside) + HEADING + 2
            name = self._heading(cell)
            heading = Text((left + right) / 2, down - 5.5, name, NOTE, "heading", "middle", True)
            boxes = [one for k in inside for one in loose.pop(k, [])]
            frame = Drawn(cell, left, up, right - left, down - up, "frame", "frame", [heading], boxes)
            loose[inside[0]] = [frame]
            for k in inside:
                reach[k] = (up, down)
            top, bottom = min(top, up), max(bottom, down)
        return [one for k in sorted(loose) for one in loose[k]], texts, top, bottom

    def _slabs(self, group: Group) -> list[Drawn]:
        x, high = self.left(group), self.high(group)
        found = []
        for stop in (*group.before, group.main, *group.behind):
            wide = group.slab if stop is group.main else STRIP
            cell = stop.cell
            mark: Mark = "round" if cell.part.is_block and stop is group.main else "rect"
            found.append(Drawn(cell, x, -high / 2, wide, high, mark, self._role(stop)))
            x += wide
        return found

    def _role(self, stop: Stop) -> str:
        """The family of a node, of a block of strips that of its last node, of any other block `block`."""
        cell = stop.cell
        if cell.part.is_block and not thin(self.graph, cell):
            return "block"
        return self.graph.nodes[cell.part.last].op.family

    # -- lines -------------------------------------------------------------------------------------

    def _outputs(self, group: Group) -> str:
        """The names of the outputs that a group yields."""
        names = list(self.graph.outputs)
        leaves = self.edges.get((group.number, EXIT), frozenset())
        return ", ".join(names[k] for k in sorted(leaf.operand for leaf in leaves if leaf.node < 0))

    def _wires(self) -> tuple[list[Wire], list[Text], float]:
        """Lines along the axis, ways around single slabs, lanes above for what passes others; names of outputs."""
        place = {group.number: k for k, group in enumerate(self.groups)}
        ceiling = [-self.high(group) / 2 for group in self.groups]
        found: list[Wire] = []
        names: list[Text] = []
        for k, group in enumerate(self.groups):
            skip = group.main.skip
            if skip is None:
                continue
            ceiling[k] -= RISE
            a, b, y = self.left(group) - 10.5, self.right(group) + 9, ceiling[k]
            found.append(Wire([(a, 0), (a, y), (b, y), (b, 0)], skip.leaves, skip.role, CLOSED, CLOSED))
        far = []
        for (source, target), leaves in self.edges.items():
            if source not in place:
                continue
            i = place[source]
            if target == EXIT:
                if i == len(self.groups) - 1:
                    x = self.right(self.groups[i])
                    found.append(Wire([(x, 0), (self.width, 0)], leaves, "flow", CLOSED, EXIT))
                    names.append(Text(self.width, -5, self._outputs(self.groups[i]), SMALL, "shape", "end"))
                else:
                    far.append((0, i, i, leaves))
            elif target in place:
                j = place[target]
                if j == i + 1:
                    ends = [(self.right(self.groups[i]), 0.0), (self.left(self.groups[j]), 0.0)]
                    found.append(Wire(ends, leaves, "flow", CLOSED, CLOSED))
                else:
                    far.append((j - i, i, j, leaves))
        for _, i, j, leaves in sorted(far, key=lambda one: one[:3]):
            found.append(self._lane(ceiling, i, j, leaves))
            if i == j:
                group = self.groups[i]
                name = fit(self._outputs(group), SMALL, self.rooms[group.number] - 4)
                names.append(Text(self.left(group) + group.width / 2, ceiling[i] - 3, name, SMALL, "shape"))
                ceiling[i] -= 12
        return found, names, min(ceiling) - 3

    def _lane(self, ceiling: list[float], i: int, j: int, leaves: frozenset[Leaf]) -> Wire:
        """A line above the slabs from number i to number j, or up and out where they are one."""
        y = min(ceiling[i : j + 1]) - SLOT - (RISE if i == j else 0)
        ceiling[i : j + 1] = [y] * (j - i + 1)
        start = self.groups[i]
        a = self.left(start) + start.width * 0.7
        if i == j:
            return Wire([(a, -self.high(start) / 2), (a, y)], leaves, "flow", CLOSED, EXIT)
        end = self.groups[j]
        b = self.left(end) + end.width * 0.3
        points = [(a, -self.high(start) / 2), (a, y), (b, y), (b, -self.high(end) / 2)]
        return Wire(points, leaves, "identity", CLOSED, CLOSED)
