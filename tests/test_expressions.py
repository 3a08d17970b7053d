"""What expressions and templates are worth, and how a wrong one is told."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resspec import limits
from resspec.domain import Multiple, Requirement
from resspec.language.expressions import ExpressionError, Value, parse_expression, parse_template
from resspec.language.syntax import FUNCTIONS
from resspec.sizes import Product, unknown
from resspec.tensor import TensorSpec

H, W = unknown("H"), unknown("W")
NAMES: dict[str, Value] = {
    "a": 3, "b": 4, "n": 0, "f": 0.5, "yes": True, "nothing": None, "act": "relu", "widths": (64, 128, 256),
    "rows": ((1, 64), (2, 128)), "H": H, "W": W, "flat": Product(1, (H, W)), "big": 2**53,
    "in": TensorSpec((H, W, 64)), "prev": TensorSpec((28, 14, 256)), "audio": TensorSpec((16_000, 2)),
    "video": TensorSpec((8, 32, 48, 3)), "vector": TensorSpec((10,)), "scalar": TensorSpec(()),
    "call": {"high": TensorSpec((56, 56, 64)), "low": TensorSpec((7, 7, 512))},
}  # fmt: skip


def value(text: str, require: Any = None) -> Value:
    return parse_expression(text).evaluate(NAMES.__getitem__, require)


def problem(text: str, names: Any = NAMES.__getitem__) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text).evaluate(names)
    error = caught.value
    assert 0 <= error.offset <= error.offset + error.length <= len(text)
    assert error.message.isprintable()
    return error


def marked(error: ExpressionError, text: str) -> str:
    return text[error.offset : error.offset + error.length]


# --- results --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4*a", 12), ("-2**2", -4), ("2**-1", 0.5), ("2**3**2", 512), ("-7//2", -4), ("-7%3", 2), ("7%-3", -2),
        ("1 < a <= 3 < b", True), ("1 < a < 3 < 1//n", False), ("n and 1//n", 0), ("a or 1//n", 3),
        ("not a == b", True), ("not n and a", 3), ("1 if n else 2 if a else 4", 2), ("1 if a else 1//n", 1),
        ("round(2.5)", 2), ("round(3.5)", 4), ("round(2.675, 2)", 2.67), ("round(1250, -2)", 1200),
        ("ceil(7/2)", 4), ("floor(-7/2)", -4), ("abs(-a)", 3), ("min(a, b, 1)", 1), ("max(widths)", 256),
        ("len(widths)", 3), ("sum(widths)", 448), ("sum([])", 0), ("widths[0]", 64), ("widths[-1]", 256),
        ("rows[1][0]", 2), ("[a, b,][1]", 4), ("[]", ()), ("010", 10), ("1e-3", 1e-3), (".5", 0.5), ("1.", 1.0),
        ("act == 'relu'", True), ('act != "relu"', False), ("'in' if yes else 'pre'", "in"), ("nothing == null", True),
        ("a != None", True), ("true", True), ("False", False), ("null", None), ("'$ ( \"'", '$ ( "'),
        ("in.channels * 2", 128), ("prev.height", 28), ("prev.width", 14), ("prev.rank", 3),
        ("prev.shape", (28, 14, 256)),
        ("audio.length", 16_000), ("audio.width", 16_000), ("video.depth", 8), ("video.height", 32),
        ("video.width", 48),
        ("vector.channels", 10), ("scalar.rank", 0), ("call.low.channels", 512), ("call.channels", 64),
        ("in.height", H), ("in.shape[-1]", 64), ("(in).channels != 64", False), ("big - 1", 2**53 - 1),
        ("a\n + b", 7), ("round_to(32*0.75, 8)", 24), ("min(-0.0, 1)", -0.0), ("10**-400", 0.0),
    ],
)  # fmt: skip
def test_an_expression_is_worth(text: str, expected: Value) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("H - 184", "H - 184"), ("184 - H", "-H + 184"), ("2*H + 1", "2*H + 1"), ("H//2*2", "2*(H//2)"), ("-H", "-H"),
        ("H + H", "2*H"), ("H*W*64", "H*W*64"), ("flat*2", "H*W*2"), ("flat/H", "W"), ("4*H/2", "2*H"),
        ("sum([H, 1, 2])", "H + 3"), ("[H, W][0]", "H"), ("+H", "H"), ("in.width - H + H", ""),
    ],
)  # fmt: skip
def test_unknown_sizes_are_followed(text: str, expected: str) -> None:
    if expected:
        assert str(value(text)).replace("-1*H", "-H") == expected
    else:
        assert problem(text).code == "unknown-size"


def test_exact_division_requires_a_multiple() -> None:
    required: list[Requirement] = []
    assert value("H/32", required.append) == H // 32
    assert required == [Multiple(H, 32)]
    assert value("32*H/32", required.append) == H
    assert len(required) == 1


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("H/32", "H/32"), ("H > 3", "H"), ("3 == H", "H"), ("1 if H else 2", "H"), ("not H", "H"), ("H and 1", "H"),
        ("widths[H]", "H"), ("min(H, 3)", "H"), ("max(1, 2, flat)", "flat"), ("round(H)", "H"),
        ("flat + 1", "flat + 1"),
        ("flat // 2", "flat // 2"), ("H % 2", "H % 2"), ("H ** 2", "H ** 2"), ("3 // H", "3 // H"),
        ("H * 0.5", "H * 0.5"),
        ("H + W", "H + W"), ("H / 2.0", "H / 2.0"), ("H // -2", "H // -2"), ("H // 10007", "H // 10007"),
        ("3 / H", "3 / H"),
        ("in.shape == [1]", "in.shape"), ("[H] == [1]", "[H]"),
    ],
)  # fmt: skip
def test_what_an_unknown_size_cannot_do(text: str, place: str) -> None:
    error = problem(text)
    assert error.code == "unknown-size"
    assert marked(error, text) == place
    assert "H" in error.message


def mobilenet(v: float, divisor: int) -> int:
    """`_make_divisible` as published with MobileNetV2."""
    new_v = max(divisor, int(v + divisor / 2) // divisor * divisor)
    return new_v + divisor if new_v < 0.9 * v else new_v


@given(channels=st.integers(1, 4096), percent=st.integers(1, 400), divisor=st.integers(1, 64))
def test_round_to_is_the_published_rule(channels: int, percent: int, divisor: int) -> None:
    names: dict[str, Value] = {"c": channels, "w": percent / 100, "d": divisor}
    found = parse_expression("round_to(c*w, d)").evaluate(names.__getitem__)
    assert found == mobilenet(channels * (percent / 100), divisor)
    assert type(found) is int
    assert parse_expression("round_to(c, d)").evaluate(names.__getitem__) == mobilenet(channels, divisor)


# --- against Python -------------------------------------------------------------------------------


def written(random: random.Random, depth: int, kind: str = "number") -> str:
    """A random expression of numbers (or of one truth value), in Python's own notation."""

    def number() -> str:
        return written(random, depth - 1)

    def truth() -> str:
        return written(random, depth - 1, "truth")

    space = random.choice(["", " "])
    if kind == "truth":
        if depth <= 0:
            return random.choice(["True", "False", "yes"])
        match random.randrange(5):
            case 0:
                return f"not {truth()}"
            case 1:
                return f"{truth()} {random.choice(['and', 'or'])} {truth()}"
            case 2:
                return f"({truth()})"
            case _:
                operators = ["<", "<=", ">", ">=", "==", "!="]
                tail = "".join(f" {random.choice(operators)} {number()}" for _ in range(random.randint(1, 2)))
                return f"({number()}{tail})"
    if depth <= 0:
        return random.choice(["a", "b", "n", "f", "0", "1", "2", "7", "13", "0.5", "2.5", "1e3", "1e-2", "widths[1]"])
    match random.randrange(12):
        case 0 | 1 | 2 | 3 | 4:
            operator = random.choice(["+", "-", "*", "/", "//", "%", "**"])
            return f"{number()}{space}{operator}{space}{number()}"
        case 5:
            return f"{random.choice('-+')}{space}{number()}"
        case 6 | 7:
            return f"({number()})"
        case 8:
            return f"({number()} if {truth()} else {number()})"
        case 9:
            return f"{random.choice(['min', 'max'])}({number()}, {number()})"
        case 10:
            return f"{random.choice(['round', 'abs', 'ceil', 'floor'])}({number()})"
        case _:
            return f"[{number()}, {number()}][{random.choice(['0', '1', '-1', '-2'])}]"


def test_results_and_types_are_pythons() -> None:
    import math

    cases = 20_000
    generator = random.Random(20)
    names = {name: NAMES[name] for name in ("a", "b", "n", "f", "yes", "widths")}
    functions = {"__builtins__": {}, "min": min, "max": max, "round": round, "abs": abs}
    functions |= {"ceil": math.ceil, "floor": math.floor}
    compared = limited = 0
    while compared < cases:
        text = written(generator, generator.randint(1, 4))
        if len(text) > limits.EXPRESSION_CHARS:
            continue
        try:
            found = parse_expression(text).evaluate(names.__getitem__)
        except ExpressionError as error:
            if error.code == "expression-limit" or "root of a negative" in error.message:
                limited += 1  # Python might compute for hours, or go on with complex numbers
                continue
            found = error
        try:
            expected = eval(text, functions, names)
        except ZeroDivisionError:
            assert isinstance(found, ExpressionError), text
            assert "division by zero" in found.message, text
        else:
            assert found == expected, text
            assert type(found) is type(expected), text
        compared += 1
    assert limited < cases


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "", "the expression ends too early"),
        ("a +", "", "the expression ends too early"),
        ("a b", "b", "unexpected `b`"),
        ("(a", "", "the expression ends too early"),
        ("a)", ")", "unexpected `)`"),
        ("a = 3", "=", "unexpected `=`"),
        ("a && b", "&", "unexpected `&`"),
        ("${a}", "$", "unexpected `$`"),
        ("a ? b : n", "?", "unexpected `?`"),
        ("'relu", "'", "unexpected `'`"),
        ("1_000", "_", "unexpected `_`"),
        ("12abc", "abc", "unexpected `abc`"),
        ("__import__('os')", "_", "unexpected `_`"),
        ("1 + not a", "not", "unexpected `not`"),
        ("a if b", "", "the expression ends too early"),
        ("open('x')", "open", "there is no function `open`"),
        ("a.b.c", "a.b", "the number 3 has no `.b`"),
        ("act.upper", "act.upper", "the text `relu` has no `.upper`"),
        ("vector.height", "height", "a tensor of shape (10) has no `.height`"),
        ("call.middle", "middle", "a tensor of shape (56, 56, 64) has no `.middle`"),
        ("prev.shape[3]", "3", "index 3 is outside a list of 3 items"),
        ("widths[-4]", "-4", "index -4 is outside a list of 3 items"),
        ("widths[0.5]", "0.5", "an index needs an integer, not 0.5"),
        ("widths[yes]", "yes", "an index needs a number, not the boolean `true`"),
        ("act[0]", "act", "an index needs a list, not the text `relu`"),
        ("1 + yes", "yes", "`+` needs numbers, not the boolean `true`"),
        ("-yes", "yes", "`-` needs numbers, not the boolean `true`"),
        ("act + 'x'", "act", "`+` needs numbers, not the text `relu`"),
        ("2*[1]", "[1]", "`*` needs numbers, not a list"),
        ("prev*2", "prev", "`*` needs numbers, not a tensor"),
        ("a // n", "n", "division by zero"),
        ("a % (b - 4)", "(b - 4)", "division by zero"),
        ("a / 0.0", "0.0", "division by zero"),
        ("n ** -1", "n ** -1", "division by zero: zero to a negative power"),
        ("(-8) ** f", "(-8) ** f", "a root of a negative number is not a number"),
        ("H // 0", "0", "division by zero"),
        ("act == 3", "act == 3", "the text `relu` is compared with the number 3"),
        ("yes == 1", "yes == 1", "the boolean `true` is compared with the number 1"),
        ("act < 'x'", "act < 'x'", "`<` compares numbers, not the text `relu` with the text `x`"),
        ("nothing < 1", "nothing < 1", "`<` compares numbers, not null with the number 1"),
        ("prev == in", "prev", "tensors cannot be compared"),
        ("1 if prev else 2", "prev", "a tensor is neither true nor false"),
        ("min()", "min()", "`min` takes 1 or more values, not 0"),
        ("min(a)", "a", "`min` needs a list, not the number 3"),
        ("min([])", "[]", "`min` of an empty list"),
        ("len(a)", "a", "`len` needs a list, not the number 3"),
        ("sum(1, 2)", "sum(1, 2)", "`sum` takes 1 values, not 2"),
        ("round_to(a)", "round_to(a)", "`round_to` takes 2 values, not 1"),
        ("round_to(a, 0)", "0", "`round_to` needs a positive multiple, not 0"),
        ("round(1, 2, 3)", "round(1, 2, 3)", "`round` takes 1 or 2 values, not 3"),
        ("max(a, act)", "act", "`max` needs a number, not the text `relu`"),
    ],
)
def test_a_mistake_is_told_where_it_stands(text: str, place: str, message: str) -> None:
    error = problem(text)
    assert error.code == "bad-expression"
    assert error.message == message
    assert marked(error, text) == place


def test_an_unknown_name_is_told() -> None:
    error = problem("4*widht + 1")
    assert (error.code, error.message, error.name) == ("unknown-name", "unknown name `widht`", "widht")
    assert marked(error, "4*widht + 1") == "widht"


def test_an_error_of_the_lookup_passes_through_unchanged() -> None:
    own = ExpressionError("unknown-size", "in a let", 90, 7)

    def lookup(name: str) -> Value:
        raise own

    for evaluate in (parse_expression("1 + x").evaluate, parse_template("width$(1 + x)").evaluate):
        with pytest.raises(ExpressionError) as caught:
            evaluate(lookup)
        assert caught.value is own


def test_the_names_of_an_expression() -> None:
    text = "in.channels if min(a, 2) else call.high.width[i] + prev.shape[0]"
    assert parse_expression(text).names == {"in", "a", "call", "i", "prev"}
    assert parse_expression("min + round").names == {"min", "round"}


# --- bounds ---------------------------------------------------------------------------------------


class Fuse(int):
    """An integer that must not be multiplied or raised."""

    def __pow__(self, other: Any, modulus: Any = None) -> Any:
        raise AssertionError("computed")


def test_a_tower_of_powers_is_refused_uncomputed() -> None:
    assert problem("9**9**9").code == "expression-limit"
    assert problem("a**b", {"a": Fuse(9), "b": 387_420_489}.__getitem__).code == "expression-limit"
    assert problem("a**b", {"a": Fuse(2), "b": 60}.__getitem__).code == "expression-limit"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("2**54", "2**54"), ("big + 1", "big + 1"), ("big * big", "big * big"), ("-big - 1", "-big - 1"),
        ("1e300", "1e300"),
        ("1e999", "1e999"), ("9" * 60, "9" * 60), ("a * 2.0**60", "2.0**60"), ("0.5**-2000", "0.5**-2000"),
        ("big**3*big**3", "big**3"), ("sum([big, big])", "sum([big, big])"),
        ("round_to(big, big)*2", "round_to(big, big)*2"),
        ("H*big*2", "H*big*2"), ("H + big + 1", "H + big + 1"), ("flat*big*2", "flat*big*2"), ("round(1, 99)", "99"),
        ("flat*flat*flat*flat*H", "flat*flat*flat*flat*H"), ("round_to(1e15, 1e-9)", "round_to(1e15, 1e-9)"),
    ],
)  # fmt: skip
def test_every_intermediate_is_bounded(text: str, place: str) -> None:
    error = problem(text)
    assert error.code == "expression-limit"
    assert marked(error, text) == place


@pytest.mark.parametrize("large", [2**53 + 1, -(2**60), float("inf"), float("nan"), "x" * 5000, (0,) * 5000])
def test_values_from_outside_are_bounded_too(large: Value) -> None:
    assert problem("x", {"x": large}.__getitem__).code == "expression-limit"


@pytest.mark.parametrize("part", ["(", "[", "-", "not ", "min(", "2**", "1 if 1 else ", "widths[", "- - +", "a[(-("])
def test_deep_nesting_is_refused(part: str) -> None:
    text = (part * limits.EXPRESSION_CHARS)[: limits.EXPRESSION_CHARS]
    limited = text.count(part.strip()) > limits.EXPRESSION_DEPTH
    assert problem(text).code == ("expression-limit" if limited else "bad-expression")


def test_the_last_legal_level() -> None:
    deepest = limits.EXPRESSION_DEPTH
    assert value("(" * deepest + "1" + ")" * deepest) == 1
    assert problem("(" * (deepest + 1) + "1" + ")" * (deepest + 1)).code == "expression-limit"


def test_the_longest_legal_text() -> None:
    assert value("1" + "+1" * 99) == 100
    assert value("1" + " " * 199) == 1
    assert problem("1" + " " * 200).code == "expression-limit"


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.sampled_from([*"()[]+-*/%.,<>=!'\"$ ", "**", "//", "==", "<=", " and ", " or ", " not ", " if ", " else ",
                         "1", "0", "2.5", "9e9", "true", "null", *FUNCTIONS, *(f" {name} " for name in NAMES)]),
        max_size=14,
    )
)  # fmt: skip
def test_no_text_does_worse_than_an_error(parts: list[str]) -> None:
    text = "".join(parts)
    for parse in (parse_expression, parse_template):
        try:
            parse(text).evaluate(NAMES.__getitem__)
        except ExpressionError as error:
            places = (error.offset, error.offset + error.length)
            if not 0 <= places[0] <= places[1] <= len(text):
                pytest.fail(f"{text!r}: {places}")


# --- templates ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("relu", "relu"), ("", ""), ("$a", 3), ("$(a + b)", 7), ("$in", NAMES["in"]), ("$nothing", None),
        ("$yes", True),
        ("$widths", (64, 128, 256)), ("resnet$(a)_v2", "resnet3_v2"), ("skip$a$b", "skip34"),
        ("$act-$f-$yes", "relu-0.5-true"),
        ("x$nothing", "xnull"), ("$$5", "$5"), ("$$", "$"), ("a$$b$a", "a$b3"), ("$('in' if yes else 'pre')", "in"),
        ("x$(')')", "x)"), ("$((a))", 3), ("$(min(a, b))x", "3x"), ("$(H//2)", H // 2),
    ],
)  # fmt: skip
def test_a_template_is_worth(text: str, expected: Value) -> None:
    found = parse_template(text).evaluate(NAMES.__getitem__)
    assert found == expected
    assert type(found) is type(expected)


def test_the_names_of_a_template_and_whether_it_is_whole() -> None:
    assert parse_template("skip$i-$(j + in.channels)").names == {"i", "j", "in"}
    assert [parse_template(text).whole for text in ("$a", "$(a + 1)", "$a ", "$$", "a", "")] == [True, True] + [
        False
    ] * 4


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [
        ("5$", "$", "bad-expression"), ("${a}", "$", "bad-expression"), ("$(a", "$(", "bad-expression"),
        ("$(a ' )", "$(", "bad-expression"), ("x$(1 + widht)", "widht", "unknown-name"),
        ("x$widht", "widht", "unknown-name"),
        ("x$(1 +* 2)", "*", "bad-expression"), ("x$()", "", "bad-expression"), ("x$widths", "widths", "bad-expression"),
        ("x$in", "in", "bad-expression"), ("x$H", "H", "unknown-size"), ("x$(H > 1)", "H", "unknown-size"),
        ("x$(big + 1)", "big + 1", "expression-limit"), ("x" * 5000, "x" * 5000, "expression-limit"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_template_is_told_where_it_stands(text: str, place: str, code: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_template(text).evaluate(NAMES.__getitem__)
    assert caught.value.code == code
    assert marked(caught.value, text) == place


def test_a_joined_text_is_bounded() -> None:
    names: dict[str, Value] = {"x": "x" * 4000}
    with pytest.raises(ExpressionError) as caught:
        parse_template("$x$x").evaluate(names.__getitem__)
    assert caught.value.code == "expression-limit"
