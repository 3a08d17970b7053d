"""The outline of a file: its sections, their names, the steps of every body."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from resspec.diagnostics import Span
from resspec.language.schema import BESIDE
from resspec.yamltree import Entry, Mapping, Scalar, Sequence, Tree


class Shape(Enum):
    """What an entry of the outline is, for the editor's icon."""

    SECTION = "section"
    VALUE = "value"
    INPUT = "input"
    BLOCK = "block"
    LOOP = "loop"
    STEP = "step"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the outline; `name_span` is what to jump to, `span` all of it."""

    name: str
    detail: str
    shape: Shape
    span: Span
    name_span: Span
    children: tuple[Item, ...] = ()


_SECTIONS = {"params": Shape.VALUE, "let": Shape.VALUE, "inputs": Shape.INPUT, "use": Shape.BLOCK}


def outline(tree: Tree) -> tuple[Item, ...]:
    """The sections of a file that have names or steps."""
    found = []
    for entry in tree.entries if isinstance(tree, Mapping) else ():
        key = entry.key.text
        if key in _SECTIONS:
            children = tuple(_entry(one, _SECTIONS[key]) for one in _entries(entry.value))
        elif key == "blocks":
            children = tuple(_block(one) for one in _entries(entry.value))
        elif key == "graph":
            children = _steps(entry.value)
        else:
            continue
        found.append(Item(key, "", Shape.SECTION, _around(entry), entry.key.span, children))
    return tuple(found)


def _entries(tree: Tree) -> tuple[Entry, ...]:
    return tree.entries if isinstance(tree, Mapping) else ()


def _around(entry: Entry) -> Span:
    first, last = entry.key.span, entry.value.span
    end = max((first.end_line, first.end_column), (last.end_line, last.end_column))
    return Span(first.file, first.line, first.column, *end)


def _entry(entry: Entry, shape: Shape) -> Item:
    detail = entry.value.text if isinstance(entry.value, Scalar) else ""
    return Item(entry.key.text or " ", detail, shape, _around(entry), entry.key.span)


def _block(entry: Entry) -> Item:
    graph = entry.value
    params: tuple[str, ...] = ()
    if isinstance(graph, Mapping):
        body = graph.get("graph")
        params = tuple(one.key.text for part in [graph.get("params")] if part for one in _entries(part.value))
        graph = body.value if body else Sequence((), graph.span)
    return Item(entry.key.text or " ", ", ".join(params), Shape.BLOCK, _around(entry), entry.key.span, _steps(graph))


def _steps(tree: Tree) -> tuple[Item, ...]:
    found: list[Item] = []
    for item in tree.items if isinstance(tree, Sequence) else ():
        if isinstance(item, Sequence):
            found += _steps(item)
        elif isinstance(item, Scalar):
            found.append(Item(item.text or " ", "", Shape.STEP, item.span, item.span))
        else:
            found.append(_step(item))
    return tuple(found)


def _step(tree: Mapping) -> Item:
    name, body = tree.get("as"), tree.get("do")
    call = next((entry for entry in tree.entries if entry.key.text not in BESIDE), body)
    kind = call.key.text if call else "step"
    argument = f" {call.value.text}" if call and isinstance(call.value, Scalar) and call.value.text else ""
    label = name.value.text if name and isinstance(name.value, Scalar) and name.value.text else kind
    at = name.value.span if name and label != kind else call.key.span if call else tree.span
    shape = Shape.LOOP if body else Shape.STEP
    return Item(label or " ", f"{kind}{argument}", shape, tree.span, at, _steps(body.value) if body else ())
