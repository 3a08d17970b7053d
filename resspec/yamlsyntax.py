"""Syntax errors of the YAML parsers in plain words."""

from __future__ import annotations

import re

import yaml

from resspec.diagnostics import Diagnostic, Label
from resspec.yamltraps import TRAPS, Stumble

_NO_SPACE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*):(?=[^\s:/])")

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

# a part of what the parser says that it was reading, and what that is
_CONTEXTS = (
    ("flow mapping", "the `{`"),
    ("flow sequence", "the `[`"),
    ("block mapping", "the mapping"),
    ("block collection", "the list"),
    ("block sequence", "the list"),
    ("simple key", "the line"),
    ("quoted scalar", "the text"),
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
    begun = error.context_mark
    context = None if begun is None or begun.line >= len(lines) else (begun.line, begun.column)
    stumble = Stumble(file, lines, line, column, context, error.problem or "not YAML")
    for trap in TRAPS:
        if (finding := trap(stumble)) is not None:
            return finding
    return _general(error, stumble)


def _general(error: yaml.MarkedYAMLError, at: Stumble) -> Diagnostic:
    message, help = at.problem, "put text with special characters in quotes"
    for part, plain, remedy in _PROBLEMS:
        if part in at.problem:
            message, help = plain, remedy
            break
    if "invalid Unicode" in at.problem or "expected escape sequence" in at.problem:
        code, message, help = "yaml-character", "an escape stands for no character", "write the character itself"
    else:
        code = "yaml-tag" if "tag handle" in at.problem else "yaml-syntax"
    line, column = at.last_text()
    labels: tuple[Label, ...] = ()
    if error.context and at.context is not None and at.context != (line, column):
        what = next((plain for part, plain in _CONTEXTS if part in error.context), "what was being read")
        labels = (Label(at.span(*at.context, 1), f"{what} begins here"),)
    return Diagnostic(code, message, at.span(line, column, 1), labels=labels, help=help)
