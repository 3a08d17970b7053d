"""Edits that mend the form of a YAML text: TABs into spaces, an entry taken out."""

from __future__ import annotations

import re

from resspec.diagnostics import Edit, Fix, Span

UNIT = 2
"""spaces for a TAB at the beginning of a line, where the file has no indentation of its own"""


def tabs(text: str, file: str) -> tuple[Edit, ...]:
    """All TABs of a text as spaces: a level of indentation each before the first word of a line, then one space."""
    lines = text.split("\n")
    widths = [len(match[0]) for line in lines if (match := re.match(r" +(?=\S)", line))]
    unit = " " * min(widths, default=UNIT)
    found = []
    for number, line in enumerate(lines, 1):
        for match in re.finditer("\t+", line):
            new = unit * len(match[0]) if not line[: match.start()].strip() else " "
            found.append(Edit(Span(file, number, match.start() + 1, number, match.end() + 1), new))
    return tuple(found)


def dropped(start: Span, end: Span, before: Span, flow: bool) -> Fix:
    """An entry taken out, from its key to its value; `before` is the value in front of it."""
    if flow:
        place = Span(start.file, before.end_line, before.end_column, end.end_line, end.end_column)
    else:
        place = Span(start.file, start.line, 1, max(start.line, end.end_line) + 1, 1)
    return Fix((Edit(place, ""),), certain=True)
