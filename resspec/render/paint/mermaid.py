"""A view as a Mermaid flowchart, which Git hosts and notebooks draw: open blocks are subgraphs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from resspec.graph import Graph
from resspec.ops.merge import Concat
from resspec.render.labels import note, shape, title
from resspec.render.metrics import shown
from resspec.render.paint.edges import edges
from resspec.render.theme import LIGHT, Theme
from resspec.render.view.view import Cell

MULTIPLY = "\N{MULTIPLICATION SIGN}"
SIGNS = {"add": "+", "multiply": MULTIPLY}

_FORMS = {"sign": ("((", "))"), "round": ("([", "])"), "concat": ("{{", "}}"), "fold": ("[[", "]]"), "box": ("[", "]")}
"""brackets around the label: circle, stadium, hexagon, doubled sides, rectangle"""

_PLAIN = re.compile(r"[^\w .,:()=/]")


def mermaid(graph: Graph, cell: Cell, theme: Theme = LIGHT) -> str:
    """The view as a flowchart from top to bottom."""
    names = _Names()
    found = ["---", f"title: {json.dumps(shown(graph.name), ensure_ascii=False)}", "---", "flowchart TD"]
    found.append(f"  %% digest {graph.digest}")
    roles: dict[str, None] = {}
    found += _inside(graph, cell, names, roles, 1)
    for name, ref in graph.outputs.items():
        found.append(f"  {names[f'output {name}']}{_box('round', name, shape(graph.spec(ref)))}:::output")
        roles["output"] = None
    outputs = list(graph.outputs)
    for edge in edges(graph, cell):
        target = f"output {outputs[edge.leaf.operand]}" if edge.target is None else edge.target.part.path
        arrow = "-.->" if edge.projection else "-->"
        label = f'|"{escaped(edge.label)}"|' if edge.label else ""
        found.append(f"  {names[edge.source.part.path]} {arrow}{label} {names[target]}")
    for role in roles:
        paint = theme.box(role)
        found.append(f"  classDef {role} fill:{paint.fill},stroke:{paint.stroke},color:{theme.text('label')}")
    return "\n".join([*found, ""])


class _Names(dict[str, str]):
    """Path -> id: letters, digits and `_`; never a word of the language; another one for every path."""

    def __missing__(self, path: str) -> str:
        name = wanted = "n_" + re.sub(r"[^A-Za-z0-9_]", "_", path)
        number = 2
        while name in self._taken:
            name, number = f"{wanted}_{number}", number + 1
        self._taken.add(name)
        self[path] = name
        return name

    def __init__(self) -> None:
        self._taken: set[str] = set()


def _inside(graph: Graph, cell: Cell, names: _Names, roles: dict[str, None], depth: int) -> Iterator[str]:
    """The boxes of an open block, a line each."""
    blank = "  " * depth
    for one in cell.cells:
        name, times = names[one.part.path], f" {MULTIPLY}{one.times}" if one.times > 1 else ""
        texts = (title(graph, one) + times, note(graph, one))
        if one.is_open:
            yield f'{blank}subgraph {name}["{_lines(*texts)}"]'
            yield from _inside(graph, one, names, roles, depth + 1)
            yield f"{blank}end"
            continue
        op = graph.nodes[one.first].op
        role = "block" if one.part.is_block else op.family
        roles[role] = None
        if one.part.is_block:
            box = _box("fold" if one.times > 1 else "box", *texts)
        elif op.kind in SIGNS:
            box = _box("sign", SIGNS[op.kind])
        elif isinstance(op, Concat):
            box = _box("concat", *texts)
        else:
            box = _box("round" if op.family in ("input", "merge") else "box", *texts)
        yield f"{blank}{name}{box}:::{role}"


def _box(form: str, *texts: str) -> str:
    before, behind = _FORMS[form]
    return f'{before}"{_lines(*texts)}"{behind}'


def _lines(*texts: str) -> str:
    return "<br>".join(escaped(text) for text in texts if text)


def escaped(text: str) -> str:
    """A text between quotes: whatever could end it, or begin a tag, a directive or Markdown, by its number."""
    return _PLAIN.sub(lambda match: f"#{ord(match[0])};" if match[0].isascii() else match[0], shown(text))
