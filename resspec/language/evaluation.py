"""What a syntax tree is worth, computed step by step within fixed bounds; nothing is ever `eval`ed."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Union

from resspec import limits
from resspec.domain import Multiple, Requirement
from resspec.language import syntax
from resspec.language.syntax import ExpressionError
from resspec.sizes import Periodic, Product, SizeError, divide_exactly
from resspec.tensor import TensorSpec

Value = Union[None, bool, int, float, str, tuple[Any, ...], TensorSpec, Mapping[str, TensorSpec], Periodic, Product]
"""What a name or an expression may stand for; tuples hold values again."""

Lookup = Callable[[str], Value]
"""The value of a name; KeyError if there is none."""

Require = Callable[[Requirement], None]
"""Takes a condition on unknown sizes under which the result holds."""


def as_text(value: Value, offset: int, length: int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, str | int | float):
        return str(value)
    code = "unknown-size" if isinstance(value, Periodic | Product) else "bad-expression"
    raise ExpressionError(code, f"{kind_of(value)} cannot stand inside a text", offset, length)


def kind_of(value: Value) -> str:
    """What a value is, for messages."""
    if isinstance(value, bool):
        return f"the boolean `{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text `{value[:40]}`"
    if isinstance(value, tuple):
        return "a list"
    if isinstance(value, Periodic | Product):
        return f"the unknown size `{value}`"
    return "null" if value is None else "a tensor"


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_COMPUTE: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "//": operator.floordiv, "%": operator.mod, "**": operator.pow,
}  # fmt: skip
_AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
_PARTS_OF_PRODUCT = 8
_ROUND_DIGITS = 18
TEXTS = "texts are compared by `==` and `!=`"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One walk over a syntax tree; `base` is where its text begins in the text that errors speak of."""

    lookup: Lookup
    require: Require | None
    base: int

    def fail(self, at: syntax.At, message: str, help: str | None = None, code: str = "bad-expression") -> NoReturn:
        raise ExpressionError(code, message, self.base + at.start, at.end - at.start, help)

    def value(self, node: syntax.Node) -> Value:
        match node:
            case syntax.Literal():
                return self.bounded(node.value, node)
            case syntax.Name():
                return self.bounded(self.name(node), node)
            case syntax.Arithmetic():
                return self.arithmetic(node.operator, self.value(node.left), self.value(node.right), node)
            case syntax.Attribute():
                return self.attribute(self.value(node.value), node)
            case syntax.Index():
                return self.item(self.value(node.value), self.value(node.index), node)
            case syntax.Comparison():
                return self.comparison(node)
            case syntax.Choice():
                return self.value(node.then if self.truth(node.condition) else node.otherwise)
            case syntax.Logic():
                left = self.value(node.left)
                return left if self.is_true(left, node.left) == (node.operator == "or") else self.value(node.right)
            case syntax.Not():
                return not self.truth(node.operand)
            case syntax.Sign():
                operand = self.number_or_size(self.value(node.operand), node.operand, node.operator)
                return operand if node.operator == "+" else self.arithmetic("*", operand, -1, node)
            case syntax.ListOf():
                return tuple(self.value(item) for item in node.items)
            case syntax.Call():
                return self.call(node)

    def name(self, node: syntax.Name) -> Value:
        try:
            return self.lookup(node.name)
        except KeyError:
            pass
        message = f"unknown name `{node.name}`"
        raise ExpressionError(
            "unknown-name", message, self.base + node.start, node.end - node.start, name=node.name
        ) from None

    def bounded(self, value: Value, at: syntax.At) -> Value:
        """`value` itself if it is within the limits."""
        if isinstance(value, int | float):
            if not abs(value) <= limits.MAGNITUDE:  # also true of nan
                self.too_large(at)
        elif isinstance(value, tuple):
            if len(value) > limits.LIST_ITEMS:
                self.fail(at, f"a list has at most {limits.LIST_ITEMS} items", code="expression-limit")
        elif isinstance(value, str):
            if len(value) > limits.TEXT_CHARS:
                self.fail(at, f"a text has at most {limits.TEXT_CHARS} characters", code="expression-limit")
        elif isinstance(value, Periodic):
            if max(abs(value.slope), max(value.values), -min(value.values)) > limits.MAGNITUDE:
                self.too_large(at)
        elif isinstance(value, Product) and abs(value.factor) > limits.MAGNITUDE:
            self.too_large(at)
        return value

    def too_large(self, at: syntax.At) -> NoReturn:
        self.fail(at, "the result exceeds 2**53", "numbers of networks are smaller", code="expression-limit")

    # numbers and sizes

    def number_or_size(self, value: Value, at: syntax.At, symbol: str) -> Any:
        if isinstance(value, int | float | Periodic | Product) and not isinstance(value, bool):
            return value
        help = "write `.channels`, `.height` or another of its sizes" if kind_of(value) == "a tensor" else None
        self.fail(at, f"`{symbol}` needs numbers, not {kind_of(value)}", help)

    def number(self, value: Value, at: syntax.At, what: str) -> int | float:
        if isinstance(value, Periodic | Product):
            self.fail(at, f"{what} needs a number, `{value}` is unknown", code="unknown-size")
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        self.fail(at, f"{what} needs a number, not {kind_of(value)}")

    def integer(self, value: Value, at: syntax.At, what: str) -> int:
        number = self.number(value, at, what)
        if isinstance(number, int):
            return number
        self.fail(at, f"{what} needs an integer, not {number}")

    def arithmetic(self, symbol: str, left: Value, right: Value, node: syntax.Node) -> Value:
        left_at, right_at = (node.left, node.right) if isinstance(node, syntax.Arithmetic) else (node, node)
        a = self.number_or_size(left, left_at, symbol)
        b = self.number_or_size(right, right_at, symbol)
        if symbol in ("/", "//", "%") and b == 0:
            self.fail(right_at, "division by zero", "divide by a value that is never 0: `max(1, ...)`")
        if isinstance(a, Periodic | Product) or isinstance(b, Periodic | Product):
            return self.bounded(self.size_arithmetic(symbol, a, b, node), node)
        if symbol == "**":
            return self.power(a, b, node)
        return self.bounded(_COMPUTE[symbol](a, b), node)

    def power(self, base: int | float, exponent: int | float, node: syntax.Node) -> Value:
        if base == 0 and exponent < 0:
            self.fail(node, "division by zero: zero to a negative power")
        # bit lengths tell before computing: base**exponent >= 2**((bits - 1) * exponent)
        if isinstance(base, int) and isinstance(exponent, int) and abs(base) > 1:
            bits = (base.bit_length() - 1) * exponent
            if bits > limits.MAGNITUDE.bit_length():
                self.too_large(node)
            if bits < -1100:
                return 0.0
        try:
            result = base**exponent
        except OverflowError:
            self.too_large(node)
        if isinstance(result, complex):
            self.fail(node, "a root of a negative number is not a number")
        return self.bounded(result, node)

    def size_arithmetic(self, symbol: str, left: Any, right: Any, node: syntax.Node) -> Value:
        try:
            if symbol == "/":
                return self.exact_quotient(left, right, node)
            if symbol in ("+", "-", "*", "//") and not isinstance(left, float) and not isinstance(right, float):
                if symbol == "*" and _parts(left) + _parts(right) > _PARTS_OF_PRODUCT:
                    message = f"a product has at most {_PARTS_OF_PRODUCT} unknown sizes"
                    self.fail(node, message, code="expression-limit")
                result: Value = _COMPUTE[symbol](left, right)
                return result
        except SizeError as error:
            self.fail(node, str(error), code="unknown-size")
        except TypeError:  # an operation that products of sizes do not have
            pass
        self.fail(node, f"`{left} {symbol} {right}` cannot be followed for unknown sizes", code="unknown-size")

    def exact_quotient(self, size: Any, divisor: Any, node: syntax.Node) -> Value:
        """size / divisor, under the requirement that this leaves no rest."""
        if isinstance(size, float) or isinstance(divisor, float):
            raise SizeError(f"`{size} / {divisor}` cannot be followed: sizes are integers")
        try:
            return divide_exactly(size, divisor)
        except SizeError:
            if not isinstance(size, Periodic) or not isinstance(divisor, int) or self.require is None:
                raise
        result: Value = size // divisor
        self.require(Multiple(size, divisor))
        return result

    # truth

    def truth(self, node: syntax.Node) -> bool:
        return self.is_true(self.value(node), node)

    def is_true(self, value: Value, at: syntax.At) -> bool:
        if isinstance(value, Periodic | Product):
            self.fail(at, f"a condition needs a number, `{value}` is unknown", code="unknown-size")
        if isinstance(value, TensorSpec | Mapping):
            self.fail(at, "a tensor is neither true nor false")
        return bool(value)

    def comparison(self, node: syntax.Comparison) -> bool:
        left, left_at = self.value(node.first), node.first
        for symbol, right_at in node.rest:
            right = self.value(right_at)
            self.comparable(symbol, left, left_at, right, right_at)
            if not _COMPARE[symbol](left, right):
                return False
            left, left_at = right, right_at
        return True

    def comparable(self, symbol: str, left: Value, left_at: syntax.Node, right: Value, right_at: syntax.Node) -> None:
        for value, at in ((left, left_at), (right, right_at)):
            if (size := _unknown_in(value)) is not None:
                message = f"a comparison needs a number, `{size}` is unknown"
                self.fail(at, message, "give the input numbers, or decide by a parameter", code="unknown-size")
            if isinstance(value, TensorSpec | Mapping):
                self.fail(at, "tensors cannot be compared", "compare `.channels`, `.height` or another of their sizes")
        both = syntax.At(min(left_at.start, right_at.start), max(left_at.end, right_at.end))
        kinds = {_comparable_kind(left), _comparable_kind(right)}
        if symbol in ("==", "!="):
            if len(kinds - {"null"}) > 1:
                self.fail(both, f"{kind_of(left)} is compared with {kind_of(right)}", "compare things of one kind")
        elif kinds != {"number"}:
            self.fail(both, f"`{symbol}` compares numbers, not {kind_of(left)} with {kind_of(right)}", TEXTS)

    # parts

    def item(self, value: Value, index: Value, node: syntax.Index) -> Value:
        if not isinstance(value, tuple):
            self.fail(node.value, f"an index needs a list, not {kind_of(value)}")
        place = self.integer(index, node.index, "an index")
        if not -len(value) <= place < len(value):
            help = (
                f"the first item has the index 0, the last one {len(value) - 1} or -1" if value else "the list is empty"
            )
            self.fail(node.index, f"index {place} is outside a list of {len(value)} items", help)
        found: Value = self.bounded(value[place], node)
        return found

    def attribute(self, value: Value, node: syntax.Attribute) -> Value:
        results = ""
        if isinstance(value, Mapping):
            if node.name in value:
                return value[node.name]
            results = f"the results {', '.join(f'`{name}`' for name in value)}; the first has "
            value = next(iter(value.values()), None)
        if not isinstance(value, TensorSpec):
            self.fail(node, f"{kind_of(value)} has no `.{node.name}`", "only tensors have attributes")
        found = _attributes(value)
        if node.name not in found:
            has = results + ", ".join(f"`.{name}`" for name in found)
            at = syntax.At(node.end - len(node.name), node.end)
            self.fail(at, f"a tensor of shape {value} has no `.{node.name}`", f"it has {has}")
        return found[node.name]

    # functions

    def call(self, node: syntax.Call) -> Value:
        arguments = [self.value(argument) for argument in node.arguments]
        name, count = node.function, len(arguments)
        if name in ("min", "max") and count > 1:
            numbers = [self.number(value, at, f"`{name}`") for value, at in zip(arguments, node.arguments)]
            return min(numbers) if name == "min" else max(numbers)
        if name in ("min", "max", "sum", "len"):
            return self.of_list(name, node, arguments)
        most = 2 if name in ("round", "round_to") else 1
        least = 2 if name == "round_to" else 1
        if not least <= count <= most:
            self.wrong_count(node, str(least) if least == most else f"{least} or {most}")
        numbers = [self.number(value, at, f"`{name}`") for value, at in zip(arguments, node.arguments)]
        if name == "round_to":
            return self.bounded(self.round_to(numbers[0], numbers[1], node), node)
        if count == 2:
            digits = self.integer(numbers[1], node.arguments[1], "`round`")
            if abs(digits) > _ROUND_DIGITS:
                self.fail(node.arguments[1], f"`round` takes up to {_ROUND_DIGITS} digits", code="expression-limit")
            return self.bounded(round(numbers[0], digits), node)
        functions: dict[str, Callable[[int | float], int | float]] = {
            "round": round, "ceil": math.ceil, "floor": math.floor, "abs": abs,
        }  # fmt: skip
        return functions[name](numbers[0])

    def of_list(self, name: str, node: syntax.Call, arguments: list[Value]) -> Value:
        if len(arguments) != 1:
            self.wrong_count(node, "1" if name in ("sum", "len") else "1 or more")
        items, at = arguments[0], node.arguments[0]
        if not isinstance(items, tuple):
            if name in ("min", "max"):
                self.number(items, at, f"`{name}`")  # an unknown size is the more telling error
            self.fail(at, f"`{name}` needs a list, not {kind_of(items)}")
        if name == "len":
            return len(items)
        if name == "sum":
            total: Value = 0
            for item in items:
                total = self.arithmetic("+", total, item, node)
            return total
        if not items:
            self.fail(at, f"`{name}` of an empty list")
        numbers = [self.number(item, at, f"`{name}`") for item in items]
        return min(numbers) if name == "min" else max(numbers)

    def wrong_count(self, node: syntax.Call, wanted: str) -> NoReturn:
        self.fail(node, f"`{node.function}` takes {wanted} values, not {len(node.arguments)}")

    def round_to(self, value: int | float, multiple: int | float, node: syntax.Call) -> int | float:
        """MobileNet's rule: the nearest multiple that is not more than a tenth below (Sandler et al. 2018)."""
        if multiple <= 0:
            self.fail(node.arguments[1], f"`round_to` needs a positive multiple, not {multiple}")
        if isinstance(value, int) and isinstance(multiple, int):  # exact where a float would not be
            rounded: int | float = max(multiple, (2 * value + multiple) // (2 * multiple) * multiple)
        else:
            quotient = (value + multiple / 2) / multiple
            if not abs(quotient) <= limits.MAGNITUDE:
                self.too_large(node)
            rounded = max(multiple, math.floor(value + multiple / 2) // multiple * multiple)
        return rounded + multiple if rounded < 0.9 * value else rounded


def _parts(size: Any) -> int:
    """How many unknown sizes a size is a product of."""
    return len(size.of) if isinstance(size, Product) else int(isinstance(size, Periodic))


def _unknown_in(value: Value) -> Periodic | Product | None:
    if isinstance(value, Periodic | Product):
        return value
    if isinstance(value, tuple):
        return next((found for item in value if (found := _unknown_in(item)) is not None), None)
    return None


def _comparable_kind(value: Value) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "null" if value is None else "text" if isinstance(value, str) else "list"


def _attributes(tensor: TensorSpec) -> dict[str, Value]:
    """All that may follow the dot, by the number of spatial axes."""
    found: dict[str, Value] = {}
    if tensor.shape:
        found["channels"] = tensor.channels
        found |= zip(_AXES.get(tensor.rank - 1, ()), tensor.spatial)
        if tensor.rank == 2:
            found["width"] = tensor.shape[0]
    return found | {"rank": tensor.rank, "shape": tensor.shape}
