"""What was meant by a value that does not fit: habits from Python, from Keras, and from older YAML."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from resspec import edits
from resspec.diagnostics import Edit, Fix, Span
from resspec.suggest import Remedy

WORDS_OF_YAML_1_1 = dict.fromkeys(("no", "off", "n"), "false") | dict.fromkeys(("yes", "on", "y"), "true")
"""words that YAML 1.1 takes for booleans, and YAML 1.2 for words"""

_ITEM = r"[^\s,()\[\]{}]+"
_TUPLE = re.compile(rf"\(\s*({_ITEM}(?:\s*,\s*{_ITEM})*)\s*,?\s*\)")
_NUMBERS = re.compile(r"\d+(?:(?:\s*[xX×,;]\s*|\s+)\d+)+")
_TRAILING = re.compile(r"(.*\S)\s*[,;]")
_BRACES = re.compile(r"\$\{([A-Za-z]\w*)\}")
_OPERATORS = {
    "&": ("&&?", "and"), "|": (r"\|\|?", "or"), "!": ("!", "not "), "=": ("==?", "=="), "^": (r"\^", "**"),
}  # fmt: skip


class Slip(NamedTuple):
    """A slip that was recognised: what is wrong, and what was meant, in words and as a fix."""

    code: str
    message: str
    help: str
    fix: Fix | None = None


def of_value(text: str, span: Span, *, words: bool) -> Slip | None:
    """The slip that a text is, where a number or a switch is wanted, or one of some `words`."""
    place = span if edits.one_line(span, text) or edits.one_line(span, f"'{text}'") else None
    meant = WORDS_OF_YAML_1_1.get(text.lower())
    if meant is not None and len(text) > 1 and not words:
        message = f"`{text}` is a word in YAML 1.2, not `{meant}`"
        return Slip("bad-value", message, f"write `{meant}`", edits.replaced(place, meant, certain=True))
    if (match := _TUPLE.fullmatch(text)) and "," in text:
        meant = f"[{match[1]}]"
        message = f"`{text}` is no list: lists have square brackets"
        return Slip("bad-expression", message, f"write `{meant}`", edits.replaced(place, meant, certain=True))
    if _NUMBERS.fullmatch(text):
        meant = f"[{', '.join(re.findall('[0-9]+', text))}]"
        return Slip("bad-expression", f"`{text}` is not a number", f"write `{meant}`", edits.replaced(place, meant))
    if match := _TRAILING.fullmatch(text):
        message = f"`{text[-1]}` ends no value here"
        return Slip("bad-expression", message, f"write `{match[1]}`", edits.replaced(place, match[1], certain=True))
    return None


def as_list(text: str) -> str | None:
    """`[8, 8, 3]` of `(8, 8, 3)` and `8x8x3`."""
    if match := _TUPLE.fullmatch(text):
        return f"[{match[1]}]"
    return f"[{', '.join(re.findall('[0-9]+', text))}]" if _NUMBERS.fullmatch(text) else None


def in_expression(text: str, offset: int, span: Span) -> Remedy:
    """What was meant by the character at `offset` of an expression, which cannot stand there."""
    if not edits.one_line(span, text):
        quoted = edits.one_line(span, f"'{text}'")
        if not quoted:
            return Remedy()
        span = Span(span.file, span.line, span.column + 1, span.line, span.end_column - 1)

    def change(start: int, end: int, new: str, *, certain: bool = False) -> Fix:
        place = Span(span.file, span.line, span.column + start, span.line, span.column + end)
        return Fix((Edit(place, new),), certain)

    character = text[offset : offset + 1]
    if match := _BRACES.match(text, offset):
        return Remedy(f"write `$({match[1]})`", change(offset, match.end(), f"$({match[1]})", certain=True))
    if character == "$":
        return Remedy(None, change(offset, offset + 1, "", certain=True))
    if offset and text[offset - 1].isdigit() and re.match(r"[A-Za-z(]", character):
        return Remedy(f"write `*` for a product: `{text[:offset]}*{text[offset:]}`", change(offset, offset, "*"))
    if character in _OPERATORS:
        pattern, new = _OPERATORS[character]
        match = re.compile(pattern).match(text, offset)
        assert match is not None
        return Remedy(None, change(offset, match.end(), new, certain=character != "^"))
    if match := re.compile(r"is not\b|is\b").match(text, offset):
        new = "==" if match[0] == "is" else "!="
        return Remedy(f"write `{new}` to compare", change(offset, match.end(), new, certain=True))
    return Remedy()


def of_type(wanted: set[str], value: Any, span: Span | None) -> Remedy:
    """What was meant by a value of the wrong type; `wanted` are pydantic's names of what was expected."""
    if "bool_type" in wanted:
        meant = {0: "false", 1: "true"}.get(value) if type(value) is int else None
        meant = meant or WORDS_OF_YAML_1_1.get(str(value).lower())
        if meant is not None:
            note = ", which YAML 1.2 reads as a word" if isinstance(value, str) else ""
            return Remedy(f"write `{meant}` for `{value}`{note}", edits.replaced(span, meant, certain=True))
    if isinstance(value, str) and wanted & {"int_type", "float_type"} and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
        return Remedy(f"leave the quotes out: `{value}`", edits.replaced(span, value, certain=True))
    if wanted & {"dict_type", "model_type"} and isinstance(value, list):
        return Remedy("write `name: value`, without dashes and brackets")
    if wanted & {"int_type", "int_from_float"} and isinstance(value, float):
        if value.is_integer():
            return Remedy(f"write `{int(value)}`", edits.replaced(span, str(int(value)), certain=True))
        return Remedy("`//` divides without a rest; `round`, `floor` and `ceil` make whole numbers")
    if isinstance(value, tuple | list) and len(value) == 1 and not wanted & {"list_type", "tuple_type"}:
        return Remedy(f"leave the brackets out: `{value[0]}`", edits.replaced(span, str(value[0]), certain=True))
    if wanted <= {"list_type", "tuple_type"} and isinstance(value, str | int | float):
        return Remedy(f"a list of one is `[{value}]`", edits.wrapped(span, "[", "]"))
    return Remedy()
