"""Keys beside the op of a step that do not belong there, and what was meant by them."""

from __future__ import annotations

from functools import partial
from typing import Any

from resspec import edits
from resspec.diagnostics import Edit, Fix, Span
from resspec.language.errors import Misfit, Where
from resspec.ops import by_kind
from resspec.suggest import did_you_mean, renamed

KEYS = frozenset({"as", "from", "when", "output", "let", "share", "trainable", "do"})
"""keys that may stand beside a step's op"""


def misfit(step: dict[Any, Any], keys: list[Any]) -> Misfit:
    """What is wrong with a step that has several keys besides those that may stand beside its op."""
    ops = by_kind()
    op = next((key for key in keys if key in ops or key in ("repeat", "for", "tap", "expect")), keys[0])
    others = [key for key in keys if key != op]
    arguments = ops[op].model_fields if op in ops else {}
    inside = [key for key in others if key in arguments]
    names = ", ".join(f"`{key}`" for key in keys)
    if inside and len(inside) == len(others) and step[op] is None:
        message = f"{', '.join(f'`{key}`' for key in inside)} stand beside `{op}`, not inside it"
        if len(inside) == 1:
            message = message.replace(" stand ", " stands ")
        return Misfit(
            message,
            f"put the arguments of `{op}` further to the right than `{op}` itself, or in braces",
            at=(inside[0],),
            key=True,
            fix=lambda where: _indented(where, inside, certain=True),
        )
    for key in others:
        if key not in inside and key not in ops and (help := did_you_mean(str(key), KEYS - step.keys(), most=0)):
            return Misfit(f"`{key}` is no key of a step", help, at=(key,), key=True, fix=partial(_renamed, key))
    if inside:
        primary = ops[op].primary
        lone = f"{primary}: {step[op]}, " if primary and not isinstance(step[op], dict) and step[op] is not None else ""
        return Misfit(
            f"`{inside[0]}` stands beside `{op}`, not inside it",
            f"write `{op}: {{{lone}{inside[0]}: ...}}`, with all arguments inside the braces",
            at=(inside[0],),
            key=True,
            fix=lambda where: _moved_inside(where, op, step[op], primary, inside),
        )
    return Misfit(
        f"a step has one op, got {names}",
        "begin a new step with `-`, or put arguments inside the op: `" + f"{op}: {{...}}`",
        at=(others[0],),
        key=True,
        fix=lambda where: _new_step(where, op, others[0]) if others[0] in ops else None,
    )


def _renamed(key: Any, where: Where) -> Fix | None:
    return renamed(str(key), KEYS, where((key,), True)).fix


def _indented(where: Where, keys: list[str], *, certain: bool = False) -> Fix | None:
    """The entries of a block mapping two to the right."""
    changes: list[Edit] = []
    for key in keys:
        name, value, whole = where((key,), True), where((key,), False), where((), False)
        if name is None or value is None or whole is None or name.line == whole.line:
            return None  # in braces there are no lines to move
        changes += edits.indented(name.file, name.line, max(name.line, value.end_line))
    return Fix(tuple(changes), certain)


def _moved_inside(where: Where, op: str, value: Any, primary: str | None, keys: list[str]) -> Fix | None:
    """`conv: 4` with `kernel_size: 3` below it, as a mapping of both."""
    name, place, rest = where((op,), True), where((op,), False), _indented(where, keys)
    if name is None or place is None or rest is None or primary is None or not isinstance(value, str | int | float):
        return None
    if place.line != name.line or place.end_line != name.line:
        return None
    between = Span(name.file, name.line, name.end_column, place.line, place.column)
    return Fix((Edit(between, f":\n{' ' * (name.column + 1)}{primary}: "), *rest.edits))


def _new_step(where: Where, op: str, other: str) -> Fix | None:
    """A `-` before an op that stands below another."""
    one, two = where((op,), True), where((other,), True)
    if one is None or two is None or one.line == two.line or two.column < 3:
        return None
    dash = Span(two.file, two.line, two.column - 2, two.line, two.column)
    return Fix((Edit(dash, "- "),))
