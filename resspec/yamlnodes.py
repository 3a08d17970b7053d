"""The tree of a YAML text: mappings, sequences and scalars, each with its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Union

from resspec.diagnostics import Span
from resspec.yamlscalars import ScalarValue


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value without parts; `text` is what stands there after unquoting, `plain` that it bears no quotes."""

    value: ScalarValue
    span: Span
    text: str
    plain: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping and its value."""

    key: Scalar
    value: Tree


@dataclass(frozen=True)
class Mapping:
    """Keys and values in the order of the file; keys are unique by type and value."""

    entries: tuple[Entry, ...]
    span: Span

    def get(self, name: str) -> Entry | None:
        """The entry whose key is the text `name`."""
        entry = self.written.get(name)
        if entry is None or entry.key.value == name:
            return entry
        return next((entry for entry in self.entries if entry.key.value == name), None)

    @cached_property
    def written(self) -> dict[str, Entry]:
        """Text of a key -> its entry, the first one where a number and a text are written alike."""
        return {entry.key.text: entry for entry in reversed(self.entries)}


@dataclass(frozen=True, slots=True)
class Sequence:
    """Items in the order of the file."""

    items: tuple[Tree, ...]
    span: Span


Tree = Union[Scalar, Mapping, Sequence]


def to_data(tree: Tree) -> Any:
    """The tree as dicts, lists and scalars, places left behind."""
    if isinstance(tree, Scalar):
        return tree.value
    if isinstance(tree, Mapping):
        return {entry.key.value: to_data(entry.value) for entry in tree.entries}
    return [to_data(item) for item in tree.items]


def locate(tree: Tree, loc: Iterable[Any], *, key: bool = False) -> Span:
    """Where the value at `loc` stands, a path of keys and indices; parts that do not fit are passed over.

    With `key`, the key of the last mapping entry on the way instead, if `loc` ends at one.
    """
    span = tree.span
    for part in loc:
        if isinstance(tree, Mapping):
            entry = tree.written.get(str(part).lower() if isinstance(part, bool) else str(part))
            if entry is not None:
                tree = entry.value
                span = entry.key.span if key else tree.span
        elif isinstance(tree, Sequence) and type(part) is int and 0 <= part < len(tree.items):
            tree = tree.items[part]
            span = tree.span
    return span
