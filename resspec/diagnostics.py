"""Findings as data: where, what, how it came about, and what to do. Nothing is printed here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one source file. Lines and columns count from 1; the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Label:
    """A place that has to do with a finding, and what stands there."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one file: the text of `span` becomes `text`. An empty span inserts."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A remedy that a program can carry out: all edits or none.

    `certain` where nothing else can have been meant (`BatchNorm2d` for `batch_norm`, a TAB, a tuple):
    `check --fix` applies those. The others are proposals, for `check --unsafe-fixes` and editors.
    """

    edits: tuple[Edit, ...]
    certain: bool = False


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake, one finding.

    `message` says what is wrong (lower case, no full stop, code in backticks); only `help`
    says what to do; `notes` tell how it came about, `labels` point at related places, `fix` is the
    remedy as edits where it can be written down.
    """

    code: str
    message: str
    span: Span | None = None
    severity: Severity = "error"
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    fix: Fix | None = None

    def __str__(self) -> str:
        place = f"{self.span}: " if self.span else ""
        remedy = f" (help: {self.help})" if self.help else ""
        return f"{place}{self.severity}[{self.code}]: {self.message}{remedy}"


class SpecError(Exception):
    """The only exception that leaves the core: all findings of one run, in source order."""

    def __init__(self, diagnostics: Iterable[Diagnostic], sources: dict[str, str] | None = None) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        self.sources: dict[str, str] = dict(sources or {})
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        return "\n".join(str(diagnostic) for diagnostic in self.diagnostics)


@dataclass(slots=True)
class Findings:
    """Collects the findings of one run, each mistake once, up to a limit that a person still reads."""

    most: int = 100
    items: list[Diagnostic] = field(default_factory=list)
    _seen: set[tuple[str, Span | None, str]] = field(default_factory=set)

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep `diagnostic` unless the same mistake at the same place (a later loop turn, say) is here."""
        key = (diagnostic.code, diagnostic.span, "" if diagnostic.span else diagnostic.message)
        if key not in self._seen and len(self.items) < self.most:
            self._seen.add(key)
            self.items.append(diagnostic)

    def error(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        labels: Iterable[Label] = (),
        notes: Iterable[str] = (),
        help: str | None = None,
        fix: Fix | None = None,
    ) -> None:
        self.add(Diagnostic(code, message, span, "error", tuple(labels), tuple(notes), help, fix))

    def warning(self, code: str, message: str, span: Span | None = None, *, help: str | None = None) -> None:
        self.add(Diagnostic(code, message, span, "warning", help=help))

    @property
    def full(self) -> bool:
        """Whether no more findings are kept: going on would only cost time."""
        return len(self.items) >= self.most

    @property
    def failed(self) -> bool:
        return any(item.severity == "error" for item in self.items)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """All findings in source order, those without a place first."""
        return tuple(sorted(self.items, key=lambda item: (item.span is not None, item.span or 0)))
