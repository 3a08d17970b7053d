"""Pydantic's errors as findings: one mistake, one finding, with a place and a remedy."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from resspec.diagnostics import Diagnostic, Span
from resspec.suggest import Remedy, renamed

MOST = 20
"""errors of one validation that are told; a broken union repeats itself"""


def findings(
    error: ValidationError,
    where: Callable[[tuple[str | int, ...], bool], Span | None],
    what: str,
    names: Iterable[str],
) -> list[Diagnostic]:
    """The errors of one validation, at most one for each place.

    `where(loc, key)` is the span of a value or of its key; `what` names the thing that was checked
    ("`conv`", "the spec"), `names` are the keys it has.
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
    """The loc up to the branches of a union, whose names are no part of the file."""
    return tuple(itertools.takewhile(lambda part: isinstance(part, int) or not _BRANCH.fullmatch(part), loc))


def _one(
    loc: tuple[str | int, ...],
    items: list[Any],
    where: Callable[[tuple[str | int, ...], bool], Span | None],
    what: str,
    names: Iterable[str],
) -> Diagnostic:
    item = max(items, key=lambda one: (one["type"] == "value_error", one["type"] == "extra_forbidden"))
    kind, context = item["type"], item.get("ctx", {})
    key = str(loc[-1]) if loc else ""
    argument = next((str(part) for part in reversed(loc) if isinstance(part, str)), key)
    if kind == "extra_forbidden":
        known = names if len(loc) == 1 else ()
        message = f"`{loc[-2]}` has no setting `{key}`" if len(loc) > 1 else f"{what} has no argument `{key}`"
        place = where(loc, True)
        near = renamed(key, known, place, most=30)
        return Diagnostic("unknown-argument", message, place, help=near.help, fix=near.fix)
    if kind == "missing":
        example = "resspec: 1" if key == "resspec" else f"{key}: ..."
        owner = what if len(loc) == 1 else f"`{loc[-2]}`"
        return Diagnostic("missing-argument", f"{owner} needs `{key}`", where(loc[:-1], True), help=f"add `{example}`")
    if kind == "value_error":
        message, _, remedy = str(context["error"]).partition("|")
        return Diagnostic("bad-value", message, where(loc, False), help=remedy or None)
    got = _shown(item.get("input"))
    words = [word for one in items if one["type"] == "literal_error" for word in _words(one)]
    text = f"`{argument}` {' or '.join(dict.fromkeys(_expected(one) for one in items))}, got {got}"
    written, place = item.get("input"), where(loc, False)
    near = renamed(written, words, place, most=30) if isinstance(written, str) else Remedy()
    return Diagnostic("bad-value", text, place, help=near.help, fix=near.fix)


def _words(item: Any) -> list[str]:
    return [word.strip().strip("'") for word in item["ctx"]["expected"].replace(" or ", ",").split(",")]


_PLAIN = {
    "int_type": "must be an integer",
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
    for bound, text in (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than")):
        if bound in context:
            return f"must be {text} {context[bound]}"
    return str(item["msg"]).lower()


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, BaseModel):
        return "a mapping"
    text = " ".join((str(list(value)) if isinstance(value, tuple) else str(value)).split("\n"))
    return f"`{text[:60]}{'...' if len(text) > 60 else ''}`"
