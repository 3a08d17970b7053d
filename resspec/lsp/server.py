"""The language server: requests of an editor onto the functions that answer them, over the standard streams."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lsprotocol import types as lsp
from pygls import uris
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from resspec import __version__, api
from resspec.lsp import completion, convert, navigation, rename
from resspec.lsp.analysis import Analysis, first, second
from resspec.lsp.callees import of_op
from resspec.lsp.hover import hover
from resspec.lsp.outline import outline
from resspec.lsp.page import Page
from resspec.lsp.positions import Lines
from resspec.lsp.repair import typed

QUIET = 0.15
"""seconds without a keystroke before a text is looked at"""

SWITCH = 0.0005
"""seconds after which a request takes over from the analysis, whose thread would else keep the interpreter for 5 ms"""


class SpecServer(LanguageServer):
    """The open files, and the analysis that runs beside the requests."""

    def __init__(self, plugins: Iterable[str] = ()) -> None:
        super().__init__("resspec", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Full)
        self.plugins = tuple(plugins)
        self.ops = api.op_names(self.plugins)
        for kind in self.ops.values():
            of_op(kind)  # described once, before the first question
        self.pages: dict[str, Page] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.readers, self.checkers = ThreadPoolExecutor(1, "first"), ThreadPoolExecutor(1, "second")

    def shutdown(self) -> None:
        for page in self.pages.values():
            page.version += 1  # nobody wants what is still being found out
        self.readers.shutdown(wait=False, cancel_futures=True)
        self.checkers.shutdown(wait=False, cancel_futures=True)
        super().shutdown()  # type: ignore[no-untyped-call]

    def opened(self, uri: str, text: str, version: int) -> None:
        path = uris.to_fs_path(uri) or str(Path(self.workspace.root_path or ".") / "untitled.yaml")
        unit = str(getattr(self.workspace.position_encoding, "value", self.workspace.position_encoding) or "utf-16")
        self.pages[uri] = Page(uri, Path(path), text, Lines.of(text, unit), self.ops, version)
        self.look(uri, 0)

    def changed(self, uri: str, text: str, version: int) -> None:
        if (page := self.pages.get(uri)) is not None:
            page.change(text, version)
            self.look(uri, QUIET)

    def closed(self, uri: str) -> None:
        if (page := self.pages.pop(uri, None)) is not None:
            page.version += 1
            self.publish(uri, None, [])

    def look(self, uri: str, after: float) -> None:
        """Look at a text once it has been left alone for a while; an earlier look at it is dropped."""
        if (task := self.tasks.pop(uri, None)) is not None:
            task.cancel()
        self.tasks[uri] = asyncio.get_running_loop().create_task(self._look(uri, self.pages[uri], after))

    async def _look(self, uri: str, page: Page, after: float) -> None:
        await asyncio.sleep(after)
        version, before = page.version, page.analysis
        if not page.is_spec:
            self._tell(uri, page, Analysis(), version)
            return
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self.readers, first, page.text, page.name, page.root, before, self.plugins)
        self._tell(uri, page, found, version)
        if found.sound:
            found = await loop.run_in_executor(
                self.checkers, second, found, lambda: page.version == version, self.plugins
            )
            self._tell(uri, page, found, version)

    def _tell(self, uri: str, page: Page, found: Analysis, version: int) -> None:
        page.found(found, version)
        if page.version == version:
            self.publish(uri, version, [convert.diagnostic(one, page) for one in found.diagnostics])

    def publish(self, uri: str, version: int | None, found: list[lsp.Diagnostic]) -> None:
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, found, version))


def server(plugins: Iterable[str] = ()) -> SpecServer:
    """A server with all that it can do; `start_io` serves the standard streams until the editor ends it."""
    found = SpecServer(plugins)
    _files(found)
    _questions(found)
    _changes(found)
    return found


def serve(plugins: Iterable[str] = ()) -> None:
    """Serve the standard streams until the editor ends it."""
    stdout = sys.stdout.buffer
    sys.stdout = sys.stderr  # what a plugin or Keras prints is no message for the editor
    sys.setswitchinterval(SWITCH)
    found = server(plugins)
    gc.freeze()  # what is imported stays, and looking through it would hold up an answer
    found.start_io(stdout=stdout)


def _files(found: SpecServer) -> None:
    @found.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: lsp.DidOpenTextDocumentParams) -> None:
        one = params.text_document
        found.opened(one.uri, one.text, one.version)

    @found.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: lsp.DidChangeTextDocumentParams) -> None:
        one = params.text_document
        found.changed(one.uri, found.workspace.get_text_document(one.uri).source, one.version)

    @found.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: lsp.DidCloseTextDocumentParams) -> None:
        found.closed(params.text_document.uri)

    @found.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: lsp.DidSaveTextDocumentParams) -> None:
        for uri in found.pages:  # one that is used by others, perhaps
            found.look(uri, 0)


def _questions(found: SpecServer) -> None:
    @found.feature(lsp.TEXT_DOCUMENT_HOVER)
    def on_hover(params: lsp.HoverParams) -> lsp.Hover | None:
        page = found.pages.get(params.text_document.uri)
        index = page.index if page else None
        if page is None or index is None:
            return None
        answer = hover(index, page.facts, page.lines, convert.cursor(params.position, page.lines))
        if answer is None:
            return None
        text, span = answer
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text), convert.range_of(span, page.lines))

    @found.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=["$", ".", "{", "["]))
    def on_completion(params: lsp.CompletionParams) -> list[lsp.CompletionItem]:
        page = found.pages.get(params.text_document.uri)
        if page is None or not (page.is_spec or len(page.text.split()) <= 1):
            return []
        at = convert.cursor(params.position, page.lines)
        word = typed(page.lines, at)
        where = lsp.Range(lsp.Position(*page.lines.spot(at.line, at.column - len(word))), params.position)
        listed = completion.proposals(page.lines, at, page.name, found.ops, page.index, page.analysis.imports)
        return [convert.completion(one, where) for one in listed]

    @found.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def on_definition(params: lsp.DefinitionParams) -> list[lsp.Location]:
        page = found.pages.get(params.text_document.uri)
        index = page.index if page else None
        if page is None or index is None:
            return []
        at = convert.cursor(params.position, page.lines)
        return [convert.location(span, page) for span in navigation.definitions(index, page.analysis.document, at)]

    @found.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    def on_references(params: lsp.ReferenceParams) -> list[lsp.Location]:
        page = found.pages.get(params.text_document.uri)
        index = page.index if page else None
        if page is None or index is None:
            return []
        at = convert.cursor(params.position, page.lines)
        spans = navigation.references(index, at, declared=params.context.include_declaration)
        return [convert.location(span, page) for span in spans]

    @found.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def on_symbols(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        page = found.pages.get(params.text_document.uri)
        index = page.index if page and page.is_spec else None
        return [convert.symbol(one, page.lines) for one in outline(index.tree)] if page and index else []


def _changes(found: SpecServer) -> None:
    @found.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix])
    )
    def on_action(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        page = found.pages.get(params.text_document.uri)
        if page is None or page.analysed != page.version:
            return []  # the findings are those of an earlier text
        start, end = (convert.cursor(one, page.lines) for one in (params.range.start, params.range.end))
        near = navigation.findings(page.analysis.diagnostics, page.name, start, end)
        return [action for one in near if (action := convert.action(one, page)) is not None]

    @found.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    def on_prepare(params: lsp.PrepareRenameParams) -> lsp.PrepareRenamePlaceholder:
        page = _whole(found, params.text_document.uri)
        index = page.whole
        assert index is not None
        try:
            one = rename.target(index, convert.cursor(params.position, page.lines))
        except rename.Refused as refused:
            raise _refusal(refused) from None
        return lsp.PrepareRenamePlaceholder(convert.range_of(one.span, page.lines), one.name)

    @found.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    def on_rename(params: lsp.RenameParams) -> lsp.WorkspaceEdit:
        page = _whole(found, params.text_document.uri)
        index = page.whole
        assert index is not None
        at = convert.cursor(params.position, page.lines)
        try:
            return convert.edits(rename.edits(index, at, params.new_name, frozenset(found.ops)), page)
        except rename.Refused as refused:
            raise _refusal(refused) from None


def _whole(found: SpecServer, uri: str) -> Page:
    """The page if its text can be read as a whole."""
    page = found.pages.get(uri)
    if page is None or page.whole is None:
        raise _refusal(rename.Refused("the file cannot be read as it stands; mend its syntax first"))
    return page


def _refusal(refused: rename.Refused) -> JsonRpcException:
    return JsonRpcException(message=str(refused), code=lsp.LSPErrorCodes.RequestFailed.value)
