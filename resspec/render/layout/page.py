"""A piece on a page: title, legend, groups with names, edges with what they stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from resspec.graph import Graph
from resspec.render import labels
from resspec.render.layout.pieces import Drawn, Piece, Wire, straight
from resspec.render.metrics import fit, width
from resspec.render.scene import Box, Edge, Entry, Group, Item, Line, Point, Scene, Text
from resspec.render.view.view import Leaf

MARGIN = 20.0
LEGEND_TEXT = 9.0

SKIPS = {"identity": "skip: identity", "projection": "skip: through layers"}
"""roles of lines, in words"""

FAMILIES = {
    "conv": "convolution",
    "dense": "dense",
    "norm": "normalization",
    "activation": "activation",
    "pool": "pooling",
    "resample": "resampling",
    "attention": "attention",
    "recurrent": "recurrent",
    "reshape": "reshaping",
    "regularization": "regularization",
    "preprocess": "preprocessing",
    "other": "other",
    "block": "block",
}


def page(graph: Graph, piece: Piece, at: Mapping[str, int], *, title: str = "") -> Scene:
    """The scene of a figure whose piece is complete."""
    heading = _heading(graph, at, title or graph.name)
    top = MARGIN + 36
    wide = max(piece.width, *(width(text.text, text.size, text.bold) for text in heading))
    piece.moved(MARGIN + max(0.0, (wide - piece.width) / 2), top)
    items: list[Item] = [*heading, *(_group(graph, one, 0) for one in piece.drawn), *piece.texts]
    items += lines(graph, piece.wires)
    entries = _entries(piece)
    rows, tall = legend(entries, wide, top + piece.height + 24)
    items.append(Group("legend", "legend", tuple(rows)))
    return Scene(
        title or graph.name,
        _description(graph),
        round(wide + 2 * MARGIN, 1),
        round(top + piece.height + 24 + tall + MARGIN / 2, 1),
        tuple(items),
        tuple(entries),
        graph.digest,
    )


def _heading(graph: Graph, at: Mapping[str, int], title: str) -> list[Text]:
    facts = [f"{graph.weights_before[-1]:,} parameters"]
    if at:
        facts.append(", ".join(f"{name} = {size}" for name, size in at.items()))
    return [
        Text(MARGIN, MARGIN + 12, fit(title, 15, 600, bold=True), 15, "title", "start", True),
        Text(MARGIN, MARGIN + 26, ", ".join(facts), 9.5, "note", "start"),
    ]


def _description(graph: Graph) -> str:
    inputs = ", ".join(f"{name} {graph.nodes[i].outputs[0]}" for name, i in graph.inputs.items())
    outputs = ", ".join(f"{name} {graph.spec(ref)}" for name, ref in graph.outputs.items())
    return f"{graph.name}: {len(graph.nodes)} nodes from {inputs} to {outputs}"


def _group(graph: Graph, drawn: Drawn, depth: int) -> Group:
    cell = drawn.cell
    path = cell.part.path
    box = Box(
        f"box:{path}", round(drawn.x, 1), round(drawn.y, 1), round(drawn.width, 1), round(drawn.height, 1),
        drawn.role, drawn.mark, depth,
    )  # fmt: skip
    items: list[Item] = [box, *drawn.texts]
    if drawn.badge:
        room = width(drawn.badge, 9, bold=True) + 10
        x = drawn.x + drawn.width - room - 4
        y = drawn.y + (3 if drawn.mark == "frame" else 4)
        items.append(Box(f"badge:{path}", round(x, 1), round(y, 1), round(room, 1), 14, "badge", "badge"))
        items.append(Text(round(x + room / 2, 1), round(y + 10.3, 1), drawn.badge, 9, "badge", "middle", True))
    items += [_group(graph, one, depth + 1) for one in drawn.inner]
    return Group(f"cell:{path}", labels.spoken(graph, cell), tuple(items), path, cell.part.is_block and not drawn.inner)


def lines(graph: Graph, wires: Sequence[Wire]) -> list[Line]:
    """Wires as lines, in the order of what they stand for."""
    # where lines share their first stretch the plain one lies on top
    over = ("projection", "identity", "arc", "flow")
    ready = sorted(
        (over.index(w.role.rstrip("01234567")), sorted(map(_order, w.leaves)), k)
        for k, w in enumerate(wires)
        if w.leaves
    )
    trunks: dict[Point, list[tuple[Point, ...]]] = {}
    for wire in wires:
        if wire.role == "flow" and wire.leaves:
            trunks.setdefault(straight(wire.points)[0], []).append(straight(wire.points))
    found = []
    seen: dict[str, int] = {}
    for *_, k in ready:
        wire = wires[k]
        edges = tuple(_edge(graph, leaf) for leaf in sorted(wire.leaves, key=_order))
        name = f"edge:{edges[0].source}:{edges[0].target}:{edges[0].operand}"
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            name += f":{seen[name]}"
        points = straight(wire.points)
        if wire.role != "flow":
            points = min((_parted(points, trunk) for trunk in trunks.get(points[0], ())), key=len, default=points)
        found.append(Line(name, points, wire.role, True, edges, wire.role.startswith("arc")))
    return found


def _parted(line: tuple[Point, ...], trunk: tuple[Point, ...]) -> tuple[Point, ...]:
    """The line from where it leaves a trunk that begins at the same point."""
    k = 0
    while k + 1 < min(len(line), len(trunk)) and line[k + 1] == trunk[k + 1]:
        k += 1
    if k + 1 >= min(len(line), len(trunk)):
        return line
    if _on(line[k + 1], line[k], trunk[k + 1]) and k + 2 < len(line):
        return line[k + 1 :]
    if _on(trunk[k + 1], line[k], line[k + 1]):
        return (trunk[k + 1], *line[k + 1 :])
    return line[k:]


def _on(point: Point, start: Point, end: Point) -> bool:
    """Whether a point lies on a horizontal or vertical stretch."""
    (x, y), (ax, ay), (bx, by) = point, start, end
    return (ax == bx == x and min(ay, by) <= y <= max(ay, by)) or (ay == by == y and min(ax, bx) <= x <= max(ax, bx))


def _order(leaf: Leaf) -> tuple[int, int, int, int]:
    return leaf.ref.node, leaf.ref.output, leaf.node, leaf.operand


def _edge(graph: Graph, leaf: Leaf) -> Edge:
    target = graph.nodes[leaf.node].path if leaf.node >= 0 else f"output:{list(graph.outputs)[leaf.operand]}"
    return Edge(graph.path(leaf.ref), target, leaf.operand)


def _entries(piece: Piece) -> list[Entry]:
    """The roles that occur, in words."""
    roles: set[str] = set()
    marks: set[str] = set()
    waiting = list(piece.drawn)
    while waiting:
        one = waiting.pop()
        roles.add(one.role)
        marks.add(one.mark)
        waiting += one.inner
    found = [Entry(role, words) for role, words in FAMILIES.items() if role in roles]
    signs = (("plus", "add"), ("times", "multiply"), ("bar", "concatenate"))
    found += [Entry("merge", words, mark) for mark, words in signs if mark in marks]  # type: ignore[arg-type]
    kinds = {wire.role for wire in piece.wires if wire.leaves}
    found += [Entry(role, words, "line") for role, words in SKIPS.items() if role in kinds]
    return found


def legend(entries: Sequence[Entry], wide: float, y: float) -> tuple[list[Item], float]:
    """The legend in as many rows as it takes, and its height."""
    items: list[Item] = []
    x, row = MARGIN, y
    for k, entry in enumerate(entries):
        room = 22 + width(entry.text, LEGEND_TEXT) + 16
        if x > MARGIN and x + room > MARGIN + wide:
            x, row = MARGIN, row + 16
        if entry.mark == "line":
            items.append(Line(f"legend:{k}", ((x, row + 5), (x + 18, row + 5)), entry.role, False))
        else:
            box = (18.0, 10.0) if entry.mark in ("rect", "bar") else (10.0, 10.0)
            left = x + (18 - box[0]) / 2
            items.append(Box(f"legend:{k}", round(left, 1), round(row, 1), *box, entry.role, entry.mark))
        items.append(Text(round(x + 22, 1), round(row + 8.3, 1), entry.text, LEGEND_TEXT, "note", "start"))
        x += room
    return items, row - y + 14
