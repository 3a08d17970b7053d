"""How fast the language server answers, as an editor sees it: `python tools/bench_lsp.py [spec.yaml] [rounds]`.

Every request is sent to a server of its own over the standard streams, at every step of the spec in turn: once while
the server has nothing else to do, once right after a keystroke, while it looks at the new text. Prints JSON: the
median and the worst in milliseconds, and the seconds until the findings of the text are there.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

from resspec import files, yamltree
from resspec.lsp.index import build
from resspec.lsp.positions import Lines
from resspec.ops import by_kind

BAR_MS = 50.0
"""an answer within this feels immediate"""


async def measure(path: Path, rounds: int) -> dict[str, Any]:
    """The times of one server on one spec."""
    text, uri = path.read_text(encoding="utf-8"), path.resolve().as_uri()
    client = LanguageClient("bench", "1")
    found: asyncio.Queue[lsp.PublishDiagnosticsParams] = asyncio.Queue()

    @client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def published(params: lsp.PublishDiagnosticsParams) -> None:
        found.put_nowait(params)

    await client.start_io(sys.executable, "-m", "resspec.cli", "lsp")
    await client.initialize_async(lsp.InitializeParams(capabilities=lsp.ClientCapabilities()))
    client.initialized(lsp.InitializedParams())
    started = time.perf_counter()
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, "yaml", 0, text)))
    await found.get()
    first = time.perf_counter() - started
    await found.get()
    second = time.perf_counter() - started
    version = 0
    results: dict[str, Any] = {"spec": path.name, "first_findings_s": first, "all_findings_s": second}
    for busy in (False, True):
        times: dict[str, list[float]] = {}
        for position in places(path)[:: max(1, len(places(path)) // rounds)]:
            if busy:
                version += 1
                change = lsp.TextDocumentContentChangeWholeDocument(f"{text}\n# {version}")
                which = lsp.VersionedTextDocumentIdentifier(version, uri)
                client.text_document_did_change(lsp.DidChangeTextDocumentParams(which, [change]))
                await asyncio.sleep(0.2)  # by now the new text is being looked at
            for name, request in requests(client, lsp.TextDocumentIdentifier(uri), position):
                started = time.perf_counter()
                await request
                times.setdefault(name, []).append(1000 * (time.perf_counter() - started))
        results["busy_ms" if busy else "idle_ms"] = {
            name: {"median": statistics.median(each), "worst": max(each)} for name, each in times.items()
        }
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()
    return results


def places(path: Path) -> list[lsp.Position]:
    """The beginnings of all names in a spec."""
    text = path.read_text(encoding="utf-8")
    lines = Lines.of(text)
    index = build(yamltree.parse(text, path.name), lines, by_kind())
    spots = [lines.spot(site.span.line, site.span.column) for site in index.sites]
    return [lsp.Position(*spot) for spot in dict.fromkeys(spots)]


def requests(client: LanguageClient, document: lsp.TextDocumentIdentifier, at: lsp.Position) -> list[tuple[str, Any]]:
    """One request of each kind, to be awaited in turn."""
    context = lsp.ReferenceContext(include_declaration=True)
    return [
        ("hover", client.text_document_hover_async(lsp.HoverParams(document, at))),
        ("completion", client.text_document_completion_async(lsp.CompletionParams(document, at))),
        ("definition", client.text_document_definition_async(lsp.DefinitionParams(document, at))),
        ("references", client.text_document_references_async(lsp.ReferenceParams(context, document, at))),
        ("symbols", client.text_document_document_symbol_async(lsp.DocumentSymbolParams(document))),
    ]


def main() -> None:
    arguments = sys.argv[1:]
    path = Path(arguments[0]) if arguments else files.SHIPPED / "resnet_cifar.yaml"
    results = asyncio.run(measure(path, int(arguments[1]) if len(arguments) > 1 else 40))
    results["within_50_ms"] = all(
        one["worst"] <= BAR_MS for state in ("idle_ms", "busy_ms") for one in results[state].values()
    )
    print(json.dumps(results, indent=2, default=str))


if __name__ == "__main__":
    main()
