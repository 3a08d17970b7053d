"""A view as a drawing for the terminal: the network from top to bottom, a line a step, its numbers beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from unicodedata import combining, east_asian_width

from resspec.analysis.cost import Cost, costs, shape_at, sum_costs
from resspec.graph import Graph
from resspec.ops.source import Input
from resspec.render.labels import activations, compact, entry_spec, exit_spec, op_title, shape
from resspec.render.metrics import ELLIPSIS, shown
from resspec.render.paint.outline import Row, outline
from resspec.render.view.view import Cell

SIGNS = {"add": "⊕", "multiply": "⊗", "concat": "‖"}
LOOPS = ("for", "repeat", "do")

STYLES = {
    "conv": "36", "dense": "32", "pool": "33", "norm": "2", "activation": "2", "attention": "35", "recurrent": "35",
    "block": "1", "lead": "34", "shape": "0", "number": "2", "title": "1", "heading": "2",
}  # fmt: skip
"""what SGR (ECMA-48) says for the parts of a line; what differs in colour differs in words too"""

GAP = "  "
_GIVING_WAY = ((1, 18), (4, 0), (3, 0), (1, 10), (2, 12), (1, 0), (0, 16), (2, 0))
"""which column, and how far it shrinks, on a terminal too narrow: ops, then MACs and parameters go, names last"""


@dataclass(frozen=True, slots=True)
class _Line:
    """The parts of a line: lanes and rules, then a text a column."""

    lead: str
    name: str
    what: str = ""
    shape: str = ""
    params: str = ""
    macs: str = ""
    style: str = ""


def drawing(
    graph: Graph, cell: Cell, width: int = 100, colour: bool = False, at: Mapping[str, int] | None = None
) -> str:
    """The view as text of `width` columns, more only where lanes and rules need them; `at` fixes unknown sizes.

    A step reads the one above it; whatever else it reads comes in a lane of the margin. Shapes stand
    where they change. The numbers of a block are those of all that it stands for.
    """
    writer = _Writer(graph, at or {})
    lines = [writer.line(row) for row in outline(graph, cell)]
    total = writer.numbers(range(len(graph.nodes)))
    head = _Line("", shown(graph.name), "", "output", "params", "MACs", "title")
    foot = _Line("", "total", "", "", *total, "heading")
    return _table([head, *lines, foot], width, colour)


class _Writer:
    """Says of a box what its line says."""

    def __init__(self, graph: Graph, at: Mapping[str, int]) -> None:
        self.graph, self.at = graph, at
        self.costs: Sequence[Cost] = costs(graph, at)
        self.outputs: dict[int, list[str]] = {}
        for name, ref in graph.outputs.items():
            self.outputs.setdefault(ref.node, []).append(name)

    def line(self, row: Row) -> _Line:
        cell = row.cell
        if cell is None:
            return _Line(row.lead, "")
        before, behind = entry_spec(self.graph, cell), exit_spec(self.graph, cell)
        changed = before is None or before.shape != behind.shape
        op = self.graph.nodes[cell.first].op
        return _Line(
            row.lead,
            shown(self._name(row, cell)),
            shown(self._what(row, cell)),
            shape(shape_at(behind, self.at)).replace(" ", "") if changed else "",
            *self.numbers([i for part in cell.run for i in part.nodes]),
            "block" if cell.part.is_block else op.family,
        )

    def numbers(self, nodes: Sequence[int]) -> tuple[str, str]:
        """Parameters and MACs of nodes; empty where there are none, or where they depend on unknown sizes."""
        found = sum_costs(self.costs[i] for i in nodes)
        return f"{found.params.total:,}" if found.params.total else "", compact(found.macs) if found.macs else ""

    def _name(self, row: Row, cell: Cell) -> str:
        path = cell.part.path
        name = path[len(row.around) + 1 :] if row.around else path
        if cell.times > 1:
            return f"{name} .. {cell.run[-1].path.rpartition('/')[2]}  ×{cell.times}"
        sign = "" if cell.part.is_block else SIGNS.get(self.graph.nodes[cell.first].op.kind, "")
        return f"{sign} {name}" if sign else name

    def _what(self, row: Row, cell: Cell) -> str:
        words = [self._kind(cell)]
        if row.projection:
            words.append("projection")
        if not cell.is_open:
            last = cell.part.path.rpartition("/")[2]
            names = [name for part in cell.run for i in part.nodes for name in self.outputs.get(i, ())]
            words += ["output" if name in (last, "output") else f"output {name}" for name in names]
        return ", ".join(word for word in words if word)

    def _kind(self, cell: Cell) -> str:
        """The op or block in words, without what the name says already."""
        kind, name = cell.part.kind, cell.part.path.rpartition("/")[2]
        said = name.startswith(kind) and not name[len(kind) :].strip("0123456789")
        if cell.part.is_block:
            return activations(self.graph, cell) or ("" if said or kind in LOOPS else kind)
        node = self.graph.nodes[cell.first]
        if isinstance(node.op, Input):
            return "input"
        words, spoken = op_title(self.graph, node), kind.replace("_", " ")
        return words[len(spoken) :].lstrip(" ,") if said and words.lower().startswith(spoken) else words


def _table(lines: Sequence[_Line], width: int, colour: bool) -> str:
    """The lines with their columns below each other, the least needed ones left out where there is no room."""
    names = [cells(line.lead + line.name) for line in lines]
    columns = [[line.what for line in lines], [line.shape for line in lines], [line.params for line in lines]]
    columns.append([line.macs for line in lines])
    for k in (3, 2):  # without weights, or with unknown sizes, a column says nothing
        if not any(columns[k][1:]):
            columns[k] = [""] * len(lines)
    widths = [max(names), *(max(map(cells, column)) for column in columns)]
    for k, least in _GIVING_WAY:
        over = sum(widths) + len(GAP) * sum(one > 0 for one in widths[1:]) - width
        if over > 0:
            widths[k] = min(widths[k], max(least, widths[k] - over)) if least else 0
    found = []
    for line, *texts in zip(lines, *columns, strict=True):
        lead, room = line.lead, widths[0] - cells(line.lead)
        parts = [(lead, "lead"), (_fitted(line.name, max(1, room)), line.style)]
        for k, text in enumerate(texts, start=1):
            style = ("", "" if line.style == "block" else line.style, "shape", "number", "number")[k]
            style = "heading" if line.style in ("title", "heading") else style
            if widths[k]:
                parts += [(GAP, ""), (_fitted(text, widths[k], right=k > 2), style)]
        found.append(_painted(parts, colour))
    return "\n".join([*found, ""])


def cells(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _fitted(text: str, width: int, right: bool = False) -> str:
    """A text made as wide as a column; what is too long loses its end."""
    if cells(text) > width:
        while text and cells(text) >= width:
            text = text[:-1]
        text += ELLIPSIS
    blank = " " * (width - cells(text))
    return blank + text if right else text + blank


def _painted(parts: Sequence[tuple[str, str]], colour: bool) -> str:
    """The parts after each other, blanks at the end left out."""
    end = max((k for k, (text, _) in enumerate(parts, start=1) if text.strip()), default=0)
    kept = [*parts[: end - 1], (parts[end - 1][0].rstrip(), parts[end - 1][1])] if end else []
    if not colour:
        return "".join(text for text, _ in kept)
    return "".join(
        f"\x1b[{STYLES[style]}m{text}\x1b[0m" if text.strip() and STYLES.get(style, "0") != "0" else text
        for text, style in kept
    )
