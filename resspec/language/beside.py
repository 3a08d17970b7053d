"""Keys beside the op of a step that do not belong there, and what was meant by them."""

from __future__ import annotations

from functools import partial
from typing import Any

from resspec import edits
from resspec.diagnostics import Edit, Fix, Span
from resspec.language.errors import Misfit, Where, shown
from resspec.ops import by_kind
from resspec.ops.merge import Merge
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
    if op in ("repeat", "for") and any(key in ops for key in others):
        key = next(key for key in others if key in ops)
        return Misfit(f"`{key}` stands beside `{op}`", "put the steps of the loop under `do:`", at=(key,), key=True)
    if op in ops and issubclass(ops[op], Merge) and all(step[key] is None for key in others):
        tensors = ", ".join(str(one) for one in (step[op], *others))
        return Misfit(
            f"the comma ends the value of `{op}`",
            f"name several tensors in a list: `{op}: [{tensors}]`",
            at=(others[0],),
            key=True,
            fix=lambda where: _listed(where, op, others[-1]),
        )
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
        primary = "of" if issubclass(ops[op], Merge) else ops[op].primary
        value = step[op]
        plain = primary is not None and value is not None and not isinstance(value, dict)
        lone = f"{primary}: {shown(value).strip('`')}, " if plain else ""
        return Misfit(
            f"`{inside[0]}` stands beside `{op}`, not inside it",
            f"write `{op}: {{{lone}{inside[0]}: ...}}`, with all arguments inside the braces",
            at=(inside[0],),
            key=True,
            fix=lambda where: _moved_inside(where, step, op, primary, inside),
        )
    return Misfit(
        f"a step has one op, got {names}",
        "begin a new step with `-`, or put arguments inside the op: `" + f"{op}: {{...}}`",
        at=(others[0],),
        key=True,
        fix=lambda where: _new_step(where, op, others[0]) if others[0] in ops else None,
    )


def _listed(where: Where, op: str, last: Any) -> Fix | None:
    begin, end = where((op,), False), where((last,), True)
    if begin is None or end is None or begin.line != end.line:
        return None
    return Fix((Edit(edits.before(begin), "["), Edit(edits.behind(end), "]")), certain=True)


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


def _moved_inside(where: Where, step: dict[Any, Any], op: str, primary: str | None, keys: list[str]) -> Fix | None:
    """`conv: 4` and the `kernel_size: 3` behind it, as one mapping."""
    name, place, whole, last = where((op,), True), where((op,), False), where((), False), where((keys[-1],), False)
    if name is None or place is None or whole is None or last is None or primary is None or step[op] is None:
        return None
    if isinstance(step[op], dict) or place.line != name.line or place.end_line != name.line:
        return None
    order = list(step)
    if where((order[0],), True) != edits.first(whole, len(str(order[0]))):  # in braces
        begin = order.index(op) + 1
        if order[begin : begin + len(keys)] != keys:
            return None
        return Fix((Edit(edits.before(place), f"{{{primary}: "), Edit(edits.behind(last), "}")))
    rest = _indented(where, keys)
    between = Span(name.file, name.line, name.end_column, place.line, place.column)
    return Fix((Edit(between, f":\n{' ' * (name.column + 1)}{primary}: "), *rest.edits)) if rest is not None else None


def _new_step(where: Where, op: str, other: str) -> Fix | None:
    """A `-` before an op that stands below another."""
    one, two = where((op,), True), where((other,), True)
    if one is None or two is None or one.line == two.line or two.column < 3:
        return None
    dash = Span(two.file, two.line, two.column - 2, two.line, two.column)
    return Fix((Edit(dash, "- "),))
