"""Findings as text for a terminal, as JSON, and as annotations for GitHub."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping

from resspec.diagnostics import Diagnostic, Span

_COLOURS = {"error": "31", "warning": "33", "note": "36", "help": "32", "frame": "34"}


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
    }


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


def printable(line: str) -> str:
    """A line of a stranger's file without control characters, so that it cannot steer a terminal."""
    return "".join(c if unicodedata.category(c)[0] != "C" else "�" for c in line.replace("\t", " "))


def _paint(value: str, kind: str, colour: bool) -> str:
    return f"\x1b[1;{_COLOURS[kind]}m{value}\x1b[0m" if colour else value


def _one(one: Diagnostic, sources: Mapping[str, str], colour: bool) -> str:
    head = _paint(f"{one.severity}[{one.code}]", one.severity, colour)
    lines = [f"{head}: {printable(one.message)}"]
    width = 1
    if one.span is not None:
        places = [one.span, *(label.span for label in one.labels)]
        width = max(len(str(span.line)) for span in places)
        bar = _paint("|", "frame", colour)
        lines.append(f"{' ' * width}{_paint('-->', 'frame', colour)} {printable(str(one.span))}")
        lines.append(f"{' ' * width} {bar}")
        lines += _frame(one.span, "", "^", sources, width, one.severity, colour)
        for label in one.labels:
            if label.span.file != one.span.file:
                lines.append(f"{' ' * width}{_paint(':::', 'frame', colour)} {printable(str(label.span))}")
            else:
                lines.append(f"{' ' * width} {_paint('...', 'frame', colour)}")
            lines += _frame(label.span, label.text, "-", sources, width, "note", colour)
        lines.append(f"{' ' * width} {bar}")
    for note in one.notes:
        lines.append(f"{' ' * width} = {_paint('note', 'note', colour)}: {printable(note)}")
    if one.help:
        lines.append(f"{' ' * width} = {_paint('help', 'help', colour)}: {printable(one.help)}")
    return "\n".join(lines) + "\n"


def _frame(
    span: Span, label: str, mark: str, sources: Mapping[str, str], width: int, kind: str, colour: bool
) -> list[str]:
    """The line that a span begins on, with the span underlined."""
    text = sources.get(span.file)
    if text is None:
        return []
    all_lines = text.splitlines()
    if not 0 < span.line <= len(all_lines):
        return []
    line = all_lines[span.line - 1]
    end = span.end_column if span.end_line == span.line else len(line.rstrip()) + 1
    start = span.column - 1
    if len(line) > 160:
        # long lines are cut around the place, so that the terminal does not wrap
        cut = max(0, start - 60)
        line, start, end = line[cut : cut + 160], start - cut, min(end - cut, 161)
    marks = mark * max(1, end - 1 - start)
    bar = _paint("|", "frame", colour)
    number = _paint(f"{span.line:>{width}}", "frame", colour)
    under = _paint(f"{marks} {printable(label)}".rstrip(), kind, colour)
    return [f"{number} {bar} {printable(line)}", f"{' ' * width} {bar} {' ' * start}{under}"]


def count(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`."""
    found = {"error": 0, "warning": 0}
    for one in diagnostics:
        found[one.severity] += 1
    return ", ".join(f"{n} {kind}{'' if n == 1 else 's'}" for kind, n in found.items() if n) or "no findings"
