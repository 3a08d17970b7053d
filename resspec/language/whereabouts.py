"""A tensor that cannot be seen from where it is wanted: where it is after all, and how to reach it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resspec import edits, yamltree
from resspec.diagnostics import Label, Span
from resspec.language import names
from resspec.language.document import Document
from resspec.language.schema import Step
from resspec.language.scope import Problem, Scope
from resspec.suggest import renamed

if TYPE_CHECKING:
    from resspec.language.expand import Expander


@dataclass(frozen=True, slots=True)
class _Definition:
    """A step of a file, with the block it stands in and the loops and bodies around it."""

    step: Step
    block: str | None
    around: tuple[Step, ...]

    @property
    def span(self) -> Span:
        return yamltree.locate(self.step.tree, ("as",))


def unknown(expander: Expander, name: str, scope: Scope, where: Span) -> Problem:
    """The finding for a tensor `name` that a body does not see, with what can be told of its whereabouts."""
    document = scope.instance.document
    if scope.binding(name) is not None:
        help = f"`{name}` is a value; tensors bear the names of inputs and of steps with `as`"
        return Problem("unknown-name", f"there is no tensor `{name}` here", where, help)
    found = [one for one in _definitions(document) if one.step.name == name]
    same = [one for one in found if one.block == scope.instance.block]
    for one in same or found:
        return _hidden(name, one, scope, where)
    path = name if "/" in name else f"{scope.prefix}{name}"
    if path in expander.builder.index or path in expander.builder.results:
        return _path(expander, name, path, document, where)
    parts = re.findall(r"\w+", name)
    if len(parts) > 1 and all(scope.tap(part) is not None or part in ("in", "prev") for part in parts):
        help = f"name several tensors in a list: `[{', '.join(parts)}]`"
        return Problem("unknown-name", f"there is no tensor `{name}` here", where, help)
    known_here = {known for s in scope.outwards() for known in s.body.taps} | {"in", "prev"}
    remedy = renamed(name, known_here, edits.exactly(where, name))
    return Problem("unknown-name", f"there is no tensor `{name}` here", where, remedy.help, fix=remedy.fix)


def _path(expander: Expander, name: str, path: str, document: Document, where: Span) -> Problem:
    """A path, such as `conv0` or `stage1/conv`, where a name is wanted."""
    node = expander.builder.nodes[expander.builder.index[path]] if path in expander.builder.index else None
    span = node.origin.span if node is not None else None
    step = next((one.step for one in _definitions(document) if one.step.tree.span == span), None)
    fix = names.added(step.tree, name) if step is not None and step.name is None and "/" not in name else None
    return Problem(
        "unknown-name",
        f"`{name}` is a path; a tensor is known by the name that its step was given",
        where,
        "give the step a name with `as`, and use that",
        labels=(Label(span, f"this is `{path}`"),) if span is not None else (),
        fix=fix,
    )


def _hidden(name: str, found: _Definition, scope: Scope, where: Span) -> Problem:
    """A name that is defined in the file, out of sight."""
    message, here = f"there is no tensor `{name}` here", found.span
    closed = next((body for body in found.around if not _contains(body.tree.span, where)), None)
    if found.block != scope.instance.block:
        owner = f"block `{found.block}`" if found.block else "the graph"
        label = f"a name of {owner}, which ends with it" if found.block else "a name of the graph"
        help = (
            "the result of the block is the previous value after its call; for further ones declare `outputs`"
            if found.block
            else "a block sees its own names only: declare `inputs`, and hand the tensor over by `from`"
        )
    elif closed is not None and closed.op in ("repeat", "for"):
        label = "ends with its turn of the loop"
        help = f"build the name for every turn (`as: {name}$i`), or name the loop's last result by its own `as`"
    elif closed is not None:
        label = "ends with its body"
        help = "give the `do` step a name with `as`, and use that"
    elif (here.line, here.column) > (where.line, where.column):
        label = "defined below"
        help = f"a name is there from its step on: use it after line {here.line}"
    else:
        label, help = "defined here", "names must be known before they are used"
    return Problem("unknown-name", message, where, help, labels=(Label(here, label),))


def _contains(outer: Span, inner: Span) -> bool:
    return (outer.line, outer.column) <= (inner.line, inner.column) <= (outer.end_line, outer.end_column)


def _definitions(document: Document) -> Iterator[_Definition]:
    yield from _walk(document.spec.graph, None, ())
    for name, block in document.spec.blocks.items():
        yield from _walk(block.graph, name, ())


def _walk(steps: Iterable[Step], block: str | None, around: tuple[Step, ...]) -> Iterator[_Definition]:
    for step in steps:
        if step.inline is not None:
            yield from _walk(step.inline, block, around)
            continue
        yield _Definition(step, block, around)
        if step.do is not None:
            yield from _walk(step.do, block, (*around, step))
