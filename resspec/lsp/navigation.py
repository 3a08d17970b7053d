"""Where a name is defined and used, in this file or in one that it uses; which findings stand in a stretch."""

from __future__ import annotations

from collections.abc import Iterable

from resspec.diagnostics import Diagnostic, Span
from resspec.language.document import Document
from resspec.lsp.index import Index
from resspec.lsp.positions import Cursor, covers
from resspec.lsp.symbols import Kind, Symbol


def definitions(index: Index, document: Document | None, cursor: Cursor) -> list[Span]:
    """Where the name under the cursor is defined. A block of another file is defined there."""
    symbol = _symbol(index, cursor)
    if symbol is None:
        return []
    if symbol.kind is Kind.BLOCK and document is not None and symbol.name in document.imports:
        other, original = document.imports[symbol.name]
        while original in other.imports:
            other, original = other.imports[original]
        return [other.span("blocks", original, key=True)]
    found = [one.span or one.whole for one in index.places(symbol) if one.definition]
    return found or [owner.span for owner in symbol.owners]


def _symbol(index: Index, cursor: Cursor) -> Symbol | None:
    found = index.occurrence(cursor)
    if found is not None:
        return found.symbol
    # on the path behind `use` as on the name before it
    return next((one for one in index.blocks.values() if one.owners and _names(one, cursor)), None)


def _names(symbol: Symbol, cursor: Cursor) -> bool:
    return hasattr(symbol.owners[0], "text") and covers(symbol.owners[0].span, cursor)


def references(index: Index, cursor: Cursor, *, declared: bool) -> list[Span]:
    """All places of the name under the cursor, its definition among them if `declared`."""
    found = index.occurrence(cursor)
    if found is None:
        return []
    places = [one for one in index.places(found.symbol) if declared or not one.definition]
    return list(dict.fromkeys(one.span or one.whole for one in places))


def findings(found: Iterable[Diagnostic], file: str, start: Cursor, end: Cursor) -> list[Diagnostic]:
    """The findings of a file that touch a stretch."""
    return [
        one
        for one in found
        if one.span is not None
        and one.span.file == file
        and (one.span.line, one.span.column) <= end
        and start <= (one.span.end_line, one.span.end_column)
    ]
