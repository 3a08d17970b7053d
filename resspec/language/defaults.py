"""`defaults`: the arguments that ops of a file take where a step gives none, checked where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resspec.diagnostics import Span
from resspec.language import environment
from resspec.language.arguments import misfits
from resspec.language.document import Document
from resspec.language.scope import Problem, Scope
from resspec.language.slots import TEXT, slots_of
from resspec.ops.base import Op
from resspec.suggest import renamed

if TYPE_CHECKING:
    from resspec.language.expand import Expander


def check(expander: Expander) -> None:
    """The defaults of the root file and of those that it uses, whether a step asks for them or not."""
    root = expander.document
    for document in dict.fromkeys((root, *(other for other, _ in root.imports.values()))):
        for name in document.spec.defaults:
            kind = expander.ops.get(name)
            if kind is not None:
                _evaluated(expander, document, kind)
                continue
            if expander.findings.full:
                return
            place = document.span("defaults", name, key=True)
            remedy = renamed(name, expander.ops, place, most=0)
            expander.findings.error(
                "unknown-op", f"there is no op `{name}`", place, help=remedy.help, fix=remedy.fix
            )  # fmt: skip


def of(expander: Expander, kind: type[Op], scope: Scope) -> dict[str, Any]:
    """What `defaults` of the block's file says of an op, over what the root file's says."""
    found: dict[str, Any] = {}
    for document in dict.fromkeys((expander.document, scope.instance.document)):
        found |= _evaluated(expander, document, kind)
    return found


def place(expander: Expander, kind: str, argument: str, scope: Scope) -> Span | None:
    """Where the default of an argument stands, for whoever finds that it does not fit."""
    for document in (scope.instance.document, expander.document):
        if argument in document.spec.defaults.get(kind, {}):
            return document.span("defaults", kind, argument)
    return None


def _evaluated(expander: Expander, document: Document, kind: type[Op]) -> dict[str, Any]:
    """The arguments that one file gives an op; those that cannot be are told once, and left out."""
    key = (id(document), kind.kind)
    if key in expander.default_arguments:
        return expander.default_arguments[key]
    env, findings = expander.environment(document), expander.findings
    slots, refused, found = slots_of(kind), set[str](), {}
    for name, raw in document.spec.defaults.get(kind.kind, {}).items():
        loc = ("defaults", kind.kind, name)
        if name not in kind.model_fields:
            where = document.span(*loc, key=True)
            remedy = renamed(name, kind.model_fields, where, most=30)
            message = f"`{kind.kind}` has no argument `{name}`"
            findings.error("unknown-argument", message, where, help=remedy.help, fix=remedy.fix)
            continue
        try:
            found[name] = environment.value(document, raw, slots.get(name, TEXT), env, loc)
        except Problem as problem:
            findings.add(problem.diagnostic)

    def span_of(loc: tuple[str | int, ...], is_key: bool) -> Span | None:
        if not loc:
            return None
        refused.add(str(loc[0]))
        return document.span("defaults", kind.kind, *loc, key=is_key)

    for diagnostic in misfits(kind, found, span_of):
        if diagnostic.span is not None:  # else it is about the op as a whole, which a step completes
            findings.add(diagnostic)
    arguments = {name: value for name, value in found.items() if name not in refused}
    expander.default_arguments[key] = arguments
    return arguments
