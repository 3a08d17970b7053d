"""Expressions and text templates of a spec: parsed once, evaluated with the names in scope."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from resspec import limits
from resspec.language import syntax
from resspec.language.evaluation import Evaluation, Lookup, Require, Value, as_text
from resspec.language.syntax import ExpressionError

__all__ = [
    "Expression", "ExpressionError", "Lookup", "Require", "Template", "Value", "parse_expression", "parse_template",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression; `names` are the names it uses, of `x.channels` only `x`."""

    text: str
    names: frozenset[str]
    _node: syntax.Node

    def evaluate(self, lookup: Lookup, require: Require | None = None) -> Value:
        """The value, with Python's precedence and results. `H / 32` hands `Multiple(H, 32)` to `require`.

        Raises ExpressionError; one that `lookup` raises passes through unchanged.
        """
        return Evaluation(lookup, require, 0).value(self._node)


@dataclass(frozen=True, slots=True)
class Template:
    """Text with `$name` and `$(expression)` in it; `whole` if it is one of these and nothing else."""

    text: str
    names: frozenset[str]
    whole: bool
    _parts: tuple[str | tuple[int, syntax.Node], ...]

    def evaluate(self, lookup: Lookup, require: Require | None = None) -> Value:
        """The value with its type if `whole`, else the parts joined as text. Raises ExpressionError."""
        pieces = []
        for part in self._parts:
            if isinstance(part, str):
                pieces.append(part)
                continue
            offset, node = part
            value = Evaluation(lookup, require, offset).value(node)
            if self.whole:
                return value
            pieces.append(as_text(value, offset + node.start, node.end - node.start))
        text = "".join(pieces)
        if len(text) > limits.TEXT_CHARS:
            message = f"the text has more than {limits.TEXT_CHARS} characters"
            raise ExpressionError("expression-limit", message, 0, len(self.text))
        return text


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> Expression:
    """Raises ExpressionError (`bad-expression`, `expression-limit`)."""
    node, names = syntax.parse(text)
    return Expression(text, names, node)


_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_UP_TO_PARENTHESIS = re.compile(r"""[^()'"]*(?:'[^']*'[^()'"]*|"[^"]*"[^()'"]*)*""")


@lru_cache(maxsize=4096)
def parse_template(text: str) -> Template:
    """`$name`, `$(expression)`, and `$$` for a dollar. Raises ExpressionError as `parse_expression`."""
    if len(text) > limits.TEXT_CHARS:
        message = f"a text with `$` has at most {limits.TEXT_CHARS} characters"
        raise ExpressionError("expression-limit", message, 0, len(text))
    parts: list[str | tuple[int, syntax.Node]] = []
    names: frozenset[str] = frozenset()
    position = 0
    while (dollar := text.find("$", position)) >= 0:
        if dollar > position:
            parts.append(text[position:dollar])
        if text[dollar + 1 : dollar + 2] == "$":
            parts.append("$")
            position = dollar + 2
            continue
        start, end, position = _hole(text, dollar)
        try:
            node, used = syntax.parse(text[start:end])
        except ExpressionError as error:
            raise error.shifted(start) from None
        parts.append((start, node))
        names |= used
    if position < len(text):
        parts.append(text[position:])
    return Template(text, names, len(parts) == 1 and not isinstance(parts[0], str), tuple(parts))


def _hole(text: str, dollar: int) -> tuple[int, int, int]:
    """Where the expression after a `$` starts and ends, and where the text goes on."""
    if match := _NAME.match(text, dollar + 1):
        return match.start(), match.end(), match.end()
    if text[dollar + 1 : dollar + 2] != "(":
        help = "write `$(...)`" if text[dollar + 1 : dollar + 2] == "{" else "write `$$` for a dollar"
        raise ExpressionError("bad-expression", "a name or `(` is missing after `$`", dollar, 1, help)
    depth, position = 1, dollar + 2
    while depth:
        match = _UP_TO_PARENTHESIS.match(text, position)
        position = match.end() if match else position
        if position >= len(text) or text[position] not in "()":
            raise ExpressionError("bad-expression", "`$(` is not closed", dollar, 2, "a `)` is missing")
        depth += 1 if text[position] == "(" else -1
        position += 1
    return dollar + 2, position - 1, position
