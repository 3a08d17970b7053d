"""Names inside values: those of an expression, those behind `$`, and where each of them stands in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from resspec.diagnostics import Span
from resspec.language.syntax import FUNCTIONS
from resspec.lsp.positions import Lines
from resspec.yamltree import Scalar

WORDS = frozenset(("and", "or", "not", "if", "else", "true", "false", "null", "True", "False", "None"))
"""words of expressions that are no names"""

_PART = re.compile(
    r"""'(?P<single>[^'\n]*)'|"(?P<double>[^"\n]*)"|\.\s*[A-Za-z]\w*|[0-9][\w.]*|(?P<name>[A-Za-z]\w*)"""
)


@dataclass(frozen=True, slots=True)
class Word:
    """A name in a text, or the inside of a quoted one; `start` counts characters of the text."""

    text: str
    start: int
    quoted: bool = False


def words(expression: str, start: int = 0) -> Iterator[Word]:
    """The names that an expression uses and the texts that it quotes, whole or not: while one types it is not."""
    for match in _PART.finditer(expression):
        name = match["name"]
        if name is not None:
            called = name in FUNCTIONS and expression[match.end() :].lstrip().startswith("(")
            if name not in WORDS and not called:
                yield Word(name, start + match.start())
        elif match["single"] is not None or match["double"] is not None:
            yield Word(match[0][1:-1], start + match.start() + 1, quoted=True)


@dataclass(frozen=True, slots=True)
class Hole:
    """`$name` or `$(expression)` in a text: where it stands, and where its expression does."""

    start: int
    end: int
    inside: tuple[int, int]


_DOLLAR = re.compile(r"\$(?:\$|(?P<name>[A-Za-z][A-Za-z0-9_]*)|(?P<open>\())?")
_STEP = re.compile(r"""'[^'\n]*'|"[^"\n]*"|[()]""")


def holes(text: str) -> list[Hole]:
    """All `$name` and `$(...)`; one that is not closed goes to the end."""
    found: list[Hole] = []
    position = 0
    while match := _DOLLAR.search(text, position):
        position = match.end()
        if match["name"]:
            found.append(Hole(match.start(), match.end(), match.span("name")))
        elif match["open"]:
            end = _closing(text, match.end())
            found.append(Hole(match.start(), min(end + 1, len(text)), (match.end(), end)))
            position = found[-1].end
    return found


def _closing(text: str, start: int) -> int:
    """Where the `)` stands that ends what begins before `start`."""
    depth = 1
    for match in _STEP.finditer(text, start):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            return match.start()
    return len(text)


def pieces(text: str) -> tuple[str, ...]:
    """What stands around the holes of a text: `stage$(i+1)` is `stage` and nothing."""
    found, position = [], 0
    for hole in holes(text):
        found.append(text[position : hole.start])
        position = hole.end
    return (*found, text[position:])


def place(scalar: Scalar, start: int, length: int, lines: Lines) -> Span | None:
    """Where characters of a scalar's value stand; None where that cannot be told, as for escapes."""
    span = scalar.span
    written = lines.line(span.line)[span.column - 1 : span.end_column - 1]
    if span.line == span.end_line:
        for quotes in (0, 1):
            if written[quotes : len(written) - quotes] == scalar.text:
                column = span.column + quotes + start
                return Span(span.file, span.line, column, span.line, column + length)
    return _aligned(scalar, start, length, lines)


def _aligned(scalar: Scalar, start: int, length: int, lines: Lines) -> Span | None:
    """The same for quotes inside quotes and for values of several lines: both texts side by side."""
    at = _characters(scalar.span, lines)
    found: list[tuple[int, int]] = []
    for character in scalar.text[: start + length]:
        for line, column, source in at:
            if source == character or (character == " " and source == "\n"):
                found.append((line, column))
                break
            if source not in " \n'\"\\|>-+":
                return None
        else:
            return None
    line, column = found[start] if start < len(found) else (0, 0)
    inside = found[start : start + length]
    if inside != [(line, column + i) for i in range(length)]:
        return None
    return Span(scalar.span.file, line, column, line, column + length)


def _characters(span: Span, lines: Lines) -> Iterator[tuple[int, int, str]]:
    for number in range(span.line, span.end_line + 1):
        text = lines.line(number)
        first = span.column if number == span.line else 1
        last = span.end_column - 1 if number == span.end_line else len(text)
        for column in range(first, last + 1):
            yield number, column, text[column - 1 : column]
        if number < span.end_line:
            yield number, len(text) + 1, "\n"
