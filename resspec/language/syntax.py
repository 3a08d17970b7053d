"""Expressions as text: tokens, a Pratt parser, and the syntax tree it yields.

Precedence is Python's. Names, numbers, quoted text, lists, arithmetic, comparisons, `and or not`,
`a if c else b`, a few functions, indices and attributes; nothing else can be written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NoReturn, Union

from resspec import limits

FUNCTIONS = ("min", "max", "round", "ceil", "floor", "abs", "len", "sum", "round_to")


class ExpressionError(Exception):
    """What is wrong in `length` characters from `offset` (from 0) of the text that was handed in.

    Codes: `bad-expression`, `unknown-name` (then `name` is that name), `expression-limit`, `unknown-size`.
    """

    def __init__(
        self, code: str, message: str, offset: int, length: int, help: str | None = None, name: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.offset = offset
        self.length = length
        self.help = help
        self.name = name

    def shifted(self, by: int) -> ExpressionError:
        """The same error as seen from `by` characters further left."""
        return ExpressionError(self.code, self.message, self.offset + by, self.length, self.help, self.name)


@dataclass(frozen=True, slots=True)
class At:
    """The stretch of text, from `start` up to `end`, that a part of an expression stands on."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Literal(At):
    value: bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Name(At):
    name: str


@dataclass(frozen=True, slots=True)
class ListOf(At):
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Sign(At):
    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Arithmetic(At):
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Comparison(At):
    """`first < rest[0] <= rest[1] ...`, each pair of neighbours compared."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Logic(At):
    """`and` or `or`, which yield one of their sides."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Not(At):
    operand: Node


@dataclass(frozen=True, slots=True)
class Choice(At):
    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Call(At):
    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Index(At):
    value: Node
    index: Node


@dataclass(frozen=True, slots=True)
class Attribute(At):
    value: Node
    name: str


Node = Union[Literal, Name, ListOf, Sign, Arithmetic, Comparison, Logic, Not, Choice, Call, Index, Attribute]


@dataclass(frozen=True, slots=True)
class Token(At):
    """`kind` is number, text, name, end, or the operator or keyword itself."""

    kind: str
    text: str


_TOKEN = re.compile(
    r"""
    (?P<space>[ \n]+)
  | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)
  | (?P<name>[A-Za-z][A-Za-z0-9_]*)
  | (?P<text>'[^'\n]*'|"[^"\n]*")
  | (?P<operator>\*\*|//|==|!=|<=|>=|[-+*/%<>()\[\],.])
    """,
    re.VERBOSE,
)
_KEYWORDS = {"and", "or", "not", "if", "else"}
_CONSTANTS: dict[str, bool | None] = {
    "true": True, "True": True, "false": False, "False": False, "null": None, "None": None,
}  # fmt: skip
_COMPARISONS = {"==", "!=", "<", "<=", ">", ">="}
_HELP = {
    "=": "write `==` to compare",
    "!": "write `not`",
    "&": "write `and`",
    "|": "write `or`",
    "^": "write `**` for a power",
    "'": "close the quotes",
    '"': "close the quotes",
    "?": "write `a if condition else b`",
    "$": "leave the `$` out: this is an expression already",
}

_IF, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _POWER = range(1, 10)
_STRENGTH = {"if": _IF, "or": _OR, "and": _AND, "+": _SUM, "-": _SUM, "**": _POWER}
_STRENGTH |= dict.fromkeys(("*", "/", "//", "%"), _PRODUCT) | dict.fromkeys(_COMPARISONS, _COMPARE)


def parse(text: str) -> tuple[Node, frozenset[str]]:
    """The syntax tree of `text` and the names it uses. Raises ExpressionError."""
    if len(text) > limits.EXPRESSION_CHARS:
        message = f"an expression has at most {limits.EXPRESSION_CHARS} characters, this one has {len(text)}"
        raise ExpressionError("expression-limit", message, 0, len(text), "name parts of it under `let`")
    parser = _Parser(text)
    node = parser.expression(0)
    if parser.token.kind != "end":
        parser.unexpected()
    return node, frozenset(parser.names)


def _tokens(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            character = text[position]
            shown = character if character.isprintable() else f"U+{ord(character):04X}"
            raise ExpressionError("bad-expression", f"unexpected `{shown}`", position, 1, _HELP.get(character))
        position = match.end()
        kind, word = str(match.lastgroup), match.group()
        if kind == "operator" or word in _KEYWORDS:
            kind = word
        if kind != "space":
            yield Token(match.start(), position, kind, word)
    yield Token(len(text), len(text), "end", "")


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.token = next(self.tokens)
        self.names: set[str] = set()
        self.depth = -1  # the expression as a whole is not nested

    def advance(self) -> Token:
        token, self.token = self.token, next(self.tokens, self.token)
        return token

    def expect(self, kind: str, help: str | None = None) -> Token:
        if self.token.kind != kind:
            self.unexpected(help or f"a `{kind}` is missing here")
        return self.advance()

    def unexpected(self, help: str | None = None) -> NoReturn:
        token = self.token
        message = "the expression ends too early" if token.kind == "end" else f"unexpected `{token.text}`"
        raise ExpressionError("bad-expression", message, token.start, token.end - token.start, help)

    def expression(self, strength: int) -> Node:
        """Takes operators that bind at least as strongly as `strength`."""
        self.depth += 1
        if self.depth > limits.EXPRESSION_DEPTH:
            token = self.token
            message = f"nested deeper than {limits.EXPRESSION_DEPTH} levels"
            help = "name parts of it under `let`"
            raise ExpressionError("expression-limit", message, token.start, token.end - token.start, help)
        node = self.prefix(strength)
        while (bound := _STRENGTH.get(self.token.kind, 0)) and bound >= strength:
            node = self.infix(node, bound)
        self.depth -= 1
        return node

    def prefix(self, strength: int) -> Node:
        token = self.token
        kind = token.kind
        if kind in ("-", "+"):
            self.advance()
            operand = self.expression(_SIGN)
            return Sign(token.start, operand.end, kind, operand)
        if kind == "not" and strength <= _NOT:
            self.advance()
            operand = self.expression(_NOT)
            return Not(token.start, operand.end, operand)
        return self.postfix(self.atom())

    def infix(self, left: Node, strength: int) -> Node:
        if strength == _COMPARE:
            rest: list[tuple[str, Node]] = []
            while self.token.kind in _COMPARISONS:
                operator = self.advance().kind
                rest.append((operator, self.expression(_SUM)))
            return Comparison(left.start, rest[-1][1].end, left, tuple(rest))
        operator = self.advance().kind
        if strength == _IF:
            condition = self.expression(_OR)
            self.expect("else", "write `a if condition else b`")
            otherwise = self.expression(_IF)
            return Choice(left.start, otherwise.end, condition, left, otherwise)
        # the right side of a power may bear a sign and be a power itself, other operators group to the left
        right = self.expression(_SIGN if strength == _POWER else strength + 1)
        if operator in ("and", "or"):
            return Logic(left.start, right.end, operator, left, right)
        return Arithmetic(left.start, right.end, operator, left, right)

    def atom(self) -> Node:
        token = self.advance()
        start, end, text = token.start, token.end, token.text
        if token.kind == "number":
            return Literal(start, end, float(text) if set(text) & set(".eE") else int(text))
        if token.kind == "text":
            return Literal(start, end, text[1:-1])
        if token.kind == "name":
            if text in _CONSTANTS:
                return Literal(start, end, _CONSTANTS[text])
            if self.token.kind == "(":
                return self.call(token)
            self.names.add(text)
            return Name(start, end, text)
        if token.kind == "(":
            inner = self.expression(0)
            return replace(inner, start=start, end=self.expect(")").end)
        if token.kind == "[":
            items = self.items("]")
            return ListOf(start, self.expect("]").end, items)
        self.token = token
        self.unexpected("put `not ...` in parentheses" if token.kind == "not" else None)

    def call(self, name: Token) -> Node:
        if name.text not in FUNCTIONS:
            message = f"there is no function `{name.text}`"
            help = f"there are {', '.join(f'`{function}`' for function in FUNCTIONS)}"
            raise ExpressionError("bad-expression", message, name.start, name.end - name.start, help)
        self.advance()
        arguments = self.items(")")
        return Call(name.start, self.expect(")").end, name.text, arguments)

    def items(self, closing: str) -> tuple[Node, ...]:
        """Expressions between commas up to `closing`; a comma may follow the last."""
        items: list[Node] = []
        while self.token.kind != closing:
            items.append(self.expression(0))
            if self.token.kind != ",":
                break
            self.advance()
        return tuple(items)

    def postfix(self, node: Node) -> Node:
        while True:
            if self.token.kind == "[":
                self.advance()
                index = self.expression(0)
                node = Index(node.start, self.expect("]").end, node, index)
            elif self.token.kind == ".":
                self.advance()
                name = self.expect("name", "an attribute name is missing here")
                node = Attribute(node.start, name.end, node, name.text)
            else:
                return node
