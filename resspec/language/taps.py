"""Which tensors a step takes: taps by name, `from`, and the previous value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resspec import edits
from resspec.diagnostics import Label, Span
from resspec.language import whereabouts
from resspec.language.errors import shown
from resspec.language.schema import Step
from resspec.language.scope import Poisoned, Problem, Result, Scope
from resspec.language.slots import TEXT
from resspec.suggest import Remedy, renamed
from resspec.tensor import TensorSpec

if TYPE_CHECKING:
    from resspec.language.expand import Expander

Sources = list[Result] | dict[str, Result]
"""the inputs of a step in order, or by the names of a block's inputs"""


def find(expander: Expander, text: Any, scope: Scope, step: Step, *loc: str | int) -> Result:
    """The result that a tap's name stands for: `x`, `skip$i`, `prev`, `call.high`."""
    where = expander.place(step, *loc)
    if not isinstance(text, str):
        help = "write the name that its step was given with `as`"
        raise Problem("bad-value", f"a tensor is named by a word, got {shown(text)}", where, help)
    value = expander.value(text, TEXT, scope, step, *loc)
    if not isinstance(value, str):
        meant = text.strip("$()")
        fix = edits.replaced(where, meant, certain=True) if isinstance(value, TensorSpec) else None
        raise Problem("bad-value", f"`{text}` is no name of a tensor", where, f"write `{meant}`, without `$`", fix=fix)
    name = value
    head, _, part = name.partition(".")
    if head in ("in", "prev"):
        result = scope.body.input if head == "in" else scope.body.prev
        if result is None:
            raise Problem(
                "undefined-input",
                f"`{head}` is not defined before the first `from`, since there are several inputs",
                where,
                "begin with `from: " + next(iter(expander.builder.inputs), "x") + "`",
            )
    else:
        tap = scope.tap(head)
        if tap is None:
            word = Span(where.file, where.line, where.column, where.line, where.column + len(head))
            raise whereabouts.unknown(expander, head, scope, word if part and where.end_line == where.line else where)
        if tap.skipped:
            raise Problem(
                "skipped-name",
                f"`{head}` does not exist here: every step that defines it was skipped",
                where,
                "give the step that uses it the same `when`, or let another step define it in the other case",
                labels=(Label(tap.span, "its `when` is false"),),
            )
        result = tap.result
    if result.poisoned:
        raise Poisoned
    if part:
        picked = result.pick(part)
        if picked is None:
            names_of = ", ".join(f"`{one}`" for one in result.names) or "one result, without a name"
            remedy = renamed(name, [f"{head}.{one}" for one in result.names], edits.exactly(where, name), most=0)
            message = f"`{head}` has no result `{part}`; it has {names_of}"
            if part.rstrip("0123456789") + "0" in result.names:
                remedy = Remedy(f"they are counted from 0: the last one is `{head}.{result.names[-1]}`")
            raise Problem("unknown-name", message, where, remedy.help, fix=remedy.fix)
        return picked
    return result


def source(expander: Expander, step: Step, scope: Scope) -> Sources:
    """The inputs of the step: those of `from`, or the previous value."""
    if step.source is None:
        return [scope.body.prev] if scope.body.prev is not None else []
    if isinstance(step.source, list):
        return [find(expander, item, scope, step, "from", i) for i, item in enumerate(step.source)]
    if isinstance(step.source, dict):
        return {key: find(expander, item, scope, step, "from", key) for key, item in step.source.items()}
    return [find(expander, step.source, scope, step, "from")]


def in_order(source: Sources) -> list[Result]:
    return list(source.values()) if isinstance(source, dict) else source


def passed(expander: Expander, step: Step, scope: Scope) -> Result | None:
    """What a skipped step passes through: its first input, where that exists."""
    try:
        found = in_order(source(expander, step, scope))
    except Problem:
        if isinstance(step.source, str):
            return None  # its input may have been skipped with it
        raise
    return found[0].first if found else None


def single(expander: Expander, source: Sources, step: Step) -> Result:
    """The one input of a step."""
    items = in_order(source)
    if not items:
        raise Problem(
            "undefined-input",
            "`prev` is not defined before the first `from`, since there are several inputs",
            step.tree.span,
            "say which input is meant: `from: " + next(iter(expander.builder.inputs), "x") + "`",
        )
    if len(items) > 1:
        raise Problem("wrong-inputs", f"one input is wanted here, got {len(items)}", expander.place(step, "from"))
    if items[0].poisoned:
        raise Poisoned
    return items[0]
