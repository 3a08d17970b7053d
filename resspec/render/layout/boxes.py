"""How big a cell's box is, and what is written in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from resspec.analysis.cost import shape_at
from resspec.graph import Graph
from resspec.ops.merge import Concat, Elementwise, Multiply
from resspec.render import labels
from resspec.render.layout.pieces import Drawn, Piece
from resspec.render.metrics import fit, width
from resspec.render.scene import Mark, Text
from resspec.render.view.outputs import is_output
from resspec.render.view.view import Cell
from resspec.tensor import TensorSpec

TITLE, NOTE, SHAPE = 11.0, 9.0, 9.0
"""sizes of letters, px"""
MOST_WIDE = 260.0
"""px of the widest text in a box; longer ones are shortened"""
LEAST_WIDE = 84.0
SIGN = 20.0
"""px of a circled sign"""


@dataclass(frozen=True, slots=True)
class Boxes:
    """Makes the boxes of one graph. `shapes` says which shapes are written: `change`, `all` or `none`."""

    graph: Graph
    at: Mapping[str, int]
    shapes: str = "change"

    def shape(self, spec: TensorSpec) -> str:
        return labels.shape(shape_at(spec, self.at))

    def role(self, cell: Cell) -> str:
        if is_output(cell):
            return "output"
        if cell.part.is_block:
            return labels.role(self.graph, cell)
        return self.graph.nodes[cell.first].op.family

    def mark(self, cell: Cell) -> Mark:
        if cell.part.is_block or is_output(cell):
            return "round"
        op = self.graph.nodes[cell.first].op
        if isinstance(op, Concat):
            return "bar"
        if isinstance(op, Multiply):
            return "times"
        if isinstance(op, Elementwise) and op.kind == "add":
            return "plus"
        return "round" if op.family == "input" else "rect"

    def behind(self, cell: Cell) -> str:
        """The shape that is written behind a cell, empty where it says nothing new."""
        if self.shapes == "none" or cell.is_open or is_output(cell):
            return ""
        after, before = labels.exit_spec(self.graph, cell), labels.entry_spec(self.graph, cell)
        if self.shapes == "change" and before is not None and after.shape == before.shape:
            return ""
        if cell.times > 1:
            first = labels.exit_spec(self.graph, Cell(cell.part, cell.run[:1]))
            if first.shape != after.shape:
                return f"{self.shape(first)} .. {self.shape(after)}"
        return self.shape(after)

    def piece(self, cell: Cell) -> Piece:
        """The box of a closed cell, its axis in the middle, the shape behind it below."""
        mark = self.mark(cell)
        title, note = labels.title(self.graph, cell), labels.note(self.graph, cell)
        badge = f"{labels.MULTIPLY}{cell.times}" if cell.times > 1 else ""
        texts: list[Text] = []
        if mark in ("plus", "times"):
            box, height, note = SIGN, SIGN, ""
        elif mark == "bar":
            title = fit(title, NOTE, MOST_WIDE)
            box, height = max(60.0, width(title, NOTE) + 16), 16.0
            texts = [Text(box / 2, 11.5, title, NOTE, "label")]
        else:
            title, note = fit(title, TITLE, MOST_WIDE), fit(note, NOTE, MOST_WIDE)
            room = width(badge, NOTE, bold=True) + 10 if badge else 0
            box = max(LEAST_WIDE, width(title, TITLE) + 18 + room, width(note, NOTE) + 16)
            height = 34.0 if note else 22.0
            texts = [Text(box / 2 - room / 2, 15.0, title, TITLE, "label")]
            if note:
                texts.append(Text(box / 2, 27.5, note, NOTE, "note"))
        drawn = Drawn(cell, 0, 0, box, height, mark, self.role(cell), texts, [], badge)
        shape = self.behind(cell)
        right, drop = box / 2, 0.0
        piece = Piece(box, height, box / 2, [drawn])
        if shape:
            drop = 13.0
            right = max(right, 6 + width(shape, SHAPE))
            piece.texts.append(Text(box / 2 + 5, height + 10.5, shape, SHAPE, "shape", "start"))
        piece.width, piece.height, piece.drop = box / 2 + right, height + drop, drop
        if mark in ("plus", "times", "bar"):
            piece.rise, piece.reach = height / 2, box / 2
        return piece
