"""Traps of YAML's syntax that people fall into, recognised by where the parser stumbles."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from resspec.diagnostics import Diagnostic, Edit, Fix, Label, Span


@dataclass(frozen=True, slots=True)
class Stumble:
    """Where a parser gave up. Lines and columns count from 0, as it counts them."""

    file: str
    lines: list[str]
    line: int
    column: int
    context: tuple[int, int] | None
    """line and column where the thing begins that it was reading"""
    problem: str
    """in the parser's words, which differ between the C one and the pure one"""

    def span(self, line: int, column: int, length: int) -> Span:
        return Span(self.file, line + 1, column + 1, line + 1, column + 1 + length)

    def insert(self, line: int, column: int, text: str) -> Edit:
        return Edit(self.span(line, column, 0), text)

    def character(self) -> str:
        """The character at which the parser stumbled; empty at the end of a line."""
        return self.lines[self.line][self.column : self.column + 1] if self.line < len(self.lines) else ""

    def last_text(self) -> tuple[int, int]:
        """The place itself, or the last text before it if it is the end of the file."""
        line, column = self.line, self.column
        if line >= len(self.lines):  # the C parser's end of a file without a last line break
            line, column = len(self.lines) - 1, len(self.lines[-1].rstrip())
        while line and column == 0 and not self.lines[line].strip():
            line -= 1
            column = len(self.lines[line].rstrip())
        return line, column

    def line_before(self) -> int | None:
        """The last line above that holds more than a comment."""
        above = range(min(self.line, len(self.lines)) - 1, -1, -1)
        return next((n for n in above if self.lines[n].split("#")[0].strip()), None)

    def near(self) -> list[int]:
        """The lines in which a slip may have led to this: where it began, where it showed, the one above."""
        before = self.line_before()
        numbers = [*([self.context[0]] if self.context else []), self.line, *([before] if before is not None else [])]
        return [number for number in dict.fromkeys(numbers) if number < len(self.lines)]


_KEY_WITHOUT_SPACE = re.compile(r" *(?:- +)*(([A-Za-z_][A-Za-z0-9_]*):)(?=[^\s:/])")
_DASH_WITHOUT_SPACE = re.compile(r" *(?:- +)*(-)([A-Za-z_][\w.]*)(?=:(?: |$)| *$| +#)")
_LOOP = re.compile(r" *- +(repeat|for): ?\S")
_KEY_IN_KEY = re.compile(r"( *(?:- +)*[\w.]+: +)([\w.]+: +[^\s#][^#]*?)( *(?:#.*)?)$")
_ENTRY = re.compile(r"( *(?:- +)*)([\w.]+):(?: +\S.*)$")


def key_without_space(at: Stumble) -> Diagnostic | None:
    """`filters:64`."""
    for number in at.near():
        if match := _KEY_WITHOUT_SPACE.match(at.lines[number]):
            message = f"`{match[1]}` has no space after the colon"
            place = at.span(number, match.start(1), len(match[1]))
            fix = Fix((at.insert(number, match.end(1), " "),), certain=True)
            return Diagnostic("yaml-syntax", message, place, help=f"write `{match[2]}: `", fix=fix)
    return None


def dash_without_space(at: Stumble) -> Diagnostic | None:
    """`-relu`, which is a word; all of them are mended at once."""
    first = next((number for number in at.near() if _DASH_WITHOUT_SPACE.match(at.lines[number])), None)
    if first is None:
        return None
    found = [(number, match) for number, line in enumerate(at.lines) if (match := _DASH_WITHOUT_SPACE.match(line))]
    match = _DASH_WITHOUT_SPACE.match(at.lines[first])
    assert match is not None
    fix = Fix(tuple(at.insert(number, one.end(1), " ") for number, one in found), certain=True)
    message = f"`-{match[2]}` has no space after the dash"
    place = at.span(first, match.start(1), 1 + len(match[2]))
    return Diagnostic("yaml-syntax", message, place, help=f"write `- {match[2]}`", fix=fix)


def quotes_left_open(at: Stumble) -> Diagnostic | None:
    """A quoted text that goes on to the end of the file."""
    if at.context is None or not ("end of stream" in at.problem or "unexpected document" in at.problem):
        return None
    line, column = at.context
    quote = at.lines[line][column : column + 1] if line < len(at.lines) else ""
    if quote not in ("'", '"') or not quote:
        return None
    place = at.span(line, column, 1)
    return Diagnostic(
        "yaml-syntax", f"the `{quote}` that opens a text here is never closed", place, help="close the quotes"
    )


def brackets_in_text(at: Stumble) -> Diagnostic | None:
    """`{filters: units[0]}`: inside braces a bracket cannot stand in a text without quotes."""
    if not ("',' or" in at.problem and at.character() in ("[", "{")) or not at.column:
        return None
    line = at.lines[at.line]
    start = at.column
    while start and line[start - 1] not in " ,{[":
        start -= 1
    end, depth = at.column, 0
    while end < len(line) and (depth or line[end] not in ",}]"):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(line[end], 0)
        end += 1
    written = line[start:end].rstrip()
    if depth or start == at.column or "'" in written:
        return None
    place = at.span(at.line, start, len(written))
    return Diagnostic(
        "yaml-syntax",
        f"a `{at.character()}` cannot stand in a text without quotes here",
        place,
        help=f"quote the expression: `'{written}'`",
        fix=Fix((Edit(place, f"'{written}'"),), certain=True),
    )


def bracket_left_open(at: Stumble) -> Diagnostic | None:
    """A `{` or `[` whose partner is missing."""
    if at.context is None or "',' or" not in at.problem:
        return None
    line, column = at.context
    opening = at.lines[line][column : column + 1] if line < len(at.lines) else ""
    closing = {"{": "}", "[": "]"}.get(opening)
    outside = at.line > line and at.column <= len(at.lines[line]) - len(at.lines[line].lstrip())
    if closing is None or not (outside or at.line >= len(at.lines) or at.character() in ("}", "]")):
        return None
    end_line, end = at.line, at.column
    before = at.line_before()
    if at.character() not in ("}", "]") and before is not None:
        end_line = before
        end = len(re.sub(r" +#.*$", "", at.lines[before]).rstrip())
    elif end_line >= len(at.lines):
        end_line, end = at.last_text()
    return Diagnostic(
        "yaml-syntax",
        f"the `{opening}` is not closed",
        at.span(line, column, 1),
        labels=(Label(at.span(end_line, end, 1), f"a `{closing}` is missing before this"),)
        if end_line == at.line
        else (),
        help=f"write the `{closing}` that is missing",
        fix=Fix((at.insert(end_line, end, closing),)),
    )


def loop_without_do(at: Stumble) -> Diagnostic | None:
    """A list of steps right below `repeat: 3`."""
    before = at.line_before()
    if before is None or at.character() != "-" or (match := _LOOP.match(at.lines[before])) is None:
        return None
    return Diagnostic(
        "yaml-syntax",
        f"the steps of `{match[1]}` stand here without a `do`",
        at.span(at.line, at.column, 1),
        labels=(Label(at.span(before, match.start(1), len(match[1])), "of this loop"),),
        help=f"write `do:` above them, right below `{match[1]}`",
        fix=Fix((at.insert(at.line, 0, " " * match.start(1) + "do:\n"),), certain=True),
    )


def key_in_key(at: Stumble) -> Diagnostic | None:
    """`conv: filters: 64`."""
    if "mapping values are not allowed" not in at.problem or not (match := _KEY_IN_KEY.match(at.lines[at.line])):
        return None
    if not match.start(2) <= at.column <= match.end(2):
        return None
    place = at.span(at.line, at.column, 1)
    wrapped = (at.insert(at.line, match.start(2), "{"), at.insert(at.line, match.end(2), "}"))
    return Diagnostic(
        "yaml-syntax",
        "a second `:` cannot stand in one line",
        place,
        help=f"put the arguments in braces: `{match[1].strip(' -')} {{{match[2]}}}`; or quote the text",
        fix=Fix(wrapped),
    )


def deeper_than_its_neighbour(at: Stumble) -> Diagnostic | None:
    """`as: x` further to the right than the `conv: 3` above, to which it belongs."""
    before = at.line_before()
    if "mapping values are not allowed" not in at.problem or before is None:
        return None
    above, here = _ENTRY.match(at.lines[before]), _ENTRY.match(at.lines[at.line])
    if above is None or here is None or "-" in here[1] or len(here[1]) <= len(above[1]):
        return None
    place = at.span(at.line, here.start(2), len(here[2]))
    return Diagnostic(
        "yaml-syntax",
        f"`{here[2]}` is further to the right than `{above[2]}`, which has a value already",
        place,
        labels=(Label(at.span(before, above.start(2), len(above[2])), "this"),),
        help="give both the same indentation",
        fix=Fix((Edit(at.span(at.line, 0, len(here[1])), " " * len(above[1])),)),
    )


def comma_left_out(at: Stumble) -> Diagnostic | None:
    """`{conv: 3 as: x}`, or a line of a `{...}` that ends without its comma."""
    if "',' or" not in at.problem or at.character() != ":" or at.context is None:
        return None
    line = at.lines[at.line]
    key = re.search(r"[\w.]+$", line[: at.column])
    if key is None:
        return None
    end_line, end = at.line, len(line[: key.start()].rstrip())
    if not line[: key.start()].strip() and (before := at.line_before()) is not None:
        end_line, end = before, len(re.sub(r" +#.*$", "", at.lines[before]).rstrip())
    place = at.span(at.line, key.start(), len(key[0]))
    return Diagnostic(
        "yaml-syntax",
        f"a `,` is missing before `{key[0]}`",
        place,
        help="separate entries in braces by `,`",
        fix=Fix((at.insert(end_line, end, ","),), certain=True),
    )


def exclamation_mark(at: Stumble) -> Diagnostic | None:
    """`!fancy` for `not fancy`, which YAML takes for a tag."""
    if at.context is None or at.context[0] >= len(at.lines):
        return None
    line, column = at.context
    match = re.compile(r"!\s*([A-Za-z_]\w*)").match(at.lines[line], column)
    if match is None or ("whitespace" not in at.problem and "expected ' '" not in at.problem):
        return None
    place = at.span(line, column, len(match[0]))
    help = f"write `not {match[1]}`"
    fix = Fix((Edit(place, f"not {match[1]}"),))
    return Diagnostic("yaml-tag", f"the tag `{match[0]}` is not allowed", place, help=help, fix=fix)


def item_out_of_line(at: Stumble) -> Diagnostic | None:
    """A `-` that is not right below those above it."""
    if at.character() != "-" or at.lines[at.line][: at.column].strip():
        return None
    above = next((n for n in range(at.line - 1, -1, -1) if re.match(r" *- ", at.lines[n])), None)
    if above is None or (width := len(at.lines[above]) - len(at.lines[above].lstrip())) == at.column:
        return None
    return Diagnostic(
        "yaml-syntax",
        "this `-` is not right below the one above",
        at.span(at.line, at.column, 1),
        labels=(Label(at.span(above, width, 1), "the one above"),),
        help="give the items of one list the same indentation",
        fix=Fix((Edit(at.span(at.line, 0, at.column), " " * width),)),
    )


TRAPS: tuple[Callable[[Stumble], Diagnostic | None], ...] = (
    key_without_space,
    dash_without_space,
    quotes_left_open,
    brackets_in_text,
    bracket_left_open,
    comma_left_out,
    exclamation_mark,
    loop_without_do,
    item_out_of_line,
    key_in_key,
    deeper_than_its_neighbour,
)
"""asked in this order; the first that knows the trap tells it"""
