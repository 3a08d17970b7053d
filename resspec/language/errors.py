"""Pydantic's errors as findings: one mistake, one finding, with a place and a remedy."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from resspec import edits
from resspec.diagnostics import Diagnostic, Fix, Span
from resspec.language import slips
from resspec.ops.slots import Config
from resspec.suggest import Remedy, renamed

MOST = 20
"""errors of one validation that are told; a broken union repeats itself"""

Where = Callable[[tuple[str | int, ...], bool], Span | None]
"""the place of a value, or of its key, by the way to it"""

Names = Callable[[tuple[str | int, ...]], Iterable[str]]
"""the keys that would have been right beside the one at the end of a way"""


class Misfit(ValueError):
    """What a validator refuses: a message, a remedy, and the key or value below its place to point at."""

    def __init__(
        self,
        message: str,
        help: str | None = None,
        *,
        at: tuple[str | int, ...] = (),
        key: bool = False,
        fix: Callable[[Where], Fix | None] | None = None,
    ) -> None:
        super().__init__(message)
        self.help, self.at, self.key = help, at, key
        self.fix = fix or (lambda where: None)


def findings(error: ValidationError, where: Where, what: str, names: Names) -> list[Diagnostic]:
    """The errors of one validation, at most one for each place.

    `where(loc, key)` is the span of a value or of its key; `what` names the thing that was checked
    ("`conv`", "the spec").
    """
    found: dict[tuple[Any, ...], list[Any]] = {}
    errors = error.errors(include_url=False, include_context=True)[: MOST * 5]
    # of a union of names and settings, only the branch of the settings has looked inside a mapping
    inside = {_place(item["loc"]) for item in errors if _in_settings(item)}
    for item in errors:
        place = _place(item["loc"])
        if place not in inside:
            found.setdefault(place, []).append(item)
        elif _in_settings(item):
            found.setdefault((*place, *_place(item["loc"][len(place) + 1 :])), []).append(item)
    return [_one(loc, items, where, what, names) for loc, items in list(found.items())[:MOST]]


def _in_settings(item: Any) -> bool:
    """Whether an error lies inside `{name: he_normal, ...}`."""
    rest = item["loc"][len(_place(item["loc"])) :]
    return len(rest) > 1 and str(rest[0]).endswith("Config")


_BRANCH = re.compile(
    r"int|float|str|bool|none|(dict|list|tuple|literal|nullable)\[.*|(constrained|function|lax-or-strict)-.*|\w+Config"
)


def _place(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The loc up to the branches of a union, whose names are no part of the file; it begins with a key of the file."""
    rest = itertools.takewhile(lambda part: isinstance(part, int) or not _BRANCH.fullmatch(part), loc[1:])
    return (*loc[:1], *rest)


def _one(loc: tuple[str | int, ...], items: list[Any], where: Where, what: str, names: Names) -> Diagnostic:
    if loc and loc[-1] == "[key]":
        loc, at_key = loc[:-1], where
        where = lambda part, key: at_key(part, True)  # noqa: E731 -- the same place, asked for its key
    item = max(items, key=lambda one: (one["type"] == "value_error", one["type"] == "extra_forbidden"))
    kind, context = item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(loc, item, where, what, names)
    if kind == "missing":
        return _missing(loc, item, where, what)
    if kind == "value_error":
        refused = context["error"]
        if not isinstance(refused, Misfit):
            return Diagnostic("bad-value", str(refused), where(loc, False))
        place = where((*loc, *refused.at), refused.key)
        fix = refused.fix(lambda part, key: where((*loc, *part), key))
        return Diagnostic("bad-value", str(refused), place, help=refused.help, fix=fix)
    items = [one for one in items if _bound(one)] or items  # of the type that fits, the bounds matter
    written, place = item.get("input"), where(loc, False)
    words = [word for one in items if one["type"] == "literal_error" for word in _words(one)]
    key = next((str(part) for part in reversed(loc) if isinstance(part, str)), "")
    kinds = {one["type"] for one in items}
    # a switch may be an expression, which needs no saying
    told = [_expected(one) for one in items if not (one["type"] == "string_type" and "bool_type" in kinds)]
    wanted = " or ".join(dict.fromkeys(told)).replace(" or must be ", " or ")
    text = f"`{key}` {wanted}, got {shown(written)}"
    near = slips.of_type(kinds, written, place)
    if context.get("lt") == 1 and isinstance(written, int | float) and 1 < written < 100:
        part = f"{written / 100:g}"
        near = Remedy(f"a rate is a part of one: `{part}` for {written} percent", edits.replaced(place, part))
    if written in ("None", "none") and key.endswith(("activation", "regularizer", "constraint")):
        near = Remedy("write `null` for none", edits.replaced(place, "null", certain=True))
    if key == "output" and isinstance(written, str) and near.help is None:
        near = Remedy("write `output: true`; the output bears the name of the step")
    if near.help is None and isinstance(written, str):
        near = renamed(written, words, place, most=30)
    return Diagnostic("bad-value", text, place, help=near.help, fix=near.fix)


_ELSEWHERE = {
    "outputs": "outputs are marked at their steps: `{dense: 10, as: logits, output: true}`",
    "input_shape": "sizes of inputs stand under `inputs` of the file",
    "in_channels": "leave it out: the channels of the input are known",
    "in_features": "leave it out: the size of the input is known",
    "num_features": "leave it out: the channels of the input are known",
    "inplace": "leave it out: tensors never change",
    "data_format": "leave it out: specs are channels last, and `build --data-format` chooses",
}
"""arguments of other frameworks that have no counterpart, and what there is instead"""


def _unknown(loc: tuple[str | int, ...], item: Any, where: Where, what: str, names: Names) -> Diagnostic:
    key = str(loc[-1])
    settings = next((part for part in item["loc"] if str(part).endswith("Config")), None)
    known = next((one.model_fields for one in Config.__subclasses__() if one.__name__ == settings), None) or names(loc)
    if len(loc) > 1:
        message = f"`{loc[-2]}` has no setting `{key}`"
    else:
        message = f"{what} has no {'argument' if what.startswith('`') else 'key'} `{key}`"
    place = where(loc, True)
    near = Remedy(_ELSEWHERE[key]) if key in _ELSEWHERE and key not in known else renamed(key, known, place, most=30)
    return Diagnostic("unknown-argument", message, place, help=near.help, fix=near.fix)


def _missing(loc: tuple[str | int, ...], item: Any, where: Where, what: str) -> Diagnostic:
    key = str(loc[-1]) if loc else ""
    example, fix = f"{key}: ...", None
    first = next(iter(item["input"]), None) if isinstance(item.get("input"), dict) else None
    if key == "resspec":
        example = "resspec: 1"
        fix = _put_before(where((first,), True), "resspec: 1\n", where((), False)) if first is not None else None
    elif key == "name" and first in ("l1", "l2", "l1_l2"):  # `{l2: 1e-4}`, as Keras itself prints it
        example = f"name: {first}"
        fix = _put_before(where((*loc[:-1], first), True), f"name: {first}, ", where(loc[:-1], False))
    owner = f"`{loc[-2]}`" if len(loc) > 1 else what
    place = where(loc[:-1], True)
    return Diagnostic("missing-argument", f"{owner} needs `{key}`", place, help=f"add `{example}`", fix=fix)


def _put_before(key: Span | None, text: str, whole: Span | None) -> Fix | None:
    """A new entry before the first one: in braces one that ends in `, `, else one that ends its line."""
    if key is None or whole is None:
        return None
    braces = (whole.line, whole.column) != (key.line, key.column)
    if braces != text.endswith(", "):
        between = ", " if braces else "\n" + " " * (key.column - 1)
        text = text.strip(", \n") + between
    return edits.replaced(edits.before(key), text, certain=True)


def _words(item: Any) -> list[str]:
    return [word.strip().strip("'") for word in item["ctx"]["expected"].replace(" or ", ",").split(",")]


_PLAIN = {
    "int_type": "must be an integer",
    "int_from_float": "must be an integer",
    "float_type": "must be a number",
    "string_type": "must be a word",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "none_required": "must be null",
    "finite_number": "must be finite",
}


def _expected(item: Any) -> str:
    kind, context = item["type"], item.get("ctx", {})
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind == "literal_error":
        return f"must be {context['expected']}" if len(context["expected"]) < 120 else "must be one of the known names"
    if (bound := _bound(item)) is not None:
        return f"must be {_BOUNDS[bound]} {context[bound]}"
    return str(item["msg"]).lower()


_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def _bound(item: Any) -> str | None:
    """Which bound a value of the right type is beyond."""
    return next((bound for bound in _BOUNDS if bound in item.get("ctx", {})), None)


def shown(value: Any) -> str:
    """A value as a file would have it, for messages."""
    if value is None:
        return "nothing"
    if isinstance(value, BaseModel | dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        text = f"[{', '.join(shown(item).strip('`') for item in value)}]"
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text[:60]}{'...' if len(text) > 60 else ''}`"
