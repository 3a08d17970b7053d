"""A tree where there is none: of a text that is broken, and of the part before the cursor while one types."""

from __future__ import annotations

import re

from resspec import yamltree
from resspec.diagnostics import SpecError
from resspec.lsp.positions import Cursor, Lines
from resspec.yamltree import Tree

MARK = "resspecCursor"
"""stands where the cursor is, in place of the word that is being typed"""

ROUNDS = 6
"""how often lines that cannot be read are left out before giving up"""

LONG = 100_000
"""characters from which on one round has to do, so that no request takes many times as long as reading"""

_WORD = re.compile(r"[\w.]*$")
_STARTS_LINE = re.compile(r"\s*(?:- +)*$")


def readable(text: str, name: str) -> Tree | None:
    """The tree of a text, lines that cannot be read left out; None if nothing remains."""
    lines = _sound(text.replace("\r\n", "\n")).split("\n")
    for _ in range(ROUNDS if len(text) <= LONG else 1):
        try:
            return yamltree.parse("\n".join(lines), name)
        except SpecError as error:
            for one in error.diagnostics:
                if one.span is not None and one.span.line <= len(lines):
                    lines[one.span.line - 1] = ""
    return None


_SECTION = re.compile(r"^(?=[A-Za-z_]+ *:)", re.MULTILINE)


def _sound(text: str) -> str:
    """The text without the sections that leave a brace or bracket open, which would swallow what follows."""
    *sections, last = _SECTION.split(text)
    return "".join("\n" * one.count("\n") if _open(one) else one for one in sections) + last


def typed(lines: Lines, cursor: Cursor) -> str:
    """The word before the cursor."""
    match = _WORD.search(lines.line(cursor.line)[: cursor.column - 1])
    return match[0] if match else ""


def before(lines: Lines, cursor: Cursor, name: str) -> Tree | None:
    """The tree of what stands before the cursor, with `MARK` in the place of the word there.

    What is open is closed: quotes, braces and brackets. The rest of the text plays no part, so that it may be
    as broken as it likes.
    """
    word = typed(lines, cursor)
    # of `a.b` in an expression the mark takes the place of the whole
    head = lines.line(cursor.line)[: cursor.column - 1 - len(word)]
    text = _sound("\n".join((*lines.lines[: cursor.line - 1], head)))
    closers = _open(text)
    begins = not closers and _STARTS_LINE.match(head)
    return readable(f"{text}{MARK}{':' if begins else ''}{closers}\n", name)


_TOKEN = re.compile(
    r"""(?P<comment>(?:(?<=\s)|^)\#[^\n]*)|(?P<quote>(?<![\w)'"])['"])|(?P<bracket>[\[\]{}])""", re.MULTILINE
)


def _open(text: str) -> str:
    """What would close the quotes, braces and brackets that are open at the end."""
    stack: list[str] = []
    position = 0
    while match := _TOKEN.search(text, position):
        position = match.end()
        token = match[0]
        if match["quote"]:
            end = _end_of_quote(text, position, token)
            if end < 0:
                return token + "".join(reversed(stack))
            position = end + 1
        elif token in "[{":
            stack.append("]" if token == "[" else "}")
        elif match["bracket"] and stack:
            stack.pop()
    return "".join(reversed(stack))


def _end_of_quote(text: str, start: int, quote: str) -> int:
    if quote == "'":
        match = re.compile(r"(?:[^']|'')*'(?!')").match(text, start)
    else:
        match = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL).match(text, start)
    return match.end() - 1 if match else -1
