"""Remedies as edits: one more argument for a step."""

from __future__ import annotations

from resspec.diagnostics import Edit, Fix
from resspec.edits import behind, replaced, wrapped
from resspec.language.schema import Step
from resspec.yamltree import Mapping, Scalar


def argument_added(step: Step, primary: str | None, name: str, value: str) -> Fix | None:
    """The edit that gives `step` the argument `name`, or this value where it has another.

    `primary` is the argument that a lone value fills. None where the arguments have a form that
    cannot be extended at one place (an expression, `match`, no arguments at all).
    """
    tree = step.tree
    entry = tree.get(step.op) if isinstance(tree, Mapping) and step.op is not None else None
    arguments = entry.value if entry is not None else None
    if isinstance(arguments, Scalar):
        if primary is None or not arguments.plain or not arguments.text or set(arguments.text) & set(",[]{}"):
            return None
        return wrapped(arguments.span, f"{{{primary}: ", f", {name}: {value}}}")
    if not isinstance(arguments, Mapping) or not arguments.entries or arguments.get("match") is not None:
        return None
    written = arguments.get(name)
    if written is not None:
        plain = isinstance(written.value, Scalar) and isinstance(written.value.value, bool)
        return replaced(written.value.span, value) if plain else None
    first, last = arguments.entries[0].key.span, arguments.entries[-1].value.span
    in_braces = (arguments.span.line, arguments.span.column) < (first.line, first.column)
    between = ", " if in_braces else "\n" + " " * (first.column - 1)
    return Fix((Edit(behind(last), f"{between}{name}: {value}"),))
