"""What was found, in the words of the Language Server Protocol."""

from __future__ import annotations

from lsprotocol import types as lsp
from pygls import uris

from resspec.diagnostics import Diagnostic, Edit, Span
from resspec.lsp.completion import Proposal, Sort
from resspec.lsp.outline import Item, Shape
from resspec.lsp.page import Page
from resspec.lsp.positions import Cursor, Lines, Spot
from resspec.yamltree import Mapping, Scalar

_SORTS = {
    Sort.KEY: lsp.CompletionItemKind.Keyword,
    Sort.OP: lsp.CompletionItemKind.Function,
    Sort.BLOCK: lsp.CompletionItemKind.Class,
    Sort.ARGUMENT: lsp.CompletionItemKind.Property,
    Sort.WORD: lsp.CompletionItemKind.EnumMember,
    Sort.VALUE: lsp.CompletionItemKind.Variable,
    Sort.TENSOR: lsp.CompletionItemKind.Reference,
    Sort.FUNCTION: lsp.CompletionItemKind.Function,
}

_SHAPES = {
    Shape.SECTION: lsp.SymbolKind.Namespace,
    Shape.VALUE: lsp.SymbolKind.Variable,
    Shape.INPUT: lsp.SymbolKind.Interface,
    Shape.BLOCK: lsp.SymbolKind.Class,
    Shape.LOOP: lsp.SymbolKind.Array,
    Shape.STEP: lsp.SymbolKind.Function,
}

_SEVERITIES = {"error": lsp.DiagnosticSeverity.Error, "warning": lsp.DiagnosticSeverity.Warning}


def range_of(span: Span, lines: Lines) -> lsp.Range:
    start, end = lines.ends(span)
    return lsp.Range(lsp.Position(*start), lsp.Position(*end))


def cursor(position: lsp.Position, lines: Lines) -> Cursor:
    return lines.cursor(Spot(position.line, position.character))


def location(span: Span, page: Page) -> lsp.Location:
    uri = page.uri if span.file == page.name else uris.from_fs_path(str(page.file(span.file))) or ""
    return lsp.Location(uri, range_of(span, page.lines_of(span.file)))


def diagnostic(found: Diagnostic, page: Page) -> lsp.Diagnostic:
    """A finding; one in another file stands at the line that uses that file, with the true place beside it."""
    related = [lsp.DiagnosticRelatedInformation(location(one.span, page), one.text) for one in found.labels]
    span, message = found.span, found.message
    if span is not None and span.file != page.name:
        related.insert(0, lsp.DiagnosticRelatedInformation(location(span, page), message))
        message, span = f"{span}: {message}", _use(span.file, page)
    parts = [message, *(f"note: {note}" for note in found.notes), *([f"help: {found.help}"] if found.help else [])]
    return lsp.Diagnostic(
        range=range_of(span or Span(page.name, 1, 1, 1, 1), page.lines),
        message="\n".join(parts),
        severity=_SEVERITIES[found.severity],
        code=found.code,
        source="resspec",
        related_information=related or None,
    )


def _use(file: str, page: Page) -> Span | None:
    """Where this file names another one."""
    tree = page.index.tree if page.index else None
    entry = tree.get("use") if isinstance(tree, Mapping) else None
    for one in entry.value.entries if entry and isinstance(entry.value, Mapping) else ():
        if isinstance(one.value, Scalar) and one.value.text.partition("#")[0] == file:
            return one.value.span
    return entry.key.span if entry else None


def edits(found: tuple[Edit, ...], page: Page) -> lsp.WorkspaceEdit:
    changes: dict[str, list[lsp.TextEdit]] = {}
    for one in found:
        where = location(one.span, page)
        changes.setdefault(where.uri, []).append(lsp.TextEdit(where.range, one.text))
    return lsp.WorkspaceEdit(changes=changes)


def action(found: Diagnostic, page: Page) -> lsp.CodeAction | None:
    """The remedy of a finding as a quick fix."""
    if found.fix is None:
        return None
    return lsp.CodeAction(
        title=found.help or f"fix `{found.code}`",
        kind=lsp.CodeActionKind.QuickFix,
        diagnostics=[diagnostic(found, page)],
        edit=edits(found.fix.edits, page),
        is_preferred=found.fix.certain,
    )


def completion(one: Proposal, where: lsp.Range) -> lsp.CompletionItem:
    return lsp.CompletionItem(
        label=one.label,
        kind=_SORTS[one.sort],
        detail=one.detail or None,
        documentation=lsp.MarkupContent(lsp.MarkupKind.Markdown, one.doc) if one.doc else None,
        sort_text=f"{one.rank}{one.label}",
        text_edit=lsp.TextEdit(where, one.label),
    )


def symbol(item: Item, lines: Lines) -> lsp.DocumentSymbol:
    return lsp.DocumentSymbol(
        name=item.name,
        detail=item.detail or None,
        kind=_SHAPES[item.shape],
        range=range_of(item.span, lines),
        selection_range=range_of(item.name_span, lines),
        children=[symbol(one, lines) for one in item.children],
    )
