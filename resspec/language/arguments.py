"""Arguments into ops and blocks: values read by slot, defaults filled in, types checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from resspec import edits, yamltree
from resspec.diagnostics import Diagnostic, Span
from resspec.language import errors, slips
from resspec.language.expressions import ExpressionError, Value
from resspec.language.schema import Param, fits
from resspec.language.scope import Problem
from resspec.language.slots import NUMBER, TEXT, Lookup, Slot, SlotError, integral, read, slots_of
from resspec.ops.base import Op
from resspec.sizes import Periodic, Product
from resspec.suggest import Remedy, renamed
from resspec.tensor import TensorSpec

Where = Callable[[tuple[str | int, ...], bool], Span]
"""the place of a value, or of its key, by the way to it"""


class Several(Exception):
    """More than one finding of one step."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics


SYNTAX = "an expression has numbers, names, `+ - * / // % **`, comparisons, `and or not`, `a if c else b` and functions"


def problem_of(error: SlotError, span: Span, visible: Callable[[], set[str]], *, texts: bool = True) -> Problem:
    """A value that cannot be read as a finding, at the stretch of the text that is to blame.

    `texts` where a text in quotes would have been right.
    """
    inner = error.error
    if inner.code in ("bad-expression", "unknown-name") and inner.name in (None, error.text):
        slip = slips.of_value(error.text, span, words=bool(error.words))
        if slip is not None and not (inner.name and inner.name in error.words):
            return Problem(slip.code, slip.message, span, slip.help, fix=slip.fix)
    place = narrowed(span, error.text, inner)
    remedy = Remedy(inner.help)
    if inner.code == "bad-expression":
        slipped = slips.in_expression(error.text, inner.offset, span)
        remedy = Remedy(slipped.help or inner.help or SYNTAX, slipped.fix)
    if inner.help is None and inner.name:
        remedy = renamed(inner.name, visible() | error.words, edits.exactly(place, inner.name), most=0)
        if remedy.help is None and error.words:
            remedy = Remedy(
                "it may be " + ", ".join(f"`{word}`" for word in sorted(error.words)) + ", or an expression"
            )
        elif remedy.help is None and texts and inner.name == error.text:
            remedy = Remedy(f"if the word is meant, put it in quotes of its own: `\"'{error.text}'\"`")
        elif remedy.help is None:
            remedy = Remedy("names of values are given by `params`, `let` and loops, those of tensors by `as`")
    return Problem(inner.code, inner.message, place, remedy.help, fix=remedy.fix)


def narrowed(span: Span, text: str, error: ExpressionError) -> Span:
    """The part of a one-line scalar, plain or in quotes, that an error points at."""
    quotes = next((n for n in (0, 1) if edits.one_line(span, "'" * n + text + "'" * n)), None)
    if not text or quotes is None or not error.length:
        return span
    start = span.column + quotes + min(error.offset, len(text))
    return Span(span.file, span.line, start, span.line, min(start + error.length, span.end_column - quotes))


def make_op(
    kind: type[Op],
    given: Mapping[str, Any],
    defaults: Mapping[str, Any],
    span_of: Where,
    names: Iterable[str] = (),
) -> Op:
    """An op from evaluated arguments; `Several` with every argument that is wrong.

    `names` are the arguments that may be meant, those of the op unless given.
    """
    known = list(names or kind.model_fields)
    try:
        return kind.model_validate(_whole(kind, {**defaults, **given})).simplified()
    except ValidationError as error:
        raise Several(errors.findings(error, span_of, f"`{kind.kind}`", lambda loc: known)) from None


def misfits(kind: type[Op], given: Mapping[str, Any], span_of: Callable[..., Span | None]) -> list[Diagnostic]:
    """What is wrong with some of an op's arguments, evaluated."""
    try:
        kind.model_validate(_whole(kind, given))
    except ValidationError as error:
        return errors.findings(error, span_of, f"`{kind.kind}`", lambda loc: kind.model_fields)
    return []


def _whole(kind: type[Op], given: Mapping[str, Any]) -> dict[str, Any]:
    """Whole floats as integers where numbers are wanted: strict models take no `2.0`; a float slot takes integers."""
    known = slots_of(kind)
    return {name: integral(value) if name in known and known[name].numbers else value for name, value in given.items()}


def param_slot(param: Param) -> Slot:
    if param.item == "str":
        return TEXT
    return NUMBER


def check_param(name: str, param: Param, value: Any, span: Span | None) -> Value:
    """`value` as the parameter's type; `Problem` if it is none of its values."""
    if isinstance(value, Periodic | Product):
        raise Problem("unknown-size", f"`{name}` needs a number, `{value}` is unknown", span)
    if isinstance(value, TensorSpec | dict):
        raise Problem("bad-value", f"`{name}` needs {_article(param)}, got a tensor or mapping", span)
    if value is None:
        if param.nullable:
            return None
        raise Problem("bad-value", f"`{name}` needs {_article(param)}, got nothing", span)
    if isinstance(value, list):
        value = tuple(value)
    if param.is_list != isinstance(value, tuple):
        raise Problem("bad-value", f"`{name}` needs {_article(param)}, got {_shown(value)}", span)
    items = value if isinstance(value, tuple) else (value,)
    if param.item == "int":
        items = tuple(integral(item) for item in items)
    for item in items:
        if not fits(param.item, item):
            near = slips.of_type({f"{param.item}_type"}, item, span if item is value or len(items) == 1 else None)
            message = f"`{name}` needs {_article(param)}, got {_shown(value)}"
            raise Problem("bad-value", message, span, near.help, fix=near.fix)
        if param.min is not None and item < param.min:
            raise Problem("bad-value", f"`{name}` is at least {param.min}, got {_shown(item)}", span)
        if param.max is not None and item > param.max:
            raise Problem("bad-value", f"`{name}` is at most {param.max}, got {_shown(item)}", span)
    found: Value = items if param.is_list else items[0]
    if param.enum is not None and _plain(found) not in param.enum:
        choices = ", ".join(str(choice) for choice in param.enum)
        near = renamed(found, [str(c) for c in param.enum], span, most=0) if isinstance(found, str) else Remedy()
        raise Problem("bad-value", f"`{name}` is one of {choices}, got {_shown(found)}", span, near.help, fix=near.fix)
    return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _article(param: Param) -> str:
    words = {"int": "an integer", "float": "a number", "bool": "true or false", "str": "a word"}
    return f"a list ({param.type})" if param.is_list else words[param.item]


def _shown(value: Any) -> str:
    return f"`{str(_plain(value)).lower() if isinstance(value, bool) else _plain(value)}`"


def read_param(name: str, param: Param, raw: Any, lookup: Lookup, span: Span) -> Value:
    """A raw value of a file as a parameter's value."""
    return check_param(name, param, read(raw, param_slot(param), lookup), span)


def span_in(tree: yamltree.Tree, key: str | None) -> Where:
    """Where an argument stands below the step's key; `((), True)` is the key itself, `((), False)` a lone value."""

    def where(loc: tuple[str | int, ...], is_key: bool) -> Span:
        entry = tree.get(key) if isinstance(tree, yamltree.Mapping) and key is not None else None
        below = entry.value if entry else tree
        nothing = isinstance(below, yamltree.Scalar) and below.text == ""
        if entry is not None and (nothing or (is_key and not loc)):
            return entry.key.span
        return yamltree.locate(below, loc, key=is_key)

    return where
