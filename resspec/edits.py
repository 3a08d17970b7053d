"""Fixes of the usual forms: a stretch of text replaced, put between brackets, or moved to the right."""

from __future__ import annotations

import re

from resspec.diagnostics import Edit, Fix, Span


def before(span: Span) -> Span:
    """The empty stretch where `span` begins."""
    return Span(span.file, span.line, span.column, span.line, span.column)


def behind(span: Span) -> Span:
    """The empty stretch where `span` ends."""
    return Span(span.file, span.end_line, span.end_column, span.end_line, span.end_column)


def first(span: Span, length: int) -> Span:
    """The first characters of `span`."""
    return Span(span.file, span.line, span.column, span.line, span.column + length)


def replaced(span: Span | None, text: str, *, certain: bool = False) -> Fix | None:
    """`text` in the place of `span`; None where there is no place."""
    return Fix((Edit(span, text),), certain) if span is not None else None


def wrapped(span: Span | None, opening: str, closing: str, *, certain: bool = False) -> Fix | None:
    """`span` between `opening` and `closing`; None where there is no place."""
    return Fix((Edit(before(span), opening), Edit(behind(span), closing)), certain) if span is not None else None


def argument(text: str, span: Span, kind: str, written: str) -> Fix | None:
    """`written` as a further argument of the step at `span` of `text`, where its op has them in braces on one line."""
    calls = re.compile(rf"\b{re.escape(kind)}: *\{{([^{{}}#]*[^{{}}#\s,])[\s,]*\}}")
    key = written.partition(":")[0]
    found = []
    for number, line in enumerate(text.split("\n")[span.line - 1 : span.end_line], span.line):
        start = span.column - 1 if number == span.line else 0
        end = span.end_column - 1 if number == span.end_line else len(line)
        found += [(number, match) for match in calls.finditer(line, start, end)]
    if len(found) != 1 or re.search(rf"\b{key} *:", found[0][1][1]):
        return None
    ((number, match),) = found
    place = Span(span.file, number, match.end(1) + 1, number, match.end(1) + 1)
    return Fix((Edit(place, f", {written}"),))


def indented(file: str, first: int, last: int, by: str = "  ") -> tuple[Edit, ...]:
    """Whole lines, `last` included, moved to the right."""
    return tuple(Edit(Span(file, line, 1, line, 1), by) for line in range(first, last + 1))


def one_line(span: Span | None, text: str) -> bool:
    """Whether `span` holds just `text`, without quotes around it."""
    return span is not None and span.line == span.end_line and span.end_column - span.column == len(text)


def exactly(span: Span | None, text: str) -> Span | None:
    """`span` if it holds just `text`."""
    return span if one_line(span, text) else None
