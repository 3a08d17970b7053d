"""A view as Graphviz DOT: open blocks are clusters, folds say how often, projections are dashed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from resspec.graph import Graph
from resspec.ops.merge import Concat
from resspec.render.labels import note, shape, spoken, title
from resspec.render.metrics import shown
from resspec.render.paint.edges import edges
from resspec.render.theme import LIGHT, Theme
from resspec.render.view.view import Cell

SIGNS = {"add": "+", "multiply": "\N{MULTIPLICATION SIGN}"}


def dot(graph: Graph, cell: Cell, theme: Theme = LIGHT) -> str:
    """The view in the language of Graphviz. Ids are paths; ports and positions are left to its layout."""
    page = {"bgcolor": theme.page, "fontname": theme.font, "fontsize": "11", "fontcolor": theme.text("heading"),
            "label": graph.name, "labelloc": "t", "ranksep": "0.3", "nodesep": "0.3"}  # fmt: skip
    boxes = {"shape": "box", "style": "filled", "fontname": theme.font, "fontsize": "10", "height": "0.3",
             "fontcolor": theme.text("label")}  # fmt: skip
    lines = {"fontname": theme.font, "fontsize": "9", "fontcolor": theme.text("shape"), "arrowsize": "0.6",
             "color": theme.line("flow").colour}  # fmt: skip
    found = [
        f"// digest {graph.digest}",
        f"digraph {_quoted(identifier(graph.name))} {{",
        f"  graph{_attributes(page)}",
        f"  node{_attributes(boxes)}",
        f"  edge{_attributes(lines)}",
        *_inside(graph, cell, theme, 1),
    ]
    for name, ref in graph.outputs.items():
        label = f"{name}\n{shape(graph.spec(ref))}"
        found.append(f"  {_quoted(identifier(_output(name)))}{_attributes(_look(theme, 'output') | {'label': label})}")
    outputs = list(graph.outputs)
    for edge in edges(graph, cell):
        target = _output(outputs[edge.leaf.operand]) if edge.target is None else edge.target.part.path
        source, leaf = edge.source.part.path, edge.leaf
        look = {"id": f"{source}:{leaf.ref.output} -> {target}:{leaf.operand if edge.target else 0}"}
        if edge.label:
            look["label"] = edge.label
        if edge.projection:
            look |= {"style": "dashed", "color": theme.line("projection").colour}
        found.append(f"  {_quoted(identifier(source))} -> {_quoted(identifier(target))}{_attributes(look)}")
    return "\n".join([*found, "}", ""])


def _inside(graph: Graph, cell: Cell, theme: Theme, depth: int) -> Iterator[str]:
    """The boxes of an open block, a line each."""
    blank = "  " * depth
    for one in cell.cells:
        path = one.part.path
        if not one.is_open:
            yield f"{blank}{_quoted(identifier(path))}{_attributes(_box(graph, one, theme))}"
            continue
        paint = theme.box("frame", depth - 1)
        look = {"label": _label(graph, one), "style": "rounded,filled", "fillcolor": paint.fill, "color": paint.stroke}
        yield f"{blank}subgraph {_quoted('cluster_' + identifier(path))} {{"
        yield f"{blank}  graph{_attributes(look | {'tooltip': spoken(graph, one)})}"
        yield from _inside(graph, one, theme, depth + 1)
        yield f"{blank}}}"


def _box(graph: Graph, cell: Cell, theme: Theme) -> dict[str, str]:
    op = graph.nodes[cell.first].op
    look = {"label": _label(graph, cell)} | _look(theme, "block" if cell.part.is_block else op.family)
    if cell.part.is_block:
        look |= {"style": "rounded,filled"} | ({"peripheries": "2"} if cell.times > 1 else {})
    elif op.kind in SIGNS:
        look |= {"label": SIGNS[op.kind], "shape": "circle", "width": "0.25", "fixedsize": "true"}
    elif isinstance(op, Concat):
        look |= {"shape": "box", "height": "0.1", "penwidth": "2"}
    elif op.family in ("input", "merge"):
        look |= {"shape": "oval"}
    return look | {"tooltip": spoken(graph, cell)}


def _look(theme: Theme, role: str) -> dict[str, str]:
    paint = theme.box(role)
    look = {"fillcolor": paint.fill, "color": paint.stroke}
    return look | {"shape": "oval"} if role == "output" else look


def _label(graph: Graph, cell: Cell) -> str:
    times = f"  \N{MULTIPLICATION SIGN}{cell.times}" if cell.times > 1 else ""
    first = title(graph, cell) + times
    second = note(graph, cell)
    return f"{first}\n{second}" if second else first


def _output(name: str) -> str:
    return f"output {name}"


def identifier(path: str) -> str:
    """A path as an id: another for every path, without what a program that reads it could stumble on."""
    return "".join(c if c.isprintable() and c not in '%&"\\' else f"%{ord(c):02X}" for c in path)


def _attributes(values: Mapping[str, str]) -> str:
    pairs = " ".join(f"{key}={_quoted(value)}" for key, value in values.items())
    return f" [{pairs}]" if pairs else ""


def _quoted(text: str) -> str:
    """A quoted text of one or more lines. What would begin an escape or an entity does not."""
    lines = [shown(line).replace("\\", "\\\\").replace("&", "&amp;").replace('"', '\\"') for line in text.split("\n")]
    return '"' + "\\n".join(lines) + '"'
