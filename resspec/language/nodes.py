"""Placing a node: its origin, the owner of its weights, and the place to blame where it is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from resspec.diagnostics import Label
from resspec.graph import Origin
from resspec.language import defaults
from resspec.language.arguments import span_in
from resspec.language.schema import Step
from resspec.language.scope import Poisoned, Problem, Result, Scope, Shared
from resspec.language.slots import TEXT
from resspec.ops.base import Op

if TYPE_CHECKING:
    from resspec.language.expand import Expander


def add(expander: Expander, op: Op, operands: Sequence[Result], path: str, step: Step, scope: Scope) -> Result:
    """A node, with the owner of its weights where they are shared, and a place for its mistakes."""
    origin = Origin(step.tree.span, scope.frames)
    owner = None
    if step.share is not None:
        first = share(expander, step, scope, (op.kind, op.sharing()), path)
        owner = first if first != path else None
    if owner is None and expander.sharing is not None and path.startswith(expander.sharing[1] + "/"):
        owner = expander.sharing[0] + path.removeprefix(expander.sharing[1])
    if owner is not None:
        if owner not in expander.builder.index:
            raise Poisoned  # the first call failed, which was told there
        owner = expander.builder.nodes[expander.builder.index[owner]].owner or owner
    try:
        result = expander.builder.add(op, operands, path, origin, trainable=expander.trains(scope), owner=owner)
    except Problem as problem:
        raise _narrow(expander, problem, step, scope) from None
    if owner is not None:
        _same_weights(expander, path, owner, step)
    return result


def _narrow(expander: Expander, problem: Problem, step: Step, scope: Scope) -> Problem:
    """Point at the argument that an op refuses, be it a default, or at its name."""
    where = span_in(step.tree, step.op)
    diagnostic = problem.diagnostic
    default = defaults.place(expander, str(step.op), problem.argument, scope) if problem.argument else None
    if problem.argument is not None and isinstance(step.arguments, dict) and problem.argument in step.arguments:
        span = where((problem.argument,), False)
    elif default is not None:
        label = Label(expander.place(step, str(step.op), key=True), f"`{step.op}` takes it here")
        problem.diagnostic = replace(diagnostic, span=default, labels=(*diagnostic.labels, label))
        return problem
    elif problem.operand is not None and step.source is not None:
        span = expander.place(step, "from", problem.operand)
    else:
        span = expander.place(step, str(step.op), key=True)
    problem.diagnostic = replace(diagnostic, span=span)
    return problem


def share(expander: Expander, step: Step, scope: Scope, what: tuple[Any, ...], path: str) -> str:
    """The path that owns the weights under a `share` key: that of the first call."""
    key = str(expander.value(step.share, TEXT, scope, step, "share"))
    shared = scope.instance.shared
    first = shared.setdefault(key, Shared(what, path, step.tree.span))
    if first.what != what:
        raise Problem(
            "share-mismatch",
            f"`share: {key}` needs the same op or block with the same arguments",
            expander.place(step, "share"),
            "use another key, or equal arguments",
            labels=(Label(first.span, "the first call"),),
        )
    return first.path


def _same_weights(expander: Expander, path: str, owner: str, step: Step) -> None:
    builder = expander.builder
    one, two = (builder.nodes[builder.index[name]] for name in (owner, path))
    shapes = [
        [(w.name, w.shape) for w in node.op.weights(*(builder.nodes[r.node].outputs[r.output] for r in node.inputs))]
        for node in (one, two)
    ]
    if one.op.sharing() != two.op.sharing() or shapes[0] != shapes[1]:
        told = " and ".join(", ".join(str(shape) for _, shape in each) for each in shapes)
        raise Problem(
            "share-mismatch",
            f"`{path}` cannot use the weights of `{owner}`: they have the shapes {told}",
            step.tree.span,
            "use another key, or give both the same number of channels",
            labels=(Label(one.origin.span, "the first call"),) if one.origin.span else (),
        )
