"""A language client over the standard streams of `resspec lsp`: what an editor does, without the editor."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

T = TypeVar("T")
PATIENCE = 30.0
"""seconds to wait for an answer on a busy machine"""


class Editor:
    """One editor with one server. Every method waits for the answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, encodings: list[str]) -> None:
        self.loop, self.encodings = loop, encodings
        self.client = LanguageClient("test", "1")
        self.published: list[lsp.PublishDiagnosticsParams] = []
        self.news = asyncio.Event()
        self.versions: dict[str, int] = {}

        @self.client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: lsp.PublishDiagnosticsParams) -> None:
            self.published.append(params)
            self.news.set()

    def wait(self, what: Awaitable[T]) -> T:
        return self.loop.run_until_complete(asyncio.wait_for(what, PATIENCE))

    def start(self, root: Path, *options: str) -> lsp.InitializeResult:
        self.wait(self.client.start_io(sys.executable, "-m", "resspec.cli", "lsp", *options))
        general = lsp.GeneralClientCapabilities(position_encodings=[*self.encodings])
        found = self.wait(
            self.client.initialize_async(
                lsp.InitializeParams(capabilities=lsp.ClientCapabilities(general=general), root_uri=root.as_uri())
            )
        )
        self.client.initialized(lsp.InitializedParams())
        return found

    def stop(self) -> None:
        self.wait(self.client.shutdown_async(None))
        self.client.exit(None)
        self.wait(self.client.stop())

    # -- texts

    def open(self, path: Path | str, text: str | None = None) -> str:
        """Open a file, or a text under any URI."""
        uri = path if isinstance(path, str) else path.as_uri()
        self.versions[uri] = (
            self.versions.get(uri, 0) + 1
        )  # never the same twice, so that no late news are taken for new
        if text is None:
            text = Path(path).read_text()
        self.client.text_document_did_open(
            lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, "yaml", self.versions[uri], text))
        )
        return uri

    def change(self, uri: str, text: str) -> int:
        self.versions[uri] += 1
        self.client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(self.versions[uri], uri),
                [lsp.TextDocumentContentChangeWholeDocument(text)],
            )
        )
        return self.versions[uri]

    def close(self, uri: str) -> None:
        params = lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri))
        self.client.text_document_did_close(params)
        self.published = [one for one in self.published if one.uri != uri]

    def findings(self, uri: str, fits: Callable[[list[lsp.Diagnostic]], bool] = lambda _: True) -> list[lsp.Diagnostic]:
        """The first published findings of the text as it is now that fit."""

        async def wait() -> list[lsp.Diagnostic]:
            while True:
                self.news.clear()
                for one in self.published:
                    if one.uri == uri and one.version == self.versions[uri] and fits([*one.diagnostics]):
                        return [*one.diagnostics]
                await self.news.wait()

        return self.wait(wait())

    # -- questions

    def at(self, uri: str, line: int, character: int) -> dict[str, Any]:
        return {"text_document": lsp.TextDocumentIdentifier(uri), "position": lsp.Position(line, character)}

    def hover(self, uri: str, line: int, character: int) -> str | None:
        found = self.wait(self.client.text_document_hover_async(lsp.HoverParams(**self.at(uri, line, character))))
        return found.contents.value if found else None  # type: ignore[union-attr]

    def complete(self, uri: str, line: int, character: int) -> list[lsp.CompletionItem]:
        params = lsp.CompletionParams(**self.at(uri, line, character))
        return list(self.wait(self.client.text_document_completion_async(params)))  # type: ignore[arg-type]

    def labels(self, uri: str, line: int, character: int) -> list[str]:
        return [one.label for one in self.complete(uri, line, character)]

    def definition(self, uri: str, line: int, character: int) -> list[lsp.Location]:
        params = lsp.DefinitionParams(**self.at(uri, line, character))
        return list(self.wait(self.client.text_document_definition_async(params)) or [])  # type: ignore[arg-type]

    def references(self, uri: str, line: int, character: int) -> list[lsp.Range]:
        params = lsp.ReferenceParams(context=lsp.ReferenceContext(True), **self.at(uri, line, character))
        return [one.range for one in self.wait(self.client.text_document_references_async(params)) or []]

    def rename(self, uri: str, line: int, character: int, name: str) -> dict[str, list[lsp.TextEdit]]:
        params = lsp.RenameParams(new_name=name, **self.at(uri, line, character))
        found = self.wait(self.client.text_document_rename_async(params))
        return {key: list(value) for key, value in ((found and found.changes) or {}).items()}

    def prepare(self, uri: str, line: int, character: int) -> Any:
        params = lsp.PrepareRenameParams(**self.at(uri, line, character))
        return self.wait(self.client.text_document_prepare_rename_async(params))

    def actions(self, uri: str, found: lsp.Diagnostic) -> list[lsp.CodeAction]:
        context = lsp.CodeActionContext([found])
        params = lsp.CodeActionParams(lsp.TextDocumentIdentifier(uri), found.range, context)
        return list(self.wait(self.client.text_document_code_action_async(params)) or [])  # type: ignore[arg-type]

    def outline(self, uri: str) -> list[lsp.DocumentSymbol]:
        params = lsp.DocumentSymbolParams(lsp.TextDocumentIdentifier(uri))
        return list(self.wait(self.client.text_document_document_symbol_async(params)) or [])  # type: ignore[arg-type]


@contextmanager
def editing(root: Path, *options: str, encodings: tuple[str, ...] = ()) -> Iterator[Editor]:
    """An editor whose server runs for as long as the block."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        asyncio.set_event_loop(loop)
        editor = Editor(loop, list(encodings))
        editor.start(root, *options)
        try:
            yield editor
        finally:
            editor.stop()
