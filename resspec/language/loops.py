"""`repeat` and `for`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from resspec import edits, limits
from resspec.graph import Frame, Group, Origin
from resspec.language import static, taps
from resspec.language.expressions import Value
from resspec.language.schema import NAME, RESERVED, Step
from resspec.language.scope import POISON, Binding, Body, Problem, Result, Scope
from resspec.language.slots import NUMBER, integral

if TYPE_CHECKING:
    from resspec.language.expand import Expander


def loop(expander: Expander, step: Step, scope: Scope, source: taps.Sources) -> Result:
    """`repeat: n` and `for: {...}`: the body once for every turn, the result of one the input of the next."""
    assert step.op is not None
    key = expander.place(step, step.op, key=True)
    if step.do is None:
        help = "put the steps that are repeated under `do:`, beside it"
        raise Problem("missing-argument", f"`{step.op}` needs `do`", key, help)
    turns = _repeat(expander, step, scope) if step.op == "repeat" else _for(expander, step, scope)
    _room(expander, len(turns), step, scope)
    result = taps.single(expander, source, step)
    if not turns:
        static.check_body(expander, step.do, scope.instance.document)
    identity = next(expander.loops)
    if step.op == "for":
        expander.walked[identity] = step
    # a name without `$` is that of the whole loop, one with `$` that of each turn
    whole = step.name is not None and "$" not in step.name
    level = _level(expander, step, scope) if whole and turns else ""
    for values in turns:
        bindings = {name: Binding(value, frozenset((identity,))) for name, value in values.items()}
        turn = Scope(scope.instance, Body(result, result), scope.prefix, scope, bindings, identity)
        turn.trainable = expander.trains(scope)
        label = "turn " + ", ".join(f"{name} = {brief(value)}" for name, value in values.items())
        turn.frames = (*scope.frames, Frame(label, "", key))
        try:
            turn.values.update(expander.lets(step.let, turn, step))
            if step.name is not None and not whole:
                level = _level(expander, step, turn)
        except Problem as problem:
            expander.tell(problem.diagnostic, turn)
            return POISON
        if level:
            turn.prefix = f"{level}/"
            turn.frames = (*scope.frames, Frame(label, level, key))
        result = expander.result(level, expander.steps_in(step.do, turn))
        if step.name is not None and not whole:
            expander.publish(step, turn, result, scope)
    if whole:
        expander.publish(step, scope, result, scope)
    elif step.output and step.name is None:
        raise Problem(
            "missing-argument", "`output: true` needs a name", expander.place(step, "output"), "add `as: ...`"
        )
    return result


def _level(expander: Expander, step: Step, scope: Scope) -> str:
    """Open the level of the path that the loop's name gives."""
    path = expander.paths.named(scope.prefix, expander.name(step, scope)[0])
    expander.builder.groups[path] = Group(path, str(step.op), {}, Origin(step.tree.span, scope.frames))
    return path


def _room(expander: Expander, turns: int, step: Step, scope: Scope) -> None:
    """Refuse loops that cannot end within the limits before their first turn."""
    if expander.steps + turns * max(1, len(step.do or ())) > limits.STEPS or len(scope.frames) >= limits.CALL_DEPTH:
        deep = len(scope.frames) >= limits.CALL_DEPTH
        what = f"{limits.CALL_DEPTH} levels of blocks and loops" if deep else f"{limits.STEPS} steps"
        raise Problem("too-many-steps", f"this takes more than {what}", expander.place(step, str(step.op)), FEWER)


def _repeat(expander: Expander, step: Step, scope: Scope) -> Sequence[dict[str, Value]]:
    where = expander.place(step, "repeat")
    count = integral(expander.value(step.arguments, NUMBER, scope, step, "repeat"))
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        help = f"to walk a list write `for: {{x: {brief(count)}}}`" if isinstance(count, tuple) else None
        if isinstance(count, float):
            help = "`//` divides without a rest, `round`, `floor` and `ceil` make whole numbers"
        raise Problem("bad-value", f"`repeat` needs a whole number of turns, got `{brief(count)}`", where, help)
    if count > limits.STEPS:
        raise Problem(
            "too-many-steps", f"`repeat` of {count} turns; at most {limits.STEPS} steps are taken", where, FEWER
        )
    return [{"i": i} for i in range(count)]


def _for(expander: Expander, step: Step, scope: Scope) -> Sequence[dict[str, Value]]:
    where = expander.place(step, "for")
    if not isinstance(step.arguments, dict) or not step.arguments:
        match = re.fullmatch(r"(\w+) in (.+)", str(step.arguments))
        example = f"{{{match[1]}: {match[2]}}}" if match else "{width: [64, 128]}"
        help = f"write `for: {example}`, or `repeat: 3` to count turns"
        raise Problem("bad-value", "`for` names its variables and their lists", where, help)
    columns: dict[str, Sequence[Any]] = {}
    for names, raw in step.arguments.items():
        values = expander.value(raw, NUMBER, scope, step, "for", names)
        if not isinstance(values, tuple):
            place, shown = expander.place(step, "for", names), brief(values)
            number = isinstance(values, int) and not isinstance(values, bool)
            help = f"write `[{shown}]` for a list of one" + (", or `repeat` for a number of turns" if number else "")
            message = f"`for` walks lists, `{names}` is `{shown}`"
            raise Problem("bad-value", message, place, help, fix=edits.wrapped(place, "[", "]"))
        columns |= _column(expander, str(names), values, step)
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"`{name}` has {length}" for name, length in lengths.items())
        help = "make them equally long; a loop in a loop carries out every combination"
        raise Problem("unequal-lists", f"`for` walks lists of one length: {told}", where, help)
    rows = zip(*columns.values(), strict=True)
    return [{"i": i} | dict(zip(columns, row, strict=True)) for i, row in enumerate(rows)]


def _column(expander: Expander, names: str, values: Sequence[Any], step: Step) -> dict[str, Sequence[Any]]:
    """One variable, or several that unpack rows: `"t, c, n": rows`."""
    parts = [part.strip() for part in names.split(",")]
    where = expander.place(step, "for", names, key=True)
    for part in parts:
        if not NAME.fullmatch(part) or part in RESERVED:
            raise Problem("bad-name", f"`{part}` cannot name a loop variable", where, "choose another name")
    if len(parts) == 1:
        return {parts[0]: values}
    for row in values:
        if not isinstance(row, tuple) or len(row) != len(parts):
            message = f"`{names}` unpacks rows of {len(parts)}, got `{brief(row)}`"
            raise Problem("unequal-lists", message, where, "give every row as many items as there are names")
    return {part: [row[k] for row in values] for k, part in enumerate(parts)}


FEWER = "let loops take fewer turns, or recursions end sooner"


def brief(value: Any) -> str:
    """A value in few characters, for messages."""
    text = str(list(value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."
