"""Who is to blame for a value of the wrong type: the odd item of the list that a loop walks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from resspec.diagnostics import Diagnostic, Label, Span
from resspec.language.schema import NAME
from resspec.language.scope import Scope
from resspec.language.slots import SlotError, chosen

if TYPE_CHECKING:
    from resspec.language.expand import Expander

LEAST = 3
"""items of a list among which one can be odd"""

WORDS: dict[type, str] = {float: "a number", bool: "true or false", list: "a list", dict: "a mapping"}


def odd_item(expander: Expander, diagnostic: Diagnostic, scope: Scope) -> Diagnostic:
    """The finding moved to where its value was written, if that is an item unlike all others of its list.

    `for: {n: [2, [3], 4]}` with `repeat: n` is refused at `n`, and `[3]` is what is wrong.
    """
    words = NAME.findall(_text(expander, diagnostic.span)) if diagnostic.code == "bad-value" else ()
    for name in dict.fromkeys(words):
        turn = next((one for one in scope.outwards() if name in one.values), None)
        if turn is not None and turn.loop in expander.walked:
            found = _blamed(expander, diagnostic, scope, name, turn)
            if found is not None:
                return found
    return diagnostic


def _blamed(expander: Expander, diagnostic: Diagnostic, scope: Scope, name: str, turn: Scope) -> Diagnostic | None:
    """The finding at the item that a loop variable stands for in this turn, if it is the odd one."""
    step = expander.walked[turn.loop]
    index = turn.values["i"].value
    found = _items(expander, step.arguments.get(name), scope, lambda *loc: expander.place(step, "for", name, *loc))
    if found is None or not isinstance(index, int) or diagnostic.span is None:
        return None
    items, span_of = found
    kinds = [_kind(item) for item in items]
    others = {*kinds[:index], *kinds[index + 1 :]}
    if len(items) < LEAST or len(others) != 1 or kinds[index] in others:
        return None
    label = Label(diagnostic.span, f"`{name}` is wanted here")
    help = f"write {WORDS[others.pop()]}, like the other items of the list"
    return replace(diagnostic, span=span_of(index), labels=(*diagnostic.labels, label), help=help, fix=None)


def _text(expander: Expander, span: Span | None) -> str:
    """What stands at a span of one line."""
    if span is None:
        return ""
    lines = expander.sources.get(span.file, "").splitlines()
    one_line = span.line == span.end_line and span.line <= len(lines)
    return lines[span.line - 1][span.column - 1 : span.end_column - 1] if one_line else ""


def _items(
    expander: Expander, raw: Any, scope: Scope, span_of: Callable[..., Span]
) -> tuple[list[Any], Callable[..., Span]] | None:
    """The items of a list as they are written: in the loop itself, or in a `let` of the file, behind its `match`."""
    document = scope.instance.document
    path: tuple[Any, ...] = ()
    if isinstance(raw, str) and raw in document.spec.let:
        path, raw, span_of = ("let", raw), document.spec.let[raw], document.span
    while isinstance(raw, dict) and "match" in raw:
        try:
            case, raw = chosen(raw, expander.lookup(scope), None, ())
        except SlotError:
            return None
        path = (*path, case)
    return (raw, lambda *loc: span_of(*path, *loc)) if isinstance(raw, list) else None


def _kind(item: Any) -> type:
    """A number and an expression are of one kind; so is nothing, which few slots take."""
    return next((kind for kind in (bool, list, dict) if isinstance(item, kind)), float)
