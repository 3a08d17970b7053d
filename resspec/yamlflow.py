"""Traps of YAML's flow style, `{...}` and `[...]`, where a comma or a colon splits what belongs together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from resspec import edits
from resspec.diagnostics import Edit, Findings, Fix, Span
from resspec.yamlnodes import Scalar, Tree
from resspec.yamlsyntax import colon_trap


def entries(findings: Findings, keys: list[Tree], values: list[Tree]) -> tuple[list[Tree], list[Tree]]:
    """`{a: min(b, c)}` has the two keys `a` and `c)`, and `{a:1}` the key `a:1`: say what was meant."""
    kept_keys: list[Tree] = []
    kept_values: list[Tree] = []
    index = 0
    while index < len(keys):
        key, value = keys[index], values[index]
        parts = 1
        head = value if not _is_empty(value) else key
        if _open_brackets(head) > 0:
            following = range(index + 1, min(index + _MOST_PIECES, len(keys)))
            rest = [keys[i] if _is_empty(values[i]) else None for i in following]
            parts = _parts_of_call(head, rest)
            if parts > 1:
                pieces = [head, *rest[: parts - 1]]
                before = f"{_text(key)}: " if head is value else ""
                _comma(findings, pieces, before)
        elif isinstance(key, Scalar) and key.plain and _is_empty(value) and (fixed := colon_trap(key.text)):
            no_space(findings, key.text.partition(":")[0], key.span, fixed, whole=key.text)
        elif index and _is_number(key) and _is_empty(value) and _is_number(values[index - 1]):
            _numbers(findings, keys[index - 1], values[index - 1], key)
            index += 1
            continue
        kept_keys.append(key)
        kept_values.append(value)
        index += parts
    return kept_keys, kept_values


def no_space(findings: Findings, name: str, span: Span, meant: str, whole: str | None = None) -> None:
    """`{filters:64}` and `conv:{filters: 64}`."""
    message = f"`{short(whole or name + ':')}` has no space after the colon"
    colon = Span(span.file, span.line, span.column + len(name) + 1, span.line, span.column + len(name) + 1)
    fix = Fix((Edit(colon, " "),), certain=True)
    findings.error("yaml-colon", message, span, help=f"write `{short(meant)}`", fix=fix)


def _numbers(findings: Findings, key: Tree, first: Tree, second: Tree) -> None:
    """`{kernel_size: 3, 3}`, where the second 3 is a key."""
    span = Span(first.span.file, first.span.line, first.span.column, second.span.end_line, second.span.end_column)
    meant = f"[{_text(first)}, {_text(second)}]"
    findings.error(
        "yaml-comma",
        f"the comma ends the value of `{short(_text(key))}`, and `{short(_text(second))}` is a key of its own",
        span,
        help=f"write `{short(_text(key))}: {meant}`",
        fix=edits.wrapped(span, "[", "]"),
    )


def items(findings: Findings, items: list[Tree]) -> None:
    index = 0
    while index < len(items):
        parts = 1
        if _open_brackets(items[index]) > 0:
            parts = _parts_of_call(items[index], items[index + 1 : index + _MOST_PIECES])
            if parts > 1:
                _comma(findings, items[index : index + parts], "")
        index += parts


def _comma(findings: Findings, pieces: Iterable[Tree | None], before: str) -> None:
    present = [piece for piece in pieces if piece is not None]
    call = short(", ".join(map(_text, present)))
    start, end = present[0].span, present[-1].span
    span = Span(start.file, start.line, start.column, end.end_line, end.end_column)
    if call[0] == "(" and call[-1] == ")" and call.count("(") == 1:  # a list, as Python writes it
        meant = f"[{call[1:-1]}]"
        brackets = (
            Edit(edits.first(span, 1), "["),
            Edit(Span(span.file, span.end_line, span.end_column - 1, span.end_line, span.end_column), "]"),
        )
        message = f"`{call}` is no list: lists have square brackets"
        findings.error("yaml-comma", message, span, help=f"write `{before}{meant}`", fix=Fix(brackets, certain=True))
        return
    quotes = '"' if "'" in call else "'"
    findings.error(
        "yaml-comma",
        f"the comma splits `{call}` in two",
        span,
        help=f"quote the expression: `{before}{quotes}{call}{quotes}`",
        fix=edits.wrapped(span, quotes, quotes, certain=True),
    )


def _text(tree: Tree) -> str:
    return tree.text if isinstance(tree, Scalar) else ""


def _is_empty(tree: Tree) -> bool:
    return isinstance(tree, Scalar) and tree.plain and not tree.text


def _is_number(tree: Tree) -> bool:
    return isinstance(tree, Scalar) and isinstance(tree.value, int | float) and not isinstance(tree.value, bool)


def _open_brackets(tree: Tree | None) -> int:
    """How many `(` of plain text are not closed in it; negative for `)` too many."""
    return tree.text.count("(") - tree.text.count(")") if isinstance(tree, Scalar) and tree.plain else 0


def _parts_of_call(head: Tree, rest: list[Any]) -> int:
    """Into how many pieces the commas cut a call that begins in `head`; 1 if it does not end in `rest`."""
    balance = _open_brackets(head)
    for number, piece in enumerate(rest, 2):
        if not isinstance(piece, Scalar) or not piece.plain:
            break
        balance += _open_brackets(piece)
        if balance <= 0:
            return number
    return 1


_MOST_PIECES = 32
"""pieces of a call that are put together again, so that many a `(` without its `)` costs little"""


def short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
