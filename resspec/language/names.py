"""Names of steps: one that cannot be a name, one in the wrong place, one that is to be given."""

from __future__ import annotations

import re

from resspec import edits, yamledits, yamltree
from resspec.diagnostics import Edit, Fix, Span
from resspec.language.schema import NAME, Step
from resspec.language.scope import Problem


def illegal(name: str, where: Span, written: str | None) -> Problem:
    """The finding for `name`, and a name like it; `written` is what stands in the file, where `$` is not filled in."""
    meant = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    near = meant if NAME.fullmatch(meant) else None
    return Problem(
        "bad-name",
        f"`{name}` is not a name: letters, digits and `_`, a letter first",
        where,
        f"write `{near}`" if near else "begin with a letter",
        fix=edits.replaced(where, near) if near and written == name else None,
    )


def inside(step: Step) -> Problem | None:
    """`conv: {filters: 4, name: stem}`, as in Keras: the name of a step stands beside its op, under `as`."""
    op = step.tree.get(step.op) if step.op and isinstance(step.tree, yamltree.Mapping) else None
    arguments = op.value if op is not None else None
    entry = arguments.get("name") if isinstance(arguments, yamltree.Mapping) else None
    if not isinstance(arguments, yamltree.Mapping) or entry is None or not isinstance(entry.value, yamltree.Scalar):
        return None
    name = entry.value.text
    place = arguments.entries.index(entry)
    fix = None
    if place and step.name is None and NAME.fullmatch(name):
        flow = (arguments.span.line, arguments.span.column) != _begin(arguments)
        out = yamledits.dropped(entry.key.span, entry.value.span, arguments.entries[place - 1].value.span, flow)
        put = added(step.tree, name)
        fix = Fix((*out.edits, *put.edits), certain=True) if put is not None and not _touch(out, put) else None
    message = f"`{step.op}` has no argument `name`"
    return Problem("unknown-argument", message, entry.key.span, f"a step is named beside its op: `as: {name}`", fix=fix)


def _touch(one: Fix, other: Fix) -> bool:
    """Whether a removed last line is where the other fix would write."""
    removed, put = one.edits[0].span, other.edits[0].span
    return (put.line, put.column) <= (removed.end_line, removed.end_column) and put.line >= removed.line


def _begin(mapping: yamltree.Mapping) -> tuple[int, int]:
    first = mapping.entries[0].key.span
    return first.line, first.column


def added(tree: yamltree.Tree, name: str) -> Fix | None:
    """`as: name` added to a step."""
    if isinstance(tree, yamltree.Scalar):
        return edits.wrapped(tree.span, "{", f": , as: {name}}}") if tree.plain else None
    if not isinstance(tree, yamltree.Mapping) or not tree.entries:
        return None
    first, span = tree.entries[0].key.span, tree.span
    if (first.line, first.column) == (span.line, span.column):
        return Fix((Edit(edits.behind(span), f"\n{' ' * (first.column - 1)}as: {name}"),))
    brace = Span(span.file, span.end_line, span.end_column - 1, span.end_line, span.end_column - 1)
    return Fix((Edit(brace, f", as: {name}"),))
