"""What stands in a spec, by the part that it plays: keys, ops, tensors, values, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from resspec import yamltree
from resspec.diagnostics import Span
from resspec.language.schema import BESIDE
from resspec.ops import by_kind
from resspec.ops.merge import Merge
from resspec.yamltree import Entry, Mapping, Scalar, Sequence, Tree

OPS = by_kind()
FREE = frozenset({"doc", "meta"})
"""keys whose values nothing reads"""


@dataclass
class Call:
    """One op or block call: its name, and its arguments with their keys."""

    step: Mapping
    name: Scalar
    value: Tree

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.value.entries if isinstance(self.value, Mapping) else ()

    @property
    def operands(self) -> tuple[Scalar, ...]:
        """The tensors that a merge names."""
        found = next((entry.value for entry in self.entries if entry.key.text == "of"), self.value)
        items = found.items if isinstance(found, Sequence) else (found,)
        return tuple(item for item in items if isinstance(item, Scalar) and item.text)


@dataclass
class Places:
    """What stands in a spec, by the part that it plays."""

    source: str
    keys: list[Scalar] = field(default_factory=list)
    """keys of the language and names of arguments"""
    ops: list[Scalar] = field(default_factory=list)
    taps: list[Scalar] = field(default_factory=list)
    """values that name tensors"""
    values: list[Scalar] = field(default_factory=list)
    """expressions, numbers and words"""
    named: list[Scalar] = field(default_factory=list)
    """values of `as`"""
    calls: list[tuple[Call, tuple[str, ...]]] = field(default_factory=list)
    """calls of ops and blocks, and the taps of the body that each stands in"""
    steps: list[Mapping] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    """params, lets and loop variables"""
    loops: list[Entry] = field(default_factory=list)
    """variables of `for` with their lists"""
    settings: list[Entry] = field(default_factory=list)
    """arguments of ops, in steps and in `defaults`"""

    def __post_init__(self) -> None:
        self.starts = [0, *(match.end() for match in re.finditer("\n", self.source))]
        tree = yamltree.parse(self.source, "")
        assert isinstance(tree, Mapping)
        self.checks = 0
        """the line on which `checks:` begins"""
        for entry in tree.entries:
            self.keys.append(entry.key)
            if entry.key.text == "checks":
                self.checks = entry.key.span.line
            if entry.key.text not in FREE:
                getattr(self, f"_{entry.key.text}", self._value)(entry.value)

    def text(self, span: Span) -> str:
        return self.source[self.index(span.line, span.column) : self.index(span.end_line, span.end_column)]

    def index(self, line: int, column: int) -> int:
        return self.starts[line - 1] + column - 1

    def place(self, start: int, end: int) -> Span:
        """The span of a stretch of the source."""
        line, last = (self.source.count("\n", 0, index) + 1 for index in (start, end))
        return Span("", line, start - self.starts[line - 1] + 1, last, end - self.starts[last - 1] + 1)

    def is_flow(self, tree: Tree) -> bool:
        return self.source[self.index(tree.span.line, tree.span.column)] in "{["

    # -- the parts of a file --------------------------------------------------------------------

    def _value(self, tree: Tree) -> None:
        if isinstance(tree, Scalar):
            if tree.text:
                self.values.append(tree)
        elif isinstance(tree, Sequence):
            for item in tree.items:
                self._value(item)
        else:
            matching = tree.get("match") is not None
            for entry in tree.entries:
                if not matching or entry.key.text in ("match", "else"):
                    self.keys.append(entry.key)
                if entry.key.text != "doc":
                    self._value(entry.value)

    def _each(self, tree: Tree) -> Iterator[Entry]:
        return iter(tree.entries if isinstance(tree, Mapping) else ())

    def _params(self, tree: Tree) -> None:
        for entry in self._each(tree):
            self.names.add(entry.key.text)
            self._value(entry.value)

    def _variants(self, tree: Tree) -> None:
        for entry in self._each(tree):
            self._value(entry.value)

    def _let(self, tree: Tree) -> None:
        self._params(tree)

    def _inputs(self, tree: Tree) -> None:
        self._variants(tree)

    def _defaults(self, tree: Tree) -> None:
        for entry in self._each(tree):
            self.ops.append(entry.key)
            self.settings += self._each(entry.value)
            self._value(entry.value)

    def _blocks(self, tree: Tree) -> None:
        for entry in self._each(tree):
            if isinstance(entry.value, Sequence):
                self._graph(entry.value)
            for part in self._each(entry.value):
                self.keys.append(part.key)
                if part.key.text not in FREE:
                    getattr(self, f"_{part.key.text}", self._value)(part.value)

    def _graph(self, tree: Tree) -> None:
        taps = tuple(sorted({"in", "prev", *_taps(tree)}))
        self._steps(tree, taps)

    def _steps(self, tree: Tree, taps: tuple[str, ...]) -> None:
        for step in tree.items if isinstance(tree, Sequence) else ():
            if isinstance(step, Scalar):
                self.ops.append(step)
            elif isinstance(step, Sequence):
                self._steps(step, taps)
            else:
                self._step(step, taps)

    def _step(self, step: Mapping, taps: tuple[str, ...]) -> None:
        self.steps.append(step)
        for entry in step.entries:
            key = entry.key.text
            if key not in BESIDE:
                self._call(Call(step, entry.key, entry.value), taps)
                continue
            self.keys.append(entry.key)
            if key == "do":
                self._graph(entry.value)
            elif key == "let":
                self._let(entry.value)
            elif key == "as" and isinstance(entry.value, Scalar):
                self.named.append(entry.value)
            elif key == "from":
                self._tensors(entry.value)
            else:
                self._value(entry.value)

    def _call(self, call: Call, taps: tuple[str, ...]) -> None:
        self.ops.append(call.name)
        name, value = call.name.text, call.value
        if name == "tap":
            self._tensors(value)
        elif name == "for":
            for entry in self._each(value):
                self.names |= set(re.findall(r"\w+", entry.key.text))
                self.loops.append(entry)
                self._value(entry.value)
        else:
            self.calls.append((call, taps))
            merging = name in OPS and issubclass(OPS[name], Merge)
            if merging and not isinstance(value, Mapping):
                self._tensors(value)
                return
            if not isinstance(value, Mapping):
                self._value(value)
            for entry in call.entries:
                self.keys.append(entry.key)
                self.settings.append(entry)
                (self._tensors if merging and entry.key.text == "of" else self._value)(entry.value)

    def _tensors(self, tree: Tree) -> None:
        if isinstance(tree, Scalar):
            self.taps.append(tree)
        for item in tree.items if isinstance(tree, Sequence) else ():
            self._tensors(item)
        for entry in self._each(tree):
            self._tensors(entry.value)


def _taps(tree: Tree) -> Iterator[str]:
    """Names that the steps of one body give by `as`, those built with `$` left out."""
    for step in tree.items if isinstance(tree, Sequence) else ():
        if isinstance(step, Sequence):
            yield from _taps(step)
        elif isinstance(step, Mapping):
            named = step.get("as")
            if named and isinstance(named.value, Scalar) and "$" not in named.value.text:
                yield named.value.text
