"""Names and where they mean what: scopes as they nest in the text, and every place where a name stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from resspec.diagnostics import Span
from resspec.lsp.texts import pieces
from resspec.yamltree import Tree


class Kind(Enum):
    """What a name stands for."""

    PARAM = "parameter"
    LET = "let"
    LOOP = "loop variable"
    SIZE = "unknown size"
    INPUT = "input"
    TAP = "tap"
    BLOCK = "block"


TENSORS = (Kind.TAP, Kind.INPUT)


@dataclass(eq=False, slots=True)
class Symbol:
    """A name in its scope. A tap may be defined several times, by steps of which one is carried out."""

    kind: Kind
    name: str
    scope: Scope
    loops: frozenset[int] = frozenset()
    """loops that a value depends on"""
    owners: list[Tree] = field(default_factory=list)
    """what defines it: the step of a tap, the value of a `let`, the declaration of a parameter"""
    callee: str | None = None
    """the block that a parameter belongs to"""

    @property
    def pieces(self) -> tuple[str, ...]:
        return pieces(self.name)

    @property
    def stem(self) -> str:
        """The part before any `$`."""
        return self.pieces[0]

    @property
    def built(self) -> bool:
        """Whether the name is built with `$`, one for every turn of a loop."""
        return len(self.pieces) > 1


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A place where a symbol's name, of a name with `$` its stem, stands."""

    span: Span | None
    """None where a place inside a text cannot be told"""
    whole: Span
    """the scalar that it stands in"""
    symbol: Symbol
    definition: bool = False
    words: frozenset[str] = frozenset()
    """names that would be read as something else here"""
    implied: bool = False
    """one of several that a name with `$` may mean: the text does not hold the name itself"""


@dataclass(eq=False, slots=True)
class Scope:
    """A place where names are looked up, then outwards. A block sees its own file's values, never a caller's."""

    parent: Scope | None = None
    values: dict[str, Symbol] = field(default_factory=dict)
    taps: list[Symbol] = field(default_factory=list)
    body: bool = True
    """whether taps are defined here; the `let` of a step has a scope that is no body"""
    loop: int | None = None

    def outwards(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def value(self, name: str) -> Symbol | None:
        return next((scope.values[name] for scope in self.outwards() if name in scope.values), None)

    def home(self, loops: frozenset[int]) -> Scope:
        """The body in which a tap is defined whose name depends on `loops`: outside exactly those."""
        best = self
        for scope in self.outwards():
            if scope.loop is None:
                continue
            if scope.loop not in loops or scope.parent is None:
                break
            best = scope.parent
        return next(scope for scope in best.outwards() if scope.body)

    def meant(self, name: str) -> list[Symbol]:
        """The taps that `name`, which may hold `$`, can mean: those of the nearest body that has any."""
        wanted = pieces(name)
        for scope in self.outwards():
            exact = [tap for tap in scope.taps if tap.pieces == wanted]
            found = exact or [tap for tap in scope.taps if _may_be(wanted, tap.pieces)]
            if found and any(wanted):
                return found
        return []

    def visible(self) -> dict[str, Symbol]:
        """All names that can be used here, the nearest first."""
        found: dict[str, Symbol] = {}
        for scope in self.outwards():
            for symbol in (*scope.values.values(), *scope.taps):
                found.setdefault(symbol.name, symbol)
        return found


def _may_be(wanted: tuple[str, ...], defined: tuple[str, ...]) -> bool:
    """Whether a name as it is used may be one that is defined; holes fit any letters."""
    if len(wanted) == 1 and len(defined) > 1:
        return _fits(defined, wanted[0])
    if len(defined) == 1 and len(wanted) > 1:
        return _fits(wanted, defined[0])
    return False


def _fits(around: tuple[str, ...], name: str) -> bool:
    return any(around) and re.fullmatch(r"\w+".join(map(re.escape, around)), name) is not None
