"""Findings as text for a terminal, as JSON, and as annotations for GitHub."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from resspec.diagnostics import Diagnostic, Fix, Span
from resspec.frames import frame, margin_of, paint
from resspec.frames import printable as printable


def text(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], *, colour: bool = False) -> str:
    """Findings with the lines they point at; one blank line between two."""
    return "\n".join(_one(diagnostic, sources, colour) for diagnostic in diagnostics)


def as_json(diagnostics: Iterable[Diagnostic]) -> str:
    """A list of objects, one a finding, with places as file, line, column (from 1) and exclusive ends."""
    return json.dumps([_plain(diagnostic) for diagnostic in diagnostics], indent=2) + "\n"


def github(diagnostics: Iterable[Diagnostic]) -> str:
    """Workflow commands that GitHub shows beside the changed lines."""
    lines = []
    for one in diagnostics:
        place = ""
        if one.span is not None:
            span = one.span
            place = f" file={_property(span.file)},line={span.line},col={span.column},endLine={span.end_line}"
        message = one.message + (f"\nhelp: {one.help}" if one.help else "")
        joined = "," if place else " "
        lines.append(f"::{one.severity}{place}{joined}title={_property(one.code)}::{_data(message)}")
    return "".join(line + "\n" for line in lines)


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


def _plain(one: Diagnostic) -> dict[str, object]:
    return {
        "code": one.code,
        "severity": one.severity,
        "message": one.message,
        "place": _place(one.span),
        "related": [{"place": _place(label.span), "text": label.text} for label in one.labels],
        "notes": list(one.notes),
        "help": one.help,
        "fix": _fix(one.fix),
    }


def _fix(fix: Fix | None) -> dict[str, object] | None:
    if fix is None:
        return None
    return {"certain": fix.certain, "edits": [{"place": _place(edit.span), "text": edit.text} for edit in fix.edits]}


def _place(span: Span | None) -> dict[str, object] | None:
    if span is None:
        return None
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _one(one: Diagnostic, sources: Mapping[str, str], colour: bool) -> str:
    head = paint(f"{one.severity}[{one.code}]", one.severity, colour)
    lines = [f"{head}: {printable(one.message)}", *frame(one, sources, colour)]
    margin = margin_of(one)
    for note in one.notes:
        lines.append(f"{margin} = {paint('note', 'note', colour)}: {printable(note)}")
    if one.help:
        lines.append(f"{margin} = {paint('help', 'help', colour)}: {printable(one.help)}")
    return "\n".join(lines) + "\n"


def count(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`."""
    found = {"error": 0, "warning": 0}
    for one in diagnostics:
        found[one.severity] += 1
    return ", ".join(f"{n} {kind}{'' if n == 1 else 's'}" for kind, n in found.items() if n) or "no findings"
