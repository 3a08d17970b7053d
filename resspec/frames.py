"""The lines that a finding points at, with marks under them: what a terminal shows of a file."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resspec.diagnostics import Diagnostic, Span

LINE = 120
"""columns of a source line that are shown; longer ones are cut around the place, so that no terminal wraps them"""
BEFORE = 50
"""columns in front of the place that are kept of a long line"""

COLOURS = {"error": "31", "warning": "33", "note": "36", "help": "32", "frame": "34"}


def paint(value: str, kind: str, colour: bool) -> str:
    """`value` in bold and in the colour of its kind, where colours are wanted."""
    return f"\x1b[1;{COLOURS[kind]}m{value}\x1b[0m" if colour else value


def printable(line: str) -> str:
    """A line of a stranger's file without control characters, so that it cannot steer a terminal."""
    return "".join("\N{REPLACEMENT CHARACTER}" if _controls(c) else c for c in line.replace("\t", " "))


def _controls(character: str) -> bool:
    kind = unicodedata.category(character)
    return kind[0] == "C" or kind in ("Zl", "Zp")  # separators of lines and paragraphs break a line


def width(text: str) -> int:
    """Columns that a text takes in a terminal: two for a wide character, none for an accent of its own."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch to be underlined: the one that the finding is about, or a related one with its label."""

    span: Span
    label: str
    kind: str

    @property
    def character(self) -> str:
        return "-" if self.kind == "note" else "^"


def frame(one: Diagnostic, sources: Mapping[str, str], colour: bool = False) -> list[str]:
    """The place of a finding and its related places, file by file, each in the order of its lines."""
    if one.span is None:
        return []
    own = "; ".join(label.text for label in one.labels if label.span == one.span)
    related = [Mark(label.span, label.text, "note") for label in one.labels if label.span != one.span]
    marks = [Mark(one.span, own, one.severity), *related]
    digits = max(len(str(mark.span.line)) for mark in marks)
    margin = " " * digits
    lines = []
    for number, file in enumerate(dict.fromkeys(mark.span.file for mark in marks)):
        here = [mark for mark in marks if mark.span.file == file]
        arrow = paint("-->" if number == 0 else ":::", "frame", colour)
        lines.append(f"{margin}{arrow} {printable(str(here[0].span))}")
        if file in sources:
            lines += _file(here, sources[file].replace("\r\n", "\n").split("\n"), digits, colour)
    return lines


def margin_of(one: Diagnostic) -> str:
    """The blanks in front of the bars of a finding's frame."""
    places = [one.span, *(label.span for label in one.labels)] if one.span is not None else []
    return " " * max((len(str(span.line)) for span in places if span is not None), default=1)


def _file(marks: Sequence[Mark], source: Sequence[str], digits: int, colour: bool) -> list[str]:
    bar, margin = paint("|", "frame", colour), " " * digits
    shown = sorted({mark.span.line for mark in marks if 0 < mark.span.line <= len(source)})
    if not shown:
        return []
    lines = [f"{margin} {bar}"]
    for before, number in zip([None, *shown], shown, strict=False):
        if before is not None and number == before + 2:
            lines.append(
                f"{_number(before + 1, digits, colour)} {bar} {printable(_cut(source[before], 0)[0])}".rstrip()
            )
        elif before is not None and number > before + 2:
            lines.append(paint("...", "frame", colour))
        here = [mark for mark in marks if mark.span.line == number]
        line, cut = _cut(source[number - 1], min(mark.span.column for mark in here) - 1)
        lines.append(f"{_number(number, digits, colour)} {bar} {printable(line)}")
        lines += [f"{margin} {bar} {row}" for row in _under(here, source[number - 1], line, cut, colour)]
    return [*lines, f"{margin} {bar}"]


def _number(line: int, digits: int, colour: bool) -> str:
    return paint(f"{line:>{digits}}", "frame", colour)


def _cut(line: str, start: int) -> tuple[str, int]:
    """What is shown of a line, and how many of its characters stand before that."""
    if width(line) <= LINE:
        return line, 0
    cut = min(max(0, start - BEFORE), max(0, len(line) - LINE))
    return line[cut : cut + LINE], cut


def _under(marks: Sequence[Mark], whole: str, line: str, cut: int, colour: bool) -> list[str]:
    """The row of marks below a line, and a row for each label that does not stand at its end."""
    placed = []
    for mark in sorted(marks, key=lambda mark: (mark.span.column, mark.kind != "note")):
        last = mark.span.end_column if mark.span.end_line == mark.span.line else len(whole.rstrip()) + 1
        start = min(max(mark.span.column - 1 - cut, 0), len(line))
        end = min(max(last - 1 - cut, start), len(line))
        column = width(line[:start])
        placed.append((column, max(1, width(line[start:end])), mark))
    row: list[tuple[str, str]] = []
    for column, length, mark in sorted(placed, key=lambda item: item[2].kind != "note"):
        row += [(" ", "")] * (column + length - len(row))
        row[column : column + length] = [(mark.character, mark.kind)] * length
    underline = "".join(paint(c, kind, colour) if kind else c for c, kind in _runs(row))
    *others, (last_column, last_length, last_mark) = placed
    if last_column + last_length == len(row) and last_mark.label:
        underline += " " + paint(printable(last_mark.label), last_mark.kind, colour)
    else:
        others = placed
    labelled = [(column, mark) for column, _, mark in reversed(others) if mark.label]
    rows = [" " * column + paint(printable(mark.label), mark.kind, colour) for column, mark in labelled]
    return [underline, *rows]


def _runs(row: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Neighbours of one kind as one text."""
    runs: list[tuple[str, str]] = []
    for character, kind in row:
        if runs and runs[-1][1] == kind:
            runs[-1] = (runs[-1][0] + character, kind)
        else:
            runs.append((character, kind))
    return runs
