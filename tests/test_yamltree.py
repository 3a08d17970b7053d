"""What a spec file means, where each part of it stands, and what is refused."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from resspec import limits, yamlflow, yamltree
from resspec.diagnostics import SpecError
from resspec.yamltree import Mapping, Scalar, Sequence, locate, parse, parse_value, to_data

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(yamltree, "_LOADER", request.param)
    return request.param


def codes(text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        parse(text, "net.yaml")
    for finding in caught.value.diagnostics:
        assert finding.span is not None
        assert finding.span.line <= text.count("\n") + 1
        assert finding.message.isprintable()
    return [finding.code for finding in caught.value.diagnostics]


def finding(text: str) -> Any:
    with pytest.raises(SpecError) as caught:
        parse(text, "net.yaml")
    (only,) = caught.value.diagnostics
    return only


# --- values ---------------------------------------------------------------------------------------

LITERALS = [
    ("", None), ("~", None), ("null", None), ("Null", None), ("NULL", None), ("nULL", "nULL"),
    ("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False),
    ("no", "no"), ("Yes", "Yes"), ("on", "on"), ("y", "y"),
    ("0", 0), ("-7", -7), ("+7", 7), ("010", 10), ("0o17", 15), ("0x1F", 31), ("-0x1", "-0x1"), ("0b1", "0b1"),
    ("1_000", "1_000"), ("12:30", "12:30"), ("2024-01-31", "2024-01-31"), ("1.2.3", "1.2.3"),
    ("1e-3", 1e-3), ("1E3", 1000.0), (".5", 0.5), ("1.", 1.0), ("-1.5e+2", -150.0), ("+.5", 0.5), ("1e", "1e"),
    (".", "."), ("-", "-"), ("+", "+"), ("0o8", "0o8"), ("0x", "0x"), ("٣", "٣"),
    ("999999999999999999", 999999999999999999), ("'1'", "1"), ('"true"', "true"), ("''", ""), ('"\\x41"', "A"),
    ("4*width", "4*width"), ("in.channels != out", "in.channels != out"), ("int = 64", "int = 64"), ("=", "="),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), LITERALS)
def test_a_literal_has_this_value_and_type(loader: Any, text: str, value: Any) -> None:
    if text == "-":  # alone it is an item without a value
        text = "'-'"
    found = to_data(parse(f"key: {text}", "net.yaml"))["key"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [".inf", "-.INF", "+.Inf", ".nan", ".NaN", "1e999", "-1e999", "9" * 19, "0x" + "f" * 16, "0o" + "7" * 30,
     "1" * 5000, "0." + "0" * 5000],
)  # fmt: skip
def test_numbers_are_finite_and_short(loader: Any, text: str) -> None:
    assert codes(f"key: {text}") == ["yaml-number"]
    assert to_data(parse(f"key: '{text}'", "net.yaml")) == {"key": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [("50", 50), ("[1, 2]", [1, 2]), ("{a: 1}", {"a": 1}), ("", None), ("relu", "relu"), ("1e-3", 1e-3), ("'5'", "5")],
)
def test_a_value_of_the_command_line(text: str, value: Any) -> None:
    assert parse_value(text, "-p depth") == value


def test_a_bad_value_of_the_command_line_names_its_option() -> None:
    with pytest.raises(SpecError) as caught:
        parse_value("[1", "-p depth")
    assert caught.value.diagnostics[0].span.file == "-p depth"  # type: ignore[union-attr]


scalars = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False)
words = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x17E, blacklist_categories=("Cc", "Cf")), max_size=8
).filter(lambda word: not re.fullmatch(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?|0o[0-7]+", word))  # `08`: text in YAML 1.1
documents = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(document=documents, flow=st.sampled_from([True, False, None]), width=st.sampled_from([20, 10_000]))
def test_what_pyyaml_writes_is_read_back(document: Any, flow: bool, width: int) -> None:
    text = yaml.safe_dump(document, default_flow_style=flow, width=width, allow_unicode=True)
    trees = []
    for each in LOADERS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(yamltree, "_LOADER", each)
            trees.append(parse(text, "net.yaml"))
    assert trees[0] == trees[-1]
    assert to_data(trees[0]) == yaml.safe_load(text) == document


# Corners that one of the parsers refuses: `|#`, `{a:}`, `{a?b}` and `{a ?b}`. Where both accept a text, they must agree.
CORNERS = re.compile(r"[|>][-+0-9]*#|:[\]}]|[^\s,\[{]\s*\?")


def tree_or_findings(text: str) -> Any:
    try:
        return parse(text, "net.yaml")
    except SpecError as error:
        return error


@settings(max_examples=600, deadline=None)
@given(text=st.text(st.sampled_from(list("ab10:-?#,[]{}()&*!|>'\"%@ \n\n~<=.$\\/é")), max_size=40))
def test_both_parsers_agree_on_any_text(text: str) -> None:
    assume(not CORNERS.search(text))
    found = []
    for each in LOADERS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(yamltree, "_LOADER", each)
            found.append(tree_or_findings(text))
    refused = [isinstance(each, SpecError) for each in found]
    assert refused[0] == refused[-1]
    assert any(refused) or found[0] == found[-1]


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=60))
def test_no_text_does_worse_than_a_finding(text: str) -> None:
    found = tree_or_findings(text)
    if isinstance(found, SpecError):
        assert found.sources == {"net.yaml": text}
        assert all(item.span and item.span.line >= 1 and item.span.column >= 1 for item in found.diagnostics)


# --- places ---------------------------------------------------------------------------------------

NET = """\
resspec: 1
graph:
  - conv: {filters: 64, kernel_size: [3, 3]}
  - as: "é"
    relu:
doc: |
  Two
  lines

# a remark
name: net
"""


def stretch(span: Any) -> str:
    """What stands on a span, as a reader would mark it."""
    lines = NET.split("\n")[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("loc", "text"),
    [
        (["resspec"], "1"),
        (["graph", 0, "conv", "filters"], "64"),
        (["graph", 0, "conv", "kernel_size"], "[3, 3]"),
        (["graph", 0, "conv", "kernel_size", 1], "3"),
        (["graph", 0, "conv"], "{filters: 64, kernel_size: [3, 3]}"),
        (["graph", 0], "conv: {filters: 64, kernel_size: [3, 3]}"),
        (["graph", 1, "as"], '"é"'),
        (["graph", 1, "relu"], ""),
        (["graph", 1], 'as: "é"\n    relu:'),
        (["doc"], "|\n  Two\n  lines"),
        (["name"], "net"),
        (["graph", "tagged-union", 0, "Conv", "conv", "filters", "int"], "64"),
        (["graph", 7], NET[NET.index("- conv") : NET.index("\ndoc")]),
        (["nothing"], NET.rstrip()),
    ],
)
def test_every_value_knows_its_place(loader: Any, loc: list[Any], text: str) -> None:
    assert stretch(locate(parse(NET, "net.yaml"), loc)) == text


@pytest.mark.parametrize(
    ("loc", "text"),
    [(["graph", 0, "conv", "filters"], "filters"), (["graph", 0], "conv: {filters: 64, kernel_size: [3, 3]}"),
     (["graph", 1, "relu"], "relu"), (["graph", 0, "conv", "tag", "filters", "int"], "filters")],
)  # fmt: skip
def test_every_key_knows_its_place(loader: Any, loc: list[Any], text: str) -> None:
    assert stretch(locate(parse(NET, "net.yaml"), loc, key=True)) == text


def test_a_key_that_is_a_number_is_found() -> None:
    tree = parse("units: {50: [3], 101: [4]}", "net.yaml")
    assert locate(tree, ["units", 101]).column == locate(tree, ["units", "101"]).column == 23


def test_windows_line_ends_change_nothing(loader: Any) -> None:
    assert parse(NET.replace("\n", "\r\n"), "net.yaml") == parse(NET, "net.yaml")


def test_the_parts_of_a_tree() -> None:
    tree = parse("a: [1, 'x']", "net.yaml")
    assert isinstance(tree, Mapping)
    entry = tree.get("a")
    assert entry is not None
    assert tree.get("b") is None
    assert isinstance(entry.value, Sequence)
    number, text = entry.value.items
    assert isinstance(number, Scalar)
    assert isinstance(text, Scalar)
    assert (number.value, number.text, number.plain) == (1, "1", True)
    assert (text.value, text.text, text.plain) == ("x", "x", False)
    assert str(text.span) == "net.yaml:1:8"


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["empty-file"]), ("# nothing\n", ["empty-file"]), ("---\n", ["empty-file"]),
        ("a: !!python/object/apply:os.system [ls]", ["yaml-tag"]), ("! a", ["yaml-tag"]), ("a: !own 1", ["yaml-tag"]),
        ("a: !b!c 1", ["yaml-tag"]), ("!!map {a: 1}", ["yaml-tag"]),
        ("a: &x 1", ["yaml-anchor"]), ("a: &x [1]\nb: *x", ["yaml-anchor", "yaml-alias"]),
        ("&x a: 1", ["yaml-anchor"]), ("*x : 1", ["yaml-alias", "yaml-key"]),
        ("<<: {a: 1}", ["yaml-merge-key"]), ("'<<': 1\n<<: 2", ["yaml-merge-key"]),
        ("%YAML 1.2\n---\na: 1", ["yaml-directive"]), ("# x\n\n%FOO bar\n---\na: 1", ["yaml-directive"]),
        ("a: 1\n---\nb: 1", ["yaml-documents"]), ("--- 1\n--- 2", ["yaml-documents"]),
        ("a:\t1", ["yaml-tab"]), ("a: 1 #\t", ["yaml-tab"]), ("a: '\t'", ["yaml-tab"]),
        ("a: \x00", ["yaml-character"]), ("a: \x1b[31m", ["yaml-character"]), ("a: \u202e", ["yaml-character"]),
        ("a: \u2067x", ["yaml-character"]), ("a: \ufffe", ["yaml-character"]), ("a: \ud800", ["yaml-character"]),
        ("\ufeffa: 1", ["yaml-character"]), ("a: 1\rb: 2", ["yaml-character"]), ("a: \u2028", ["yaml-character"]),
        ('a: "\\0"', ["yaml-character"]), ('a: "\\u202e"', ["yaml-character"]), ('a: "\\ud800"', ["yaml-character"]),
        ('a: "\\e"', ["yaml-character"]), ('a: "\\UFFFFFFFF"', ["yaml-character"]),
        ('a: "\\U00110000"', ["yaml-character"]),
        ('a: "\\t"', ["yaml-character"]), ('a: "\\N"', ["yaml-character"]), ('"\\x07": 1', ["yaml-character"]),
        ("? [a]\n: 1", ["yaml-key"]), ("{{a: 1}: 2}", ["yaml-key"]), ("~: 1", ["yaml-key"]), ("null: 1", ["yaml-key"]),
        ("a: 1\nb: 2\na: 3", ["duplicate-key"]), ("x: {a: {b: 1, b: 2}, a: 3}", ["duplicate-key"] * 2),
        ("1: a\n0x1: b", ["duplicate-key"]), ("a: 1\n'a': 2", ["duplicate-key"]),
        ("a: [1, 2", ["yaml-syntax"]), ("a: 'x", ["yaml-syntax"]), ("a: b: c", ["yaml-syntax"]),
        ("a: @x", ["yaml-syntax"]), (": 1", ["yaml-syntax"]), ("a: 1\n...\nb: 1", ["yaml-syntax"]),
        ("a: 1\n b: 2", ["yaml-syntax"]), ("- a\nb: 1", ["yaml-syntax"]), ("a: }", ["yaml-syntax"]),
        ('a: "\\q"', ["yaml-syntax"]), ("'a' b", ["yaml-syntax"]), ("a: - b", ["yaml-syntax"]),
    ],
)  # fmt: skip
def test_what_is_refused_and_how_it_is_called(loader: Any, text: str, expected: list[str]) -> None:
    assert codes(text) == expected


def test_keys_of_different_type_are_different(loader: Any) -> None:
    tree = parse("{1: a, '1': b, 1.0: c, true: d, 'true': e}", "net.yaml")
    assert isinstance(tree, Mapping)
    assert [entry.key.value for entry in tree.entries] == [1, "1", 1.0, True, "true"]


def test_a_duplicate_key_shows_both_places(loader: Any) -> None:
    error = finding("filters: 1\nname: x\nfilters: 2\n")
    assert str(error.span) == "net.yaml:3:1"
    assert [str(label.span) for label in error.labels] == ["net.yaml:1:1"]


def test_line_breaks_may_be_escaped(loader: Any) -> None:
    assert to_data(parse('doc: "a\\nb"', "net.yaml")) == {"doc": "a\nb"}


@pytest.mark.parametrize(
    ("text", "place", "help"),
    [
        ("{filters: min(a, b)}", "1:11", "quote the expression: `filters: 'min(a, b)'`"),
        ("{f: max(min(a, b), c), g: 1}", "1:5", "quote the expression: `f: 'max(min(a, b), c)'`"),
        ("x: [1, min(a, b), 2]", "1:8", "quote the expression: `'min(a, b)'`"),
        ("conv: {f: g(a, b),\n       k: 3}", "1:11", "quote the expression: `f: 'g(a, b)'`"),
    ],
)
def test_the_comma_trap_is_named(loader: Any, text: str, place: str, help: str) -> None:
    error = finding(text)
    assert error.code == "yaml-comma"
    assert str(error.span) == f"net.yaml:{place}"
    assert error.help == help


@pytest.mark.parametrize(
    "text", ["{doc: smile :(, x: }", "{a: '(', b: ')'}", "[f(x), g(y)]", "{f(x), g}", "{a: (b), c: }"]
)
def test_parentheses_that_are_no_trap(loader: Any, text: str) -> None:
    parse(text, "net.yaml")


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [
        ("a: 1\nfilters:64\nb: 2", "2:1", "yaml-syntax"),
        ("filters:64\nb: 2", "1:1", "yaml-syntax"),
        ("- conv: 1\n  as:x\n  b: 2", "2:3", "yaml-syntax"),
        ("conv: {filters:64}", "1:8", "yaml-colon"),
    ],
)
def test_a_missing_space_after_a_colon_is_named(loader: Any, text: str, place: str, code: str) -> None:
    error = finding(text)
    assert (error.code, str(error.span)) == (code, f"net.yaml:{place}")
    assert "no space after the colon" in error.message


@pytest.mark.parametrize("text", ["see: http://x.org", "{http://x.org}", "use: resspec:blocks/x.yaml#se"])
def test_colons_inside_text_are_fine(loader: Any, text: str) -> None:
    parse(text, "net.yaml")


# --- bounds ---------------------------------------------------------------------------------------


@pytest.fixture
def events(loader: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The events that were taken from the parser."""
    taken: list[Any] = []

    class Counting(loader):  # type: ignore[misc]
        def get_event(self) -> Any:
            taken.append(super().get_event())
            return taken[-1]

    monkeypatch.setattr(yamltree, "_LOADER", Counting)
    return taken


@pytest.mark.parametrize("part", ["[", "{", "- ", "? ", "[a: ", "{a: ", "[\n", "- - ", "? - "])
def test_deep_nesting_is_refused_without_reading_on(events: list[Any], part: str) -> None:
    text = (part * limits.FILE_BYTES)[: limits.FILE_BYTES]
    found: list[str] = []
    size = threading.stack_size(1 << 20)
    try:
        thread = threading.Thread(target=lambda: found.extend(codes(text)))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
    assert found == ["yaml-depth"]
    assert len(events) <= 4 * limits.YAML_DEPTH


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")])
def test_the_last_legal_level(loader: Any, opening: str, closing: str) -> None:
    deepest = limits.YAML_DEPTH
    text = opening * deepest + "1" + closing * deepest
    if opening == "? ":
        assert set(codes(text)) == {"yaml-key"}
    else:
        parse(text, "net.yaml")
    assert codes(opening * (deepest + 1) + "1" + closing * (deepest + 1))[-1] == "yaml-depth"


def test_too_many_values_are_refused_without_reading_on(events: list[Any]) -> None:
    assert codes("-\n" * (limits.FILE_BYTES // 2)) == ["yaml-size"]
    assert len(events) <= limits.YAML_NODES + 10


def test_too_long_a_text_is_refused_unread(events: list[Any]) -> None:
    assert codes("#" * (limits.FILE_BYTES + 1)) == ["yaml-size"]
    assert not events


def test_many_mistakes_end_the_reading(events: list[Any]) -> None:
    assert len(codes("- &a 1\n" * 50_000)) == 100
    assert len(events) < 300


def test_a_bomb_of_aliases_never_grows(events: list[Any]) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 24)]
    assert set(codes("\n".join(lines))) == {"yaml-anchor", "yaml-alias"}
    assert len(events) < 400


def test_many_open_parentheses_cost_little(loader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    original = yamlflow._open_brackets
    monkeypatch.setattr(yamlflow, "_open_brackets", lambda tree: looks.append(1) or original(tree))
    parse("[" + "a(, " * 2000 + "]", "net.yaml")
    assert len(looks) < 2000 * 40
