"""What the interactive page knows of a graph: its nodes and their cost, and every box that it may show, measured.

The page composes boxes but measures no text. So that it can, a block is a cell in one place only: folds
are those of the figure in which every block is open, and the blocks of a fold with several ways in or
out, whose inside stands in the figure without a frame, are opened together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from resspec.analysis.cost import costs, shape_at
from resspec.analysis.receptive_field import Field, fields
from resspec.diagnostics import Span
from resspec.graph import Group
from resspec.render import labels
from resspec.render.layout.boxes import NOTE, SHAPE, Boxes
from resspec.render.metrics import fit, shown, width
from resspec.render.scene import Text
from resspec.render.view.outputs import KIND
from resspec.render.view.tree import Part
from resspec.render.view.view import Cell, Viewer

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]

LEVELS = ("stages", "blocks", "layers")
"""what the page offers; `layers` is everything"""


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """A cell of the page with all that may be shown in it."""

    run: tuple[Part, ...]
    simple: bool
    """whether it gets a frame when it is open: one tensor goes in and one comes out"""
    branches: tuple[Branch, ...]

    def walk(self) -> Iterator[Branch]:
        """This one and all in it, outer ones first."""
        yield self
        for one in self.branches:
            yield from one.walk()


def branch(viewer: Viewer, run: tuple[Part, ...], folding: bool) -> Branch:
    """The cell of a run of parts. The inside of a fold is that of its first block, if it has a frame."""
    simple = run[0] is viewer.root or (run[0].is_block and viewer.simple(run[0]))
    runs = [
        cell.run
        for part in (run[:1] if simple else run)
        if part.is_block
        for cell in viewer.cell((part,), {part.path}, folding=folding).cells
    ]
    return Branch(run, simple, tuple(branch(viewer, one, folding) for one in runs))


def opened(root: Branch, view: Cell) -> set[Branch]:
    """The blocks that are open in a view: those of which something inside is shown."""
    drawn: set[str] = set()
    waiting = [view]
    while waiting:
        cell = waiting.pop()
        drawn.update(part.path for part in cell.run)
        waiting += cell.cells
    found: set[Branch] = set()

    def shows(one: Branch) -> bool:
        inside = [shows(inner) for inner in one.branches]
        if any(inside):
            found.add(one)
        return any(inside) or any(part.path in drawn for part in one.run)

    shows(root)
    return found


@dataclass(frozen=True, slots=True)
class Facts:
    """The data of a page, as JSON."""

    boxes: Boxes
    viewer: Viewer
    folding: bool = True

    def json(self, view: Cell, title: str, legend: Sequence[tuple[str, str]]) -> str:
        """One text that is safe inside of a page's markup: ASCII without `<`, `>` and `&`."""
        graph = self.boxes.graph
        root = branch(self.viewer, (self.viewer.root,), self.folding)
        all_of = list(root.walk())
        number = {one: k for k, one in enumerate(all_of)}
        parents = {inner: number[one] for one in all_of for inner in one.branches}

        def numbers(view: Cell) -> list[Json]:
            return sorted(number[one] for one in opened(root, view))  # type: ignore[return-value]

        data: dict[str, Json] = {
            "title": shown(title or graph.name),
            "legend": legend,
            "nodes": list(self.nodes()),
            "outputs": [[shown(name), *ref] for name, ref in graph.outputs.items()],
            "groups": [self.group(part) for part in _blocks(self.viewer.root)],
            "cells": [self.cell(one, parents.get(one, -1)) for one in all_of],
            "ends": [self.end(k, name) for k, name in enumerate(graph.outputs)],
            "levels": {name: numbers(self.viewer.view(name)) for name in LEVELS},
            "opened": numbers(view),
        }
        text = json.dumps(data, separators=(",", ":"))
        return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

    def nodes(self) -> Iterator[Json]:
        """Every node with what it costs."""
        graph, at = self.boxes.graph, self.boxes.at
        seen = fields(graph)
        for node, cost, field in zip(graph.nodes, costs(graph, at), seen, strict=True):
            arguments = node.op.canonical(*graph.operands(node))
            yield {
                "path": shown(node.path),
                "kind": node.op.kind,
                "inputs": [list(ref) for ref in node.inputs],
                "shapes": [shown(labels.shape(shape_at(spec, at))) for spec in node.outputs],
                "dtype": node.outputs[0].dtype,
                "params": cost.params.total,
                "frozen": cost.params.non_trainable,
                "macs": cost.macs,
                "flops": cost.flops,
                "bytes": cost.activation_bytes,
                "field": _field(field),
                "arguments": _pairs(arguments),
                "shares": shown(node.owner or ""),
                "place": _place(node.origin.span),
            }

    def group(self, part: Part) -> Json:
        """A block: its arguments, and where it is written."""
        # turns of a loop without a name are blocks of the figure only
        group = self.boxes.graph.groups.get(part.path) or Group(part.path, part.kind)
        return {
            "path": shown(part.path),
            "kind": shown(group.kind),
            "first": part.first,
            "last": part.last,
            "arguments": _pairs(group.arguments),
            "place": _place(group.origin.span),
        }

    def cell(self, one: Branch, parent: int) -> Json:
        """A cell and its box as it was measured."""
        graph = self.boxes.graph
        cell, part = Cell(one.run[0], one.run), one.run[0]
        named = one.run[-1].path if len(one.run) > 1 else ""
        return {
            "parent": parent,
            "path": shown(part.path),
            "until": shown(named),
            "kind": shown(part.kind),
            "signature": part.signature,
            "first": cell.first,
            "last": cell.last,
            "size": len(part.nodes),
            "times": cell.times,
            "block": part.is_block,
            "simple": one.simple,
            "families": [graph.nodes[i].op.family for i in part.nodes][:4],  # more are no projection
            "spoken": shown(labels.spoken(graph, cell)),
            "shape": shown(self.boxes.shape(labels.exit_spec(graph, cell))),
            **self.measured(cell),
        }

    def end(self, k: int, name: str) -> Json:
        """The box of an output."""
        number = -1 - k
        part = Part(f"output:{name}", KIND, number, number)
        cell = Cell(part, (part,))
        fixed: dict[str, Json] = {"id": number, "first": number, "last": number, "size": 1, "times": 1}
        words: dict[str, Json] = {"path": shown(part.path), "spoken": shown(labels.spoken(self.boxes.graph, cell))}
        return fixed | words | {"block": False, "simple": False, "families": [], **self.measured(cell)}

    def measured(self, cell: Cell) -> dict[str, Json]:
        """The box of a closed cell, and what the frame of an open one needs."""
        piece = self.boxes.piece(cell)
        drawn = piece.drawn[0]
        room = width(drawn.badge, NOTE, bold=True) + 10 if drawn.badge else 0
        box: dict[str, Json] = {
            "width": piece.width,
            "height": piece.height,
            "axis": piece.axis,
            "drop": piece.drop,
            "rise": piece.rise,
            "reach": piece.reach,
            "size": [drawn.width, drawn.height],
            "mark": drawn.mark,
            "role": drawn.role,
            "words": [_text(text) for text in drawn.texts],
            "texts": [_text(text) for text in piece.texts],
        }
        found: dict[str, Json] = {"box": box, "badge": drawn.badge, "pill": room}
        if cell.part.is_block:
            heads = [fit(labels.name(cell, whole=whole), NOTE, 200) for whole in (True, False)]
            found["headings"] = [[shown(head), width(head, NOTE, bold=True) + 8] for head in heads]
            found["room"] = room + 4 if drawn.badge else 0
            found["after"] = self.after(cell)
        return found

    def after(self, cell: Cell) -> Json:
        """The shape behind an open fold that changes it at every turn, and its width."""
        after, first = labels.exit_spec(self.boxes.graph, cell), Cell(cell.part, cell.run[:1])
        if self.boxes.shapes == "none" or after.shape == labels.exit_spec(self.boxes.graph, first).shape:
            return None
        shape = self.boxes.shape(after)
        return [shown(shape), width(shape, SHAPE)]


def _blocks(root: Part) -> Iterator[Part]:
    for part in root.parts:
        if part.is_block:
            yield part
            yield from _blocks(part)


def _text(text: Text) -> Json:
    return {
        "x": text.x, "y": text.y, "text": shown(text.text), "size": text.size,
        "role": text.role, "anchor": text.anchor, "bold": text.bold,
        "wide": width(text.text, text.size, text.bold),
    }  # fmt: skip


def _pairs(arguments: Mapping[str, object]) -> list[Json]:
    """Arguments in words."""
    return [[shown(name), shown(_words(value))] for name, value in arguments.items()]


def _words(value: object) -> str:
    """A value as a spec has it, a mapping without its braces."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_words(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_words, value))}]"
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _field(field: Field) -> str:
    return labels.MULTIPLY.join(map(str, field)) if isinstance(field, tuple) else field or ""


def _place(span: Span | None) -> str:
    return shown(f"{span.file}:{span.line}") if span else ""
