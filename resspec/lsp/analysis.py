"""All that a text says, found out in two looks: its form and its default network, then variants, checks and lints.

Nothing here waits for anybody. The first look is short; the second may take a second, and its result is dropped
if a newer text has come meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from resspec import api
from resspec.diagnostics import Diagnostic, SpecError
from resspec.language import document as documents
from resspec.language.document import Document
from resspec.language.schema import Block
from resspec.lsp import facts
from resspec.lsp.facts import NOTHING, Facts
from resspec.plugin import Plugin

TOO_LARGE = Diagnostic("too-large", "the network is too large for this machine")


@dataclass(frozen=True)
class Analysis:
    """What is known so far. `document` and `facts` may be those of an earlier text, which was right."""

    diagnostics: tuple[Diagnostic, ...] = ()
    document: Document | None = None
    facts: Facts = NOTHING
    sources: Mapping[str, str] = field(default_factory=dict)
    sound: bool = False
    """whether this text has a network, of which more can be found out"""

    @property
    def imports(self) -> dict[str, Block]:
        """The blocks that `use` brings."""
        if self.document is None:
            return {}
        found = {name: other.block(original) for name, (other, original) in self.document.imports.items()}
        return {name: block[1] for name, block in found.items() if block is not None}


def first(text: str, name: str, root: Path, before: Analysis, plugins: Iterable[str | Plugin] = ()) -> Analysis:
    """The form of a text that stands in the folder `root`, and its default network; `before` where it is wrong."""
    try:
        document, sources = documents.load(text, name, root)
    except SpecError as error:
        return replace(before, diagnostics=error.diagnostics, sources=error.sources, sound=False)
    opened = api.Opened(document, sources, None)
    if document.is_library:
        return Analysis(api.check_opened(opened, plugins=plugins).diagnostics, document, before.facts, sources)
    try:
        network = api.network(opened, plugins=plugins)
    except SpecError as error:
        return Analysis(error.diagnostics, document, before.facts, sources)
    except (RecursionError, MemoryError):
        return Analysis((TOO_LARGE,), document, before.facts, sources)
    return Analysis(network.warnings, document, facts.of_network(document, network), sources, sound=True)


def second(found: Analysis, wanted: Callable[[], bool], plugins: Iterable[str | Plugin] = ()) -> Analysis:
    """All findings, and what only variants carry out; `found` as it is once `wanted` says no."""
    if found.document is None or not found.sound or not wanted():
        return found
    opened = api.Opened(found.document, dict(found.sources), None)
    try:
        report = api.check_opened(opened, plugins=plugins)
    except (RecursionError, MemoryError):
        return replace(found, diagnostics=(*found.diagnostics, TOO_LARGE))
    known = found.facts
    for variant, settings in found.document.spec.variants.items():
        if report.failed or not wanted():
            break
        known = facts.and_also(known, api.network(opened, variant=variant, plugins=plugins), settings)
    return replace(found, diagnostics=report.diagnostics, facts=known)
