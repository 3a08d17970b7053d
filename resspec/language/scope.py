"""Names and what they stand for while a graph is expanded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from resspec.diagnostics import Diagnostic, Fix, Label, Span
from resspec.graph import Frame, Ref
from resspec.language.document import Document
from resspec.language.expressions import Value
from resspec.tensor import TensorSpec


class Problem(Exception):
    """A step failed; its finding is told once and its result is poisoned."""

    def __init__(
        self,
        code: str,
        message: str,
        span: Span | None,
        help: str | None = None,
        *,
        labels: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        fix: Fix | None = None,
        argument: str | None = None,
        operand: int | None = None,
    ) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(code, message, span, "error", labels, notes, help, fix)
        self.argument, self.operand = argument, operand
        """the argument or input that is to blame, for whoever knows where it stands"""


class Poisoned(Exception):
    """A value that failed before is used; that was told already."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a step yields: one tensor, or several with names. A poisoned result has none."""

    refs: tuple[Ref, ...] = ()
    specs: tuple[TensorSpec, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def poisoned(self) -> bool:
        return not self.refs

    @property
    def value(self) -> Value:
        """As an expression sees it."""
        if self.poisoned:
            raise Poisoned
        return dict(zip(self.names, self.specs, strict=True)) if self.names else self.specs[0]

    def pick(self, name: str) -> Result | None:
        """One of several results by its name."""
        if name not in self.names:
            return None
        i = self.names.index(name)
        return Result((self.refs[i],), (self.specs[i],))

    @property
    def first(self) -> Result:
        """The first of several results, which is `prev` after the step."""
        return self if len(self.refs) < 2 and not self.names else Result(self.refs[:1], self.specs[:1])


POISON = Result()


@dataclass(frozen=True, slots=True)
class Binding:
    """A value under a name, and the loops whose variables it depends on."""

    value: Value
    loops: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Tap:
    """A result under a name, or a definition whose step was skipped."""

    result: Result
    span: Span
    skipped: bool = False
    always: bool = False
    """whether its step has no `when`"""


@dataclass(slots=True)
class Body:
    """What a body has of its own: its input, the previous value, its taps."""

    input: Result | None
    prev: Result | None
    taps: dict[str, Tap] = field(default_factory=dict)


@dataclass(slots=True)
class Shared:
    """The first call under a `share` key."""

    what: tuple[Any, ...]
    path: str
    span: Span


@dataclass(eq=False, slots=True)
class Instance:
    """One call of a block, or the graph itself."""

    document: Document
    values: Mapping[str, Binding]
    """the block's params and lets"""
    chain: tuple[Frame, ...] = ()
    shared: dict[str, Shared] = field(default_factory=dict)
    caller: Instance | None = None
    block: str | None = None
    """name of the block, None for the graph"""


@dataclass(eq=False, slots=True)
class Scope:
    """A place in a body where names are looked up: own values, the body's taps, then outwards."""

    instance: Instance
    body: Body
    prefix: str
    parent: Scope | None = None
    values: dict[str, Binding] = field(default_factory=dict)
    loop: int | None = None
    """identity of the loop whose turn this is"""
    trainable: bool = True
    frames: tuple[Frame, ...] = ()

    def outwards(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def binding(self, name: str) -> Binding | None:
        for scope in self.outwards():
            if name in scope.values:
                return scope.values[name]
        return self.instance.values.get(name)

    def tap(self, name: str) -> Tap | None:
        """The tap `name`, here or further out, never beyond the block."""
        skipped = None
        for scope in self.outwards():
            found = scope.body.taps.get(name)
            if found is not None and not found.skipped:
                return found
            skipped = skipped or found
        return skipped

    def with_values(self, values: dict[str, Binding]) -> Scope:
        """The same place with more values: the `let` of one step."""
        return Scope(
            self.instance, self.body, self.prefix, self, values, None, trainable=self.trainable, frames=self.frames
        )

    def visible(self) -> set[str]:
        """All names that an expression could use here."""
        names = {"in", "prev", *self.instance.values}
        for scope in self.outwards():
            names |= scope.values.keys() | scope.body.taps.keys()
        return names

    def target(self, loops: frozenset[int]) -> Scope:
        """Where a tap is defined whose name depends on `loops`: outside exactly those loops, never beyond the block."""
        best = self
        for scope in self.outwards():
            if scope.loop is None:
                continue
            if scope.loop not in loops:
                break
            assert scope.parent is not None
            best = scope.parent
        return best

    def define(self, name: str, loops: frozenset[int], tap: Tap) -> None:
        """Put `tap` under `name`; `Problem` if the name means something else here."""
        body = self.target(loops).body
        before = body.taps.get(name)
        if tap.skipped:
            body.taps.setdefault(name, tap)
            return
        if before is not None and not before.skipped:
            lacking = before.always and not tap.always
            place, other = (before.span, tap.span) if lacking else (tap.span, before.span)
            raise Problem(
                "duplicate-name",
                f"`{name}` is defined twice in one body",
                place,
                "rename one of them, or give "
                + ("it a `when` that excludes the other's" if lacking else "them `when`s that exclude each other"),
                labels=(Label(other, "the second definition" if lacking else "the first definition"),),
            )
        if self.binding(name) is not None and not (self.instance.block and name not in self._own_values()):
            raise Problem(
                "name-collision", f"`{name}` is both a value and the name of a step", tap.span, "rename the step"
            )
        body.taps[name] = tap

    def _own_values(self) -> set[str]:
        """Values of this block, the spec's (which a block may hide) left out."""
        block = self.instance.document.spec.blocks.get(self.instance.block or "")
        own = set(block.params) | set(block.let) if block else set()
        for scope in self.outwards():
            own |= scope.values.keys()
        return own


@dataclass(slots=True)
class Paths:
    """Gives every node its path; a name used twice under one prefix gets a number."""

    used: set[str] = field(default_factory=set)
    counters: Counter[tuple[str, str]] = field(default_factory=Counter)
    reserved: dict[str, set[str]] = field(default_factory=dict)
    """prefix -> names that steps there claim with `as`"""
    numbered: set[str] = field(default_factory=set)
    """paths that end in a number given here"""

    def claim(self, prefix: str, names: frozenset[str]) -> None:
        self.reserved.setdefault(prefix, set()).update(names)

    def named(self, prefix: str, name: str) -> str:
        path = f"{prefix}{name}"
        if path not in self.used:
            self.used.add(path)
            return path
        return self._numbered(prefix, f"{name}_", 1)

    def unnamed(self, prefix: str, kind: str) -> str:
        return self._numbered(prefix, kind, 0)

    def _numbered(self, prefix: str, stem: str, start: int) -> str:
        claimed = self.reserved.get(prefix, set())
        while True:
            number = self.counters[prefix, stem] + start
            self.counters[prefix, stem] += 1
            path = f"{prefix}{stem}{number}"
            if path not in self.used and f"{stem}{number}" not in claimed:
                self.used.add(path)
                self.numbered.add(path)
                return path
