"""A new name for a block, tap, parameter or `let`, at every place of the file, or the reason why not."""

from __future__ import annotations

from dataclasses import dataclass

from resspec.diagnostics import Edit, Span
from resspec.language.schema import NAME, RESERVED
from resspec.lsp.index import Index
from resspec.lsp.positions import Cursor
from resspec.lsp.symbols import Kind, Occurrence, Scope, Symbol
from resspec.lsp.texts import WORDS
from resspec.yamltree import Scalar


class Refused(Exception):
    """The rename would change what the file means; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """What would be renamed: the stretch under the cursor and the name that stands there."""

    span: Span
    name: str
    symbol: Symbol


def target(index: Index, cursor: Cursor) -> Target:
    """The name under the cursor. Raises Refused if it has none that can be changed."""
    found = index.occurrence(cursor)
    if found is None or found.span is None:
        raise Refused("no name of this file stands here")
    symbol = found.symbol
    if symbol.kind is Kind.LOOP and not any(one.definition for one in index.places(symbol)):
        raise Refused("`i` is what the language calls the turn of a loop")
    return Target(found.span, symbol.stem, symbol)


def edits(index: Index, cursor: Cursor, name: str, taken: frozenset[str]) -> tuple[Edit, ...]:
    """The changes that give the name under the cursor a new one. `taken` are the names of ops.

    Raises Refused.
    """
    found = target(index, cursor)
    symbol = found.symbol
    if name == found.name:
        return ()
    _check_form(name, symbol, taken)
    _check_free(name, symbol, index)
    changes = {_span(one, symbol, name): name for one in index.places(symbol) if not one.implied}
    if symbol.kind is Kind.BLOCK and (more := _import(symbol, index)) is not None:
        changes[more.span] = more.text
    return tuple(Edit(span, text) for span, text in sorted(changes.items()))


def _check_form(name: str, symbol: Symbol, taken: frozenset[str]) -> None:
    if not NAME.fullmatch(name):
        raise Refused(f"`{name}` is not a name: letters, digits and `_`, a letter first")
    if name in RESERVED or name in WORDS:
        raise Refused(f"`{name}` is a word of the language")
    if symbol.kind is Kind.BLOCK and name in taken:
        raise Refused(f"`{name}` is an op")


def _check_free(name: str, symbol: Symbol, index: Index) -> None:
    """Refuse a name that means something where the symbol is seen: in its scope, around it, or inside it."""
    if symbol.kind is Kind.BLOCK:
        if name in index.blocks:
            raise Refused(f"`{name}` is taken by another block")
        return
    wanted = (name, *symbol.pieces[1:])
    for other in index.symbols:
        if other is symbol or other.kind is Kind.BLOCK or other.stem != name:
            continue
        if other.pieces != wanted and not (len(wanted) == 1 and not other.built):
            continue
        if _inside(other.scope, symbol.scope) or _inside(symbol.scope, other.scope):
            raise Refused(f"`{name}` is taken by the {other.kind.value} in line {other.owners[0].span.line}")


def _inside(inner: Scope, outer: Scope) -> bool:
    return any(scope is outer for scope in inner.outwards())


def _span(one: Occurrence, symbol: Symbol, name: str) -> Span:
    if one.span is None:
        raise Refused(f"`{symbol.name}` is used in line {one.whole.line} where its place cannot be told")
    if name in one.words:
        raise Refused(f"`{name}` is a word of its own in line {one.span.line}")
    return one.span


def _import(symbol: Symbol, index: Index) -> Edit | None:
    """`use: {se: file.yaml}` names a block by its own name: under another one it has to be said."""
    owner = symbol.owners[0]
    if symbol.scope is not index.root or not isinstance(owner, Scalar) or not isinstance(owner.value, str):
        return None
    if "#" in owner.text or (not owner.plain and owner.text != owner.value):
        return None
    span = owner.span
    column = span.end_column - (0 if owner.plain else 1)
    return Edit(Span(span.file, span.end_line, column, span.end_line, column), f"#{symbol.name}")
