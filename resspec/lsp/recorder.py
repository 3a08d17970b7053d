"""Collects names and sites while a tree is walked; names that may be defined later are looked up at the end."""

from __future__ import annotations

from dataclasses import dataclass

from resspec.diagnostics import Span
from resspec.language.slots import NUMBER, Slot
from resspec.lsp import texts
from resspec.lsp.positions import Lines
from resspec.lsp.sites import Site, Tensor, Written
from resspec.lsp.symbols import Kind, Occurrence, Scope, Symbol
from resspec.yamltree import Mapping, Scalar, Sequence, Tree

NO_WORDS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pending:
    """A name that was used, to be looked up when all taps are known."""

    scalar: Scalar
    start: int
    name: str
    scope: Scope
    tensors: bool
    """only tensors are meant"""
    certain: bool = True
    """false for a quoted text that may be the name of a tensor, or any other word"""


class Recorder:
    """What was found so far: symbols, the places of their names, and what stands at each place."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.symbols: list[Symbol] = []
        self.occurrences: list[Occurrence] = []
        self.sites: list[Site] = []
        self.pending: list[Pending] = []
        self.loops = 0

    # -- definitions ------------------------------------------------------------------------

    def symbol(self, kind: Kind, name: str, scope: Scope, owner: Tree, callee: str | None = None) -> Symbol:
        found = Symbol(kind, name, scope, frozenset(), [owner], callee)
        self.symbols.append(found)
        return found

    def define(self, symbol: Symbol, scalar: Scalar, start: int = 0) -> None:
        """The name of a symbol stands in `scalar`, which defines it."""
        self.occur(symbol, scalar, start, definition=True)

    def tap(self, scalar: Scalar, scope: Scope, owner: Tree) -> Symbol:
        """The name that `as` gives. Several definitions of one name in one body are one symbol."""
        loops = self.template(scalar, scope)
        home = scope.home(loops)
        wanted = texts.pieces(scalar.text)
        found = next((tap for tap in home.taps if tap.kind is Kind.TAP and tap.pieces == wanted), None)
        if found is None:
            found = self.symbol(Kind.TAP, scalar.text, home, owner)
            home.taps.append(found)
        else:
            found.owners.append(owner)
        self.define(found, scalar)
        return found

    # -- occurrences ------------------------------------------------------------------------

    def occur(
        self,
        symbol: Symbol,
        scalar: Scalar,
        start: int = 0,
        *,
        definition: bool = False,
        words: frozenset[str] = NO_WORDS,
        implied: bool = False,
    ) -> None:
        span: Span | None = None
        if not implied:
            span = texts.place(scalar, start, len(symbol.stem), self.lines) if symbol.stem else None
        self.occurrences.append(Occurrence(span, scalar.span, symbol, definition, words, implied))

    def use(
        self, scalar: Scalar, start: int, name: str, scope: Scope, words: frozenset[str] = NO_WORDS
    ) -> frozenset[int]:
        """A name in an expression: a value that is known by now, or a name to look up later."""
        found = scope.value(name)
        if found is None:
            self.pending.append(Pending(scalar, start, name, scope, False))
            return frozenset()
        self.occur(found, scalar, start, words=words)
        return found.loops

    def resolve(self) -> None:
        """Look up what could not be looked up before."""
        for one in self.pending:
            if not one.tensors and (value := one.scope.value(one.name)) is not None:
                self.occur(value, one.scalar, one.start)
                continue
            meant = one.scope.meant(one.name)
            for tap in meant:
                implied = not one.name.startswith(tap.stem) or (len(meant) > 1)
                if "$" in one.name and not tap.built:
                    implied = True
                self.occur(tap, one.scalar, one.start, implied=implied)
        self.pending.clear()

    # -- values -----------------------------------------------------------------------------

    def expression(
        self, scalar: Scalar, scope: Scope, start: int = 0, end: int | None = None, words: frozenset[str] = NO_WORDS
    ) -> frozenset[int]:
        """The names in a stretch of a scalar, which is an expression; the loops that they depend on."""
        loops: frozenset[int] = frozenset()
        text = scalar.text[start:end]
        for word in texts.words(text, start):
            if not word.quoted:
                alone = words if word.text == text.strip() else NO_WORDS
                loops |= self.use(scalar, word.start, word.text, scope, alone)
        return loops

    def template(self, scalar: Scalar, scope: Scope) -> frozenset[int]:
        """The names behind `$` in a text; the loops that they depend on."""
        loops: frozenset[int] = frozenset()
        for hole in texts.holes(scalar.text):
            loops |= self.expression(scalar, scope, *hole.inside)
        return loops

    def value(
        self, tree: Tree, slot: Slot, scope: Scope, callee: str | None = None, argument: str | None = None
    ) -> frozenset[int]:
        """A value as `slots.read` takes it; the loops that it depends on."""
        if isinstance(tree, Scalar):
            self.sites.append(Written(tree, scope, slot, callee, argument))
            return self.text(tree, slot, scope) if isinstance(tree.value, str) else frozenset()
        if isinstance(tree, Sequence):
            return frozenset().union(*(self.value(item, slot, scope, callee, argument) for item in tree.items))
        loops: frozenset[int] = frozenset()
        for entry in tree.entries:
            if tree.get("match") is not None:
                below = NUMBER if entry.key.text == "match" else slot
            else:
                below = slot.field(entry.key.text)
            loops |= self.value(entry.value, below, scope, callee, argument)
        return loops

    def text(self, scalar: Scalar, slot: Slot, scope: Scope) -> frozenset[int]:
        """A string in a slot: an expression, a text with `$`, or a word."""
        text = scalar.text
        if "$" in text:
            found = texts.holes(text)
            whole = len(found) == 1 and (found[0].start, found[0].end) == (0, len(text))
            if whole or slot.text or slot.words:
                return self.template(scalar, scope)
        if text in slot.words or (slot.words and not slot.numbers):
            return frozenset()
        if slot.numbers and not slot.text:
            return self.expression(scalar, scope, words=slot.words)
        return frozenset()

    def tensor(self, tree: Tree, scope: Scope) -> None:
        """One name of a tensor, or a list or mapping of them."""
        if isinstance(tree, Sequence):
            for item in tree.items:
                self.tensor(item, scope)
        elif isinstance(tree, Mapping):
            for entry in tree.entries:
                self.tensor(entry.value, scope)
        else:
            self.sites.append(Tensor(tree, scope))
            if isinstance(tree.value, str):
                self._tensor(tree, scope)

    def _tensor(self, scalar: Scalar, scope: Scope) -> None:
        text = scalar.text
        found = texts.holes(text)
        self.template(scalar, scope)
        if len(found) == 1 and (found[0].start, found[0].end) == (0, len(text)):
            # `$('in' if first else 'pre')` chooses among names
            start, end = found[0].inside
            for word in texts.words(text[start:end], start):
                if word.quoted:
                    self.pending.append(Pending(scalar, word.start, word.text.partition(".")[0], scope, True, False))
            return
        inside = {at for hole in found for at in range(hole.start, hole.end)}
        # `step.result`: only the step is known by a name of this file
        end = next((at for at, char in enumerate(text) if char == "." and at not in inside), len(text))
        if text[:end] not in ("in", "prev"):
            self.pending.append(Pending(scalar, 0, text[:end], scope, True))
