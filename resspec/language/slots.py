"""How an argument may be written, read off the type of its field.

Where a number is wanted a string is an expression; where words are allowed as well, those words
are themselves; in a text slot `$x` and `$(...)` interpolate. A string that is wholly `$x` or
`$(...)` is that expression in any slot, and keeps its type.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from resspec import limits
from resspec.language.expressions import ExpressionError, Value, parse_expression, parse_template
from resspec.suggest import nearest

Lookup = Callable[[str], Value]


class SlotError(Exception):
    """A value that cannot be read; `path` leads to it inside the argument, `words` would have been right too."""

    def __init__(
        self,
        error: ExpressionError,
        text: str,
        path: tuple[str | int, ...] = (),
        words: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(error.message)
        self.error, self.text, self.path, self.words = error, text, path, words


@dataclass(frozen=True, slots=True)
class Slot:
    """What a place for a value takes."""

    numbers: bool = False
    words: frozenset[str] = frozenset()
    text: bool = False
    fields: tuple[tuple[str, Slot], ...] = ()
    """slots of a named thing with settings"""

    def field(self, name: str) -> Slot:
        return next((slot for key, slot in self.fields if key == name), TEXT)


NUMBER = Slot(numbers=True)
TEXT = Slot(text=True)


@cache
def slots_of(model: type[BaseModel]) -> dict[str, Slot]:
    """The slot of every field of a model."""
    return {name: _slot(item.annotation) for name, item in model.model_fields.items()}


def _slot(annotation: Any) -> Slot:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _slot(get_args(annotation)[0])
    if origin is Literal:
        return Slot(words=frozenset(arg for arg in get_args(annotation) if isinstance(arg, str)))
    if origin in (Union, types.UnionType, tuple, list):
        parts = [_slot(arg) for arg in get_args(annotation) if arg is not Ellipsis]
        return Slot(
            any(part.numbers for part in parts),
            frozenset().union(*(part.words for part in parts)),
            any(part.text for part in parts),
            tuple(item for part in parts for item in part.fields),
        )
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Slot(fields=tuple(slots_of(annotation).items()))
    if annotation in (int, float, bool):
        return NUMBER
    return TEXT if annotation is str or annotation is Any else Slot()


def read(raw: Any, slot: Slot, lookup: Lookup, require: Any = None, path: tuple[str | int, ...] = ()) -> Any:
    """The value of `raw` as a slot takes it: expressions evaluated, texts filled in, `match` decided."""
    if isinstance(raw, str):
        return _text(raw, slot, lookup, require, path)
    if isinstance(raw, list):
        if len(raw) > limits.LIST_ITEMS:
            error = ExpressionError("expression-limit", f"a list has at most {limits.LIST_ITEMS} items", 0, 0)
            raise SlotError(error, "", path)
        return tuple(read(item, slot, lookup, require, (*path, i)) for i, item in enumerate(raw))
    if isinstance(raw, dict):
        if "match" in raw:
            return match(raw, slot, lookup, require, path)
        if slot == NUMBER and "name" not in raw:
            raise SlotError(_no_value(raw), "", path)
        return {key: read(item, slot.field(str(key)), lookup, require, (*path, key)) for key, item in raw.items()}
    return raw


def _text(raw: str, slot: Slot, lookup: Lookup, require: Any, path: tuple[str | int, ...]) -> Any:
    try:
        if "$" in raw:
            template = parse_template(raw)
            if template.whole or slot.text or slot.words:
                return template.evaluate(lookup, require)
        if raw in slot.words or (slot.words and not slot.numbers):
            return raw
        if slot.numbers and not slot.text:
            return parse_expression(raw).evaluate(lookup, require)
    except ExpressionError as error:
        raise SlotError(error, raw, path, slot.words) from None
    return raw


def _no_value(raw: dict[Any, Any]) -> ExpressionError:
    """A mapping that neither chooses a value nor is a named thing with settings."""
    slip = next((key for key in raw if isinstance(key, str) and nearest(key, ["match"])), None)
    help = f"did you mean `match`, not `{slip}`?" if slip else "`{match: name, case: value, else: value}` chooses one"
    return ExpressionError("bad-value", "a mapping stands where a value is wanted", 0, 0, help)


def match(raw: dict[Any, Any], slot: Slot, lookup: Lookup, require: Any, path: tuple[str | int, ...]) -> Any:
    """`{match: depth, 50: ..., else: ...}`: the case that equals the value."""
    case, value = chosen(raw, lookup, require, path)
    return read(value, slot, lookup, require, (*path, case))


def chosen(raw: dict[Any, Any], lookup: Lookup, require: Any, path: tuple[str | int, ...]) -> tuple[Any, Any]:
    """The case of a `match` that equals its value, and what stands there, unread."""
    subject = read(raw["match"], NUMBER, lookup, require, (*path, "match"))
    for case, value in raw.items():
        if case not in ("match", "else") and type(case) is type(subject) and case == subject:
            return case, value
    if "else" in raw:
        return "else", raw["else"]
    cases = ", ".join(str(case) for case in raw if case != "match")
    message = f"no case of `match` is {subject!r}, the cases are {cases}"
    raise SlotError(ExpressionError("no-match", message, 0, 0, "add the case, or `else`"), "", path)


def integral(value: Any) -> Any:
    """Floats without a fraction as integers, in lists too: `2.0` may stand in an integer slot."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return tuple(integral(item) for item in value) if isinstance(value, tuple) else value
