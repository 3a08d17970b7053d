"""One open file: its text, the index of it (or of the last text that could be read), and what was found out of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from resspec import files, yamltree
from resspec.diagnostics import Span, SpecError
from resspec.language.document import SHIPPED_PREFIX
from resspec.lsp import index as indexing
from resspec.lsp.analysis import Analysis
from resspec.lsp.facts import Facts
from resspec.lsp.index import Index
from resspec.lsp.positions import Lines
from resspec.lsp.repair import readable
from resspec.ops.base import Op

_IS_SPEC = re.compile(r"""^\s*\{?\s*["']?resspec["']?\s*:""", re.MULTILINE)


@dataclass
class Page:
    """An open file. Requests are answered from here and never wait for the analysis."""

    uri: str
    """as the editor names the file, which may not be on disk"""
    path: Path
    text: str
    lines: Lines
    ops: Mapping[str, type[Op]]
    version: int = 0
    analysis: Analysis = field(default_factory=Analysis)
    analysed: int | None = None
    """the version that `analysis` is about"""
    facts_of: Lines = field(default_factory=lambda: Lines(("",)))
    """the text that the facts of the analysis are about"""
    _index: Index | None = None
    _indexed: tuple[int, int] | None = None
    _whole: bool = False

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def root(self) -> Path:
        return self.path.parent

    @property
    def is_spec(self) -> bool:
        """Whether the file says that it is a spec; other YAML files are left alone."""
        return _IS_SPEC.search(self.text) is not None

    def change(self, text: str, version: int) -> None:
        """A newer text."""
        self.text, self.version = text, version
        self.lines = Lines.of(text, self.lines.unit)

    def found(self, analysis: Analysis, version: int) -> None:
        """What the analysis of a version says; what comes too late is dropped."""
        if version != self.version:
            return
        if analysis.facts is not self.analysis.facts:
            self.facts_of = self.lines
        self.analysis, self.analysed = analysis, version

    @property
    def index(self) -> Index | None:
        """The index of the text, made when it is first asked for; that of readable lines while the text is broken."""
        wanted = (self.version, id(self.analysis.document))
        if self._indexed != wanted:
            self._indexed = wanted
            try:
                tree: yamltree.Tree | None = yamltree.parse(self.text, self.name)
                self._whole = True
            except SpecError:
                tree, self._whole = readable(self.text, self.name), False
            if tree is not None:
                self._index = indexing.build(tree, self.lines, self.ops, self.analysis.imports)
        return self._index

    @property
    def whole(self) -> Index | None:
        """The index if it is that of the whole text: changes are made on nothing less."""
        found = self.index
        return found if self._whole else None

    @property
    def facts(self) -> Facts:
        """What is known of the network, by places of the text as it is now; none for lines that changed since."""
        found, old, new = self.analysis.facts, self.facts_of.lines, self.lines.lines
        if old is new:
            return found
        same = _alike(old, new)
        rest = _alike(old[same:][::-1], new[same:][::-1])
        by = len(new) - len(old)
        steps = {}
        for span, known in found.steps.items():
            if span.end_line <= same:
                steps[span] = known
            elif span.line > len(old) - rest:
                steps[Span(span.file, span.line + by, span.column, span.end_line + by, span.end_column)] = known
        return replace(found, steps=steps)

    def file(self, name: str) -> Path:
        """Another file that spans name: one below the folder of this one, or a shipped one."""
        if name.startswith(SHIPPED_PREFIX):
            return files.SHIPPED / name.removeprefix(SHIPPED_PREFIX)
        return self.root / name

    def lines_of(self, name: str) -> Lines:
        """The text of a file that the analysis read."""
        if name == self.name or name not in self.analysis.sources:
            return self.lines
        return Lines.of(self.analysis.sources[name], self.lines.unit)


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines two texts begin with in common."""
    return next((i for i, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
