"""Which tensors a step takes: taps by name, `from`, and the previous value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resspec.diagnostics import Label, Span
from resspec.language.schema import Step
from resspec.language.scope import Poisoned, Problem, Result, Scope
from resspec.language.slots import TEXT
from resspec.suggest import Remedy, renamed

if TYPE_CHECKING:
    from resspec.language.expand import Expander

Sources = list[Result] | dict[str, Result]
"""the inputs of a step in order, or by the names of a block's inputs"""


def find(expander: Expander, text: Any, scope: Scope, step: Step, *loc: str | int) -> Result:
    """The result that a tap's name stands for: `x`, `skip$i`, `prev`, `call.high`."""
    where = expander.place(step, *loc)
    if not isinstance(text, str):
        raise Problem("bad-value", "a tensor is named by a word", where)
    value = expander.value(text, TEXT, scope, step, *loc)
    if not isinstance(value, str):
        raise Problem(
            "bad-value", f"`{text}` is no name of a tensor", where, f"write `{text.strip('$()')}`, without `$`"
        )
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
            names = {n for s in scope.outwards() for n in s.body.taps} | {"in", "prev"}
            word = Span(where.file, where.line, where.column, where.line, where.column + len(head))
            remedy = renamed(head, names, word if text == name and where.end_line == where.line else None)
            if scope.binding(head) is not None:
                remedy = Remedy(f"`{head}` is a value; to use it in a name write `${head}`")
            raise Problem("unknown-name", f"there is no tensor `{head}` here", where, remedy.help, fix=remedy.fix)
        if tap.skipped:
            raise Problem(
                "skipped-name",
                f"`{head}` does not exist here: every step that defines it was skipped",
                where,
                labels=(Label(tap.span, "its `when` is false"),),
            )
        result = tap.result
    if result.poisoned:
        raise Poisoned
    if part:
        picked = result.pick(part)
        if picked is None:
            names_of = ", ".join(f"`{one}`" for one in result.names) or "no named results"
            raise Problem("unknown-name", f"`{head}` has no result `{part}`; it has {names_of}", where)
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
