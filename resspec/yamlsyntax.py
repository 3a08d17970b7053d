"""Syntax errors of the YAML parsers in plain words, with the usual traps recognised."""

from __future__ import annotations

import re

import yaml

from resspec.diagnostics import Diagnostic, Label, Span

_NO_SPACE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*):(?=[^\s:/])")
_LINE_NO_SPACE = re.compile(rf" *(?:- +)*({_NO_SPACE.pattern})")

_QUOTE = "text that contains `: ` or ` #`, or begins with one of `@ % & * ! | > [ {`, needs quotes"
_FLOW = "text that contains `[ ] { } ,` needs quotes inside `[...]` and `{...}`"
_INDENT = "give entries of one mapping, and items of one list, the same indentation"

# a part of the parser's problem (C and pure differ in wording), what is wrong, what to do
_PROBLEMS = (
    ("mapping values are not allowed", "a `:` cannot stand here", f"check the indentation; {_QUOTE}"),
    ("could not find expected ':'", "a line here is not `key: value`", "write a `: ` after the key"),
    ("cannot start any token", "text cannot begin with this character", "put the text in quotes"),
    ("',' or ']'", "a `,` or `]` is missing", _FLOW),
    ("',' or '}'", "a `,` or `}` is missing", _FLOW),
    ("entries are not allowed", "a list item cannot stand here", "begin the list on a line of its own"),
    ("block mapping", "the indentation does not fit the lines above", _INDENT),
    ("expected key", "the indentation does not fit the lines above", _INDENT),
    ("expected <block end>", "the indentation does not fit the lines above", _INDENT),
    ("expected '-' indicator", "the indentation does not fit the lines above", _INDENT),
    ("found unexpected end of stream", "a quoted text has no end", "close the quotes"),
    ("unexpected document", "a quoted text has no end", "close the quotes"),
    (
        "found unknown escape character",
        "an unknown escape stands here",
        "use single quotes, in which `\\` is plain text",
    ),
    ("<document start>", "the text goes on after its end", "check the indentation; put the whole text in quotes"),
    ("node content", "a value is missing", _QUOTE),
    ("found undefined tag handle", "tags are not allowed", "put the text in quotes"),
    ("alphabetic or numeric character", "anchors and aliases are not allowed", "put the text in quotes"),
)


def colon_trap(text: str) -> str | None:
    """`filters: 64` for `filters:64`; None if the colon is not that of a key, as in `https://`."""
    match = _NO_SPACE.match(text)
    return f"{match[1]}: {text[match.end() :]}" if match else None


def syntax_finding(error: yaml.MarkedYAMLError, text: str, file: str) -> Diagnostic:
    """What the parser could not read, where, and what to do: the finding `yaml-syntax`."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.split("\n")
    if trap := _missing_space(lines, line, error):
        return Diagnostic(
            "yaml-syntax", f"`{trap[2]}` has no space after the colon", _span(file, trap[0], trap[1], len(trap[2])),
            help=f"write `{trap[2][:-1]}: `",
        )  # fmt: skip
    problem = error.problem or "not YAML"
    message, help = problem, "put text with special characters in quotes"
    for part, plain, remedy in _PROBLEMS:
        if part in problem:
            message, help = plain, remedy
            break
    if "invalid Unicode" in problem or "expected escape sequence" in problem:
        code, message, help = "yaml-character", "an escape stands for no character", "write the character itself"
    else:
        code = "yaml-tag" if "tag handle" in problem else "yaml-syntax"
    line, column = _on_text(lines, line, column)
    labels: tuple[Label, ...] = ()
    if error.context and error.context_mark:
        start = _on_text(lines, error.context_mark.line, error.context_mark.column)
        if start != (line, column):
            labels = (Label(_span(file, *start, 1), f"{error.context.removeprefix('while ')} from here"),)
    return Diagnostic(code, message, _span(file, line, column, 1), labels=labels, help=help)


def _on_text(lines: list[str], line: int, column: int) -> tuple[int, int]:
    """The place itself, or the end of the last text before it where it lies behind all text."""
    if line >= len(lines):  # the C parser's end of a file without a last line break
        line, column = len(lines) - 1, len(lines[-1].rstrip())
    while line and column == 0 and not lines[line].strip():
        line -= 1
        column = len(lines[line].rstrip())
    return line, column


def _missing_space(lines: list[str], line: int, error: yaml.MarkedYAMLError) -> tuple[int, int, str] | None:
    """Line, column and text of a `key:` without its space, where the parser stumbled or just before."""
    marks = [mark.line for mark in (error.context_mark,) if mark]
    for number in dict.fromkeys([*marks, line, line - 1]):
        if 0 <= number < len(lines) and (match := _LINE_NO_SPACE.match(lines[number])):
            return number, match.start(1), match[1]
    return None


def _span(file: str, line: int, column: int, length: int) -> Span:
    return Span(file, line + 1, column + 1, line + 1, column + 1 + length)
