"""Calls of ops: what `conv: {filters: 64}` and `keras.Conv2D: {...}` become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from resspec import edits
from resspec.diagnostics import Diagnostic, Span
from resspec.language import defaults, merges, mismatch, names, nodes, static, taps
from resspec.language.arguments import Several, Where, make_op, misfits, problem_of, span_in
from resspec.language.schema import Step
from resspec.language.scope import Poisoned, Problem, Result, Scope
from resspec.language.slots import TEXT, SlotError, read, slots_of
from resspec.ops.base import Op, OpError
from resspec.ops.foreign import ALLOWED, KerasLayer
from resspec.ops.merge import Merge
from resspec.sizes import Periodic, Product
from resspec.suggest import synonym

if TYPE_CHECKING:
    from resspec.language.expand import Expander


def op(expander: Expander, step: Step, scope: Scope, source: taps.Sources) -> Result:
    """A call of an op."""
    assert step.op is not None
    kind = KerasLayer if step.op.startswith("keras.") else expander.ops.get(step.op)
    foreign = step.op.removeprefix("keras.") if kind is KerasLayer else None
    if kind is None or (foreign is not None and foreign not in ALLOWED and synonym(step.op, expander.ops)):
        raise static.unknown_op(expander, step, scope.instance.document)
    operands = taps.in_order(source)
    raw = step.arguments
    options: dict[str, Any] = {}
    if issubclass(kind, Merge):
        operands, raw, options = merges.operands(expander, step, scope, operands, kind)
    elif not operands:
        taps.single(expander, operands, step)
    made = _made(expander, kind, step, scope, raw)
    if any(operand.poisoned for operand in operands):
        raise Poisoned
    operands = [operand.first for operand in operands]
    if kind.arity == (1, 1) and len(operands) > 1:
        place = expander.place(step, "from")
        help = "merge them first, by `add` or `concat`"
        raise Problem("wrong-inputs", f"`{step.op}` takes one input, got {len(operands)}", place, help)
    if isinstance(made, Merge):
        merges.doubts(expander, step, operands)
    path = _path(expander, step, scope)
    operands = merges.mended(expander, operands, options, path, step, scope)
    if isinstance(made, KerasLayer):
        made = _resolve(expander, made, operands, step)
    try:
        return nodes.add(expander, made, operands, path, step, scope)
    except Problem as problem:
        if isinstance(made, Merge):
            raise mismatch.explained(expander, problem, step, scope, made, operands) from None
        raise


def _made(expander: Expander, kind: type[Op], step: Step, scope: Scope, raw: Any) -> Op:
    assert step.op is not None
    where = span_in(step.tree, step.op)
    if kind is KerasLayer:
        return _foreign(expander, step, scope, raw)
    if isinstance(raw, dict) and not ("match" in raw and "match" not in kind.model_fields):
        given = raw
    elif raw is None:
        given = {}
    elif kind.primary is None:
        raise _no_primary(kind, raw, where((), False))
    else:
        given = {kind.primary: raw}
    lone = given is not raw
    slots = slots_of(kind)
    lookup = expander.lookup(scope)
    values: dict[str, Any] = {}
    failed: list[Diagnostic] = []
    for name, item in given.items():
        try:
            value = read(item, slots.get(name, TEXT), lookup)
        except SlotError as error:
            loc = error.path if lone else (name, *error.path)
            failed.append(problem_of(error, where(loc, False), scope.visible, texts=False).diagnostic)
            continue
        if isinstance(value, Periodic | Product) or (type(value) is tuple and any(map(_unknown, value))):
            place = where(() if lone else (name,), False)
            message = f"`{name}` needs numbers, `{_sizes(value)}` is unknown"
            help = "give the input numbers along this axis, or an op that needs none"
            failed.append(Problem("unknown-size", message, place, help).diagnostic)
            continue
        values[name] = value
    if "name" in values and "name" not in kind.model_fields and (misplaced := names.inside(step)) is not None:
        del values["name"]
        failed.append(misplaced.diagnostic)
    if failed:
        missing = "missing-argument"  # which of the failed ones may have been
        others = misfits(kind, values, lambda loc, is_key: where(loc[1:] if lone else loc, is_key))
        raise Several([*failed, *(one for one in others if one.code != missing)])
    # equal calls make one op, so that what is known of it is found out once
    key = (kind, id(scope.instance.document), tuple((name, type(value), value) for name, value in values.items()))
    try:
        found = expander.made.get(key)
    except TypeError:  # the settings of a named thing are a dict
        return _checked(expander, kind, values, scope, where, lone)
    if found is None:
        found = expander.made[key] = _checked(expander, kind, values, scope, where, lone)
    return found


def _no_primary(kind: type[Op], raw: Any, where: Span) -> Problem:
    """A lone value for an op that has no argument which alone could be meant."""
    known = ", ".join(f"`{name}`" for name in kind.model_fields)
    message = f"`{kind.kind}` takes its arguments by name" if known else f"`{kind.kind}` takes no arguments"
    if kind.kind == "relu" and isinstance(raw, int | float) and not isinstance(raw, bool):
        meant = f"{{max_value: {raw}}}"
        help = f"a greatest value is written `relu: {meant}`" + (", or `relu6`" if raw == 6 else "")
        return Problem("bad-value", message, where, help, fix=edits.replaced(where, meant))
    return Problem("bad-value", message, where, f"its arguments are {known}" if known else f"write `{kind.kind}` alone")


def _by_name(kind: type[Op], value: Any) -> str | None:
    """A list for an op whose lone value is no list: arguments by position, as in Python."""
    if not isinstance(value, tuple) or not 1 < len(value) <= len(kind.model_fields):
        return None
    ordered = sorted(kind.model_fields, key=lambda name: name != kind.primary)
    pairs = ", ".join(f"{name}: {item}" for name, item in zip(ordered, value, strict=False))
    return f"arguments are given by name: `{kind.kind}: {{{pairs}}}`"


def _unknown(value: Any) -> bool:
    return isinstance(value, Periodic | Product)


def _sizes(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


def _checked(expander: Expander, kind: type[Op], values: dict[str, Any], scope: Scope, where: Where, lone: bool) -> Op:
    """The op, or every argument that is wrong; a lone value stands where the step's value stands."""
    try:
        return make_op(
            kind,
            values,
            defaults.of(expander, kind, scope),
            lambda loc, is_key: where(loc[1:] if lone else loc, is_key),
            merges.keys(kind),
        )
    except Several as several:
        found = []
        for one in several.diagnostics:
            for name, value in values.items():
                if one.span == where(() if lone else (name,), False):
                    if isinstance(value, str) and (binding := scope.binding(value)) is not None:
                        help = f"`{value}` is a value here; where a word is wanted, write `${value}`"
                        fix = edits.replaced(one.span, f"${value}", certain=isinstance(binding.value, str))
                        one = replace(one, help=help, fix=fix)
                    if lone:  # nobody wrote the name of the argument
                        one = replace(one, message=one.message.replace(f"`{name}`", f"`{name}` of `{kind.kind}`", 1))
                        one = replace(one, help=one.help or _by_name(kind, value))
            found.append(one)
        raise Several(found) from None


def _foreign(expander: Expander, step: Step, scope: Scope, raw: Any) -> Op:
    """`keras.<Class>`: any other layer of Keras from the list of those that are plain data."""
    assert step.op is not None
    if raw is not None and not isinstance(raw, dict):
        raise Problem(
            "bad-value",
            f"`{step.op}` takes its arguments by name",
            expander.place(step, step.op),
            f"write `{step.op}: {{name: value}}`",
        )
    values = {str(key): expander.value(item, TEXT, scope, step, step.op, key) for key, item in (raw or {}).items()}
    try:
        return KerasLayer.of(step.op.removeprefix("keras."), values)
    except OpError as error:
        where = span_in(step.tree, step.op)((error.argument,) if error.argument else (), False)
        raise Problem(error.code, error.message, where, error.help) from None


def _resolve(expander: Expander, op: KerasLayer, operands: Sequence[Result], step: Step) -> Op:
    if expander.resolver is None:
        return op  # says itself that Keras is needed
    try:
        return op.resolved(expander.resolver, tuple(operand.specs[0] for operand in operands))
    except OpError as error:
        help = error.help or f"its arguments are those of `keras.layers.{op.class_name}`"
        raise Problem(error.code, error.message, expander.place(step, str(step.op), key=True), help) from None


def _path(expander: Expander, step: Step, scope: Scope) -> str:
    if step.name is not None:
        return expander.paths.named(scope.prefix, expander.name(step, scope)[0])
    assert step.op is not None
    return expander.paths.unnamed(scope.prefix, step.op.removeprefix("keras.").lower())
