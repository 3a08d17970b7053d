"""`expect: [H/32, W/32, 2048]`: the shape that must stand here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resspec import edits
from resspec.diagnostics import Fix, Span
from resspec.domain import Requirement
from resspec.language import taps
from resspec.language.schema import Step
from resspec.language.scope import Problem, Result, Scope
from resspec.language.slots import NUMBER
from resspec.sizes import Size

if TYPE_CHECKING:
    from resspec.language.expand import Expander


def hold(expander: Expander, step: Step, scope: Scope, source: taps.Sources) -> Result:
    """The input of the step, if it has the shape that the step says; `/` restricts the sizes that are legal."""
    result = taps.single(expander, source, step)
    where = expander.place(step, "expect")
    if not isinstance(step.arguments, list):
        raise Problem("bad-value", "`expect` is a list of sizes", where, "write `expect: [56, 56, 64]`")

    def require(requirement: Requirement) -> None:
        expander.builder.require(requirement, where, "`expect`")

    wanted = expander.value(step.arguments, NUMBER, scope, step, "expect", require=require)
    got = result.specs[0].shape
    fits = len(wanted) == len(got) and all(
        size is None or expander.builder.equal(size, actual) for size, actual in zip(wanted, got, strict=True)
    )
    if fits:
        return result
    text = f"({', '.join('*' if size is None else str(size) for size in wanted)})"
    message = f"expected {text}, got {result.specs[0]}"
    if len(wanted) == len(got) + 1 and wanted[0] in (None, 1):
        raise Problem("expect-failed", message, where, "leave the batch out", fix=_meant(got, where))
    fix = _meant(got, where) if all(size is None or isinstance(size, int) for size in step.arguments) else None
    raise Problem("expect-failed", message, where, "change the steps before, or what is expected of them", fix=fix)


def _meant(got: tuple[Size, ...], where: Span) -> Fix | None:
    """The shape that is there, where it is one of numbers."""
    numbers = all(isinstance(size, int) for size in got)
    return edits.replaced(where, f"[{', '.join(map(str, got))}]") if numbers else None
