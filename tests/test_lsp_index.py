"""The index behind the language server: names, their places and scopes, from the located tree alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from resspec import api, files, yamltree
from resspec.diagnostics import Edit, SpecError
from resspec.language import document as documents
from resspec.lsp.analysis import Analysis, first
from resspec.lsp.completion import proposals
from resspec.lsp.index import Index, build
from resspec.lsp.navigation import definitions, references
from resspec.lsp.outline import Item, outline
from resspec.lsp.positions import Cursor, Lines, Spot
from resspec.lsp.rename import Refused, edits
from resspec.lsp.repair import before, readable, typed
from resspec.lsp.symbols import Kind, Symbol
from resspec.lsp.texts import holes, pieces, words
from resspec.ops import by_kind

OPS = by_kind()
SHIPPED = sorted(path for path in files.SHIPPED.rglob("*.yaml") if "." not in path.stem)
BAR = "┃"
"""stands where the cursor is"""


def index_of(text: str, folder: Path = files.SHIPPED) -> Index:
    """The index of a text that stands in a folder, where it finds what it uses."""
    found = first(text, "spec.yaml", folder, Analysis())
    return build(yamltree.parse(text, "spec.yaml"), Lines.of(text), OPS, found.imports)


def cursor_in(text: str) -> tuple[str, Cursor]:
    """The text without the bar, and where that stood."""
    head, _, tail = text.partition(BAR)
    return head + tail, Cursor(head.count("\n") + 1, len(head) - head.rfind("\n"))


def applied(text: str, changes: Iterable[Edit]) -> str:
    lines = text.split("\n")
    for one in sorted(changes, key=lambda one: one.span, reverse=True):
        assert one.span.line == one.span.end_line
        line = lines[one.span.line - 1]
        lines[one.span.line - 1] = line[: one.span.column - 1] + one.text + line[one.span.end_column - 1 :]
    return "\n".join(lines)


def renamed(text: str, name: str) -> str:
    text, cursor = cursor_in(text)
    return applied(text, edits(index_of(text), cursor, name, frozenset(OPS)))


def labels(text: str, known: str | None = None) -> list[str]:
    text, cursor = cursor_in(text)
    index = index_of(known) if known is not None else None
    return [one.label for one in proposals(Lines.of(text), cursor, "spec.yaml", OPS, index, {})]


# -- positions and texts ---------------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "character"), [("utf-16", 3), ("utf-8", 6), ("utf-32", 2)])
def test_columns_are_counted_in_the_units_of_the_client(unit: str, character: int) -> None:
    lines = Lines.of("a\né𝄞x", unit)
    assert lines.spot(2, 3) == Spot(1, character)
    assert lines.cursor(Spot(1, character)) == Cursor(2, 3)


def test_a_column_inside_a_character_or_beyond_the_line_is_mended() -> None:
    lines = Lines.of("𝄞a")
    assert lines.cursor(Spot(0, 1)) == Cursor(1, 1)
    assert lines.cursor(Spot(0, 99)) == Cursor(1, 3)
    assert lines.cursor(Spot(7, 2)) == Cursor(8, 1)


def test_names_of_expressions() -> None:
    found = [(word.text, word.start) for word in words("4*w if act == 'x y' else min(in.channels, 1e-3*b2)")]
    assert found == [("w", 2), ("act", 7), ("x y", 15), ("in", 29), ("b2", 47)]


def test_names_of_a_broken_expression() -> None:
    assert [word.text for word in words("(a + b) * 'half")] == ["a", "b", "half"]


@pytest.mark.parametrize(
    ("text", "around"),
    [
        ("stage$(i+1)", ("stage", "")),
        ("a$i_b", ("a", "")),
        ("$(f(')') + (1))x", ("", "x")),
        ("plain", ("plain",)),
        ("$$5", ("$$5",)),
        ("x$(open", ("x", "")),
    ],
)
def test_holes_of_a_text(text: str, around: tuple[str, ...]) -> None:
    assert pieces(text) == around
    assert all(text[hole.start] == "$" for hole in holes(text))


# -- names -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_place_of_a_name_holds_it(path: Path) -> None:
    text = path.read_text()
    lines, index = Lines.of(text), index_of(text)
    for one in index.occurrences:
        if not one.implied:
            assert one.span is not None, one.symbol.name
            assert lines.line(one.span.line)[one.span.column - 1 : one.span.end_column - 1] == one.symbol.stem


@pytest.mark.parametrize("path", [p for p in SHIPPED if p.parent == files.SHIPPED], ids=lambda path: path.stem)
def test_renaming_any_name_of_a_shipped_spec_leaves_the_network(path: Path) -> None:
    text = path.read_text()
    index = index_of(text)
    opened = api.open_source(path)
    plain = api.network(opened)
    count = 0
    for symbol in index.symbols:
        place = next((one for one in index.places(symbol) if one.span is not None), None)
        if place is None or not any(one.definition for one in index.places(symbol)):
            assert symbol.name == "i"
            continue
        assert place.span is not None
        changed = applied(text, edits(index, Cursor(place.span.line, place.span.column), "fresh0", frozenset(OPS)))
        assert changed != text
        if symbol.kind is Kind.INPUT or any(word in place.words for word in ("depth",)):
            continue  # the name is part of what the network is
        document, sources = documents.load(changed, path.name, path.parent)
        network = api.network(api.Opened(document, sources, None))
        assert [node.op for node in network.nodes] == [node.op for node in plain.nodes], symbol.name
        assert [node.inputs for node in network.nodes] == [node.inputs for node in plain.nodes], symbol.name
        count += 1
    assert count >= 5


SMALL = """\
resspec: 1
params: {width: int = 8, act: {type: str, enum: [relu, gelu], default: relu}}
variants: {wide: {width: 16}}
let: {inner: width // 2}
inputs: {image: [H, W, 3]}
blocks:
  unit:
    params: {filters: int = width, strides: int = 1}
    let: {half: filters // 2}
    graph:
      - {conv: {filters: half, strides: strides}, as: body}
      - {conv: {filters: filters, padding: 'max(0, filters - width)'}, from: body}
      - activation: $act
graph:
  - {unit: {filters: inner}, as: first}
  - repeat: 3
    as: skip$i
    let: {k: i + 1}
    do: [{unit: width * k}]
  - add: [skip0, $('first' if width > 4 else 'skip1')]
  - {dense: width, as: logits, output: true, when: first.channels > 2}
checks:
  - {logits: [8, 8, width], at: {H: 8, W: 8}}
  - {with: {width: 16}, params: width * 4}
"""


@pytest.mark.parametrize(
    ("before", "count"),
    [
        ("params: {wid┃th: int", 11),
        ("let: {inn┃er", 2),
        ("filters: inn┃er", 2),
        ("params: {fil┃ters", 5),
        ("unit: {fil┃ters", 5),
        ("  un┃it:", 3),
        ("as: first", 0),
        ("padding: 'max(0, fil┃ters", 5),
        ("activation: $a┃ct", 2),
        ("as: fir┃st", 3),
        ("$('fir┃st'", 3),
        ("when: fir┃st.channels", 3),
        ("as: sk┃ip$i", 3),
        ("add: [sk┃ip0", 3),
        ("let: {k┃: i", 2),
        ("image: [H┃", 2),
        ("at: {H┃: 8", 2),
        ("as: log┃its", 2),
        ("strides: stri┃des", 2),
    ],
)
def test_all_places_of_a_name(before: str, count: int) -> None:
    text, cursor = cursor_in(SMALL.replace(before.replace(BAR, ""), before, 1) if BAR in before else SMALL + BAR)
    assert len(references(index_of(text), cursor, declared=True)) == count


def test_a_name_that_is_used_is_defined_once_and_found() -> None:
    text, cursor = cursor_in(SMALL.replace("{unit: width * k}", "{un┃it: width * k}"))
    assert [(span.line, span.column) for span in definitions(index_of(text), None, cursor)] == [(7, 3)]


def symbols(index: Index, name: str) -> list[Symbol]:
    return [one for one in index.symbols if one.name == name]


def test_a_parameter_of_a_block_hides_that_of_the_file() -> None:
    index = index_of(
        "resspec: 1\nparams: {w: int = 1}\nblocks:\n  b:\n    params: {w: int = w}\n    graph: [dense: w]\n"
        "graph: [{b: {w: w}}, dense: w]\n"
    )
    outer, inner = symbols(index, "w")
    assert [(one.span.line, one.span.column) for one in index.places(outer) if one.span] == [
        (2, 10), (5, 23), (7, 17), (7, 29),
    ]  # fmt: skip
    assert [(one.span.line, one.span.column) for one in index.places(inner) if one.span] == [(5, 14), (6, 20), (7, 14)]


def test_the_inputs_of_a_block_are_named_by_its_calls() -> None:
    text = (
        "resspec: 1\nblocks:\n  gate:\n    inputs: [x, g┃]\n    graph: [add: [x, g]]\n    outputs: {sum: g}\n"
        "graph: [{gate: , from: {x: image, g: prev}}]\n"
    )
    assert renamed(text, "signal") == text.replace(BAR, "").replace("[x, g]", "[x, signal]").replace(
        "{sum: g}", "{sum: signal}"
    ).replace("g: prev", "signal: prev")


def test_a_result_that_is_built_is_one_of_a_step_and_prev_is_no_name_that_is_built() -> None:
    text = (
        "resspec: 1\ngraph:\n  - {split: 2, as: ha┃lf}\n  - repeat: 2\n    do: [{relu: , from: half.part$i, as: p$i}]\n"
        "  - add: [prev, p0]\n"
    )
    plain = text.replace(BAR, "")
    assert renamed(text, "both") == plain.replace("as: half", "as: both").replace("half.part", "both.part")
    assert renamed(plain.replace("as: p$i", "as: p┃$i"), "q") == plain.replace("p$i", "q$i").replace("p0", "q0")


def test_a_tap_inside_a_loop_stays_inside_unless_it_is_built_with_its_variable() -> None:
    index = index_of(
        "resspec: 1\ngraph:\n  - {relu: , as: a}\n  - repeat: 2\n    let: {n: i}\n    do:\n"
        "      - {relu: , as: a}\n      - {relu: , from: a, as: b$n}\n  - add: [a, b0]\n"
    )
    outer, inner = symbols(index, "a")
    assert [one.span.line for one in index.places(outer) if one.span] == [3, 9]
    assert [one.span.line for one in index.places(inner) if one.span] == [7, 8]
    (built,) = symbols(index, "b$n")
    assert built.scope is index.graph
    assert [one.span.line for one in index.places(built) if one.span] == [8, 9]


def test_names_in_texts_of_several_lines_and_with_quotes_in_quotes_have_their_places() -> None:
    text = (
        "resspec: 1\nparams: {a: int = 1, b: int = 2}\ngraph:\n  - {dense: '2 if ''x'' == ''y'' else a'}\n"
        "  - dense: a +\n      b\n  - dense: >\n      a\n      + b\n"
    )
    index = index_of(text)
    places = [[(one.span.line, one.span.column) for one in index.places(s) if one.span] for s in index.symbols[:2]]
    assert places == [[(2, 10), (4, 39), (5, 12), (8, 7)], [(2, 22), (6, 7), (9, 9)]]


# -- rename ------------------------------------------------------------------------------------------


def test_rename_follows_a_name_everywhere() -> None:
    changed = renamed(SMALL.replace("params: {width", "params: {wid┃th"), "w")
    assert "width" not in changed
    assert changed.count("w") == SMALL.replace("width", "w").count("w")
    assert renamed(SMALL.replace("as: skip$i", "as: sk┃ip$i"), "turn") == SMALL.replace("skip", "turn")
    assert renamed(SMALL.replace("as: first", "as: fir┃st"), "head") == SMALL.replace("first", "head")


@pytest.mark.parametrize(
    ("place", "name", "why"),
    [
        ("let: {in┃ner", "width", "taken by the parameter in line 2"),
        ("let: {in┃ner", "H", "taken by the unknown size in line 5"),
        ("let: {in┃ner", "filters", "taken by the parameter in line 8"),
        ("let: {in┃ner", "prev", "word of the language"),
        ("let: {in┃ner", "True", "word of the language"),
        ("let: {in┃ner", "2x", "is not a name"),
        ("as: fir┃st", "logits", "taken by the tap in line 21"),
        ("as: fir┃st", "i", "taken by the loop variable"),
        ("as: log┃its", "macs", "a word of its own in line 23"),
        ("  un┃it:", "conv", "is an op"),
        ("let: {k: i┃", "j", "what the language calls"),
        ("relu, gel┃u", "x", "no name of this file"),
    ],
)
def test_rename_refuses_what_would_change_the_meaning(place: str, name: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        renamed(SMALL.replace(place.replace(BAR, ""), place, 1), name)


def test_a_word_of_the_argument_is_no_name_for_its_value() -> None:
    text = "resspec: 1\nparams: {k┃: int = 1}\ngraph: [conv: {filters: 1, padding: k}]\n"
    with pytest.raises(Refused, match="`same` is a word of its own in line 3"):
        renamed(text, "same")
    assert "padding: size}" in renamed(text, "size")


def test_a_block_of_another_file_keeps_its_name_there() -> None:
    text = "resspec: 1\nuse: {se: resspec:blocks/attention.yaml, g: 'x.yaml#gate'}\ngraph: [{s┃e: 8}, g]\n"
    assert renamed(text, "attend") == (
        "resspec: 1\nuse: {attend: resspec:blocks/attention.yaml#se, g: 'x.yaml#gate'}\ngraph: [{attend: 8}, g]\n"
    )
    text = text.replace(BAR, "").replace("g]", "g┃]")
    assert renamed(text, "h").splitlines()[1] == "use: {se: resspec:blocks/attention.yaml, h: 'x.yaml#gate'}"


# -- completion ----------------------------------------------------------------------------------------

HEAD = """\
resspec: 1
params: {width: int = 8, act: {type: str, enum: [relu, gelu], default: relu}}
let: {half: width // 2}
inputs: {image: [32, 32, 3]}
blocks:
  unit:
    params: {filters: int, mode: {type: str, enum: [fast, slow], default: fast}}
    graph: [{conv: filters, as: inside}]
graph:
  - {conv: {filters: 4}, as: stem}
"""


@pytest.mark.parametrize(
    ("tail", "wanted", "not_wanted"),
    [
        ("  - ┃", {"conv", "unit", "repeat", "tap", "as"}, {"width", "filters"}),
        ("  - {┃", {"conv", "unit", "repeat", "as"}, {"width"}),
        ("  - con┃", {"conv", "conv_transpose"}, {"width"}),
        ("  - [relu, ┃", {"conv", "unit"}, {"width", "as"}),
        ("  - {conv: 4, ┃", {"as", "from", "when", "output"}, {"conv", "width"}),
        ("  - {conv: 4, as: x, ┃", {"from", "when"}, {"as", "conv"}),
        ("  - {conv: {filters: 4, ┃", {"kernel_size", "padding"}, {"filters", "as", "conv"}),
        ("  - conv:\n      filters: 4\n      ┃", {"kernel_size", "padding"}, {"filters", "as", "conv"}),
        ("  - {unit: {┃", {"filters", "mode"}, {"kernel_size", "as"}),
        ("  - {unit: {mode: ┃", {"fast", "slow"}, {"width"}),
        ("  - {unit: {filters: ┃", {"width", "half", "stem", "min"}, {"fast", "filters", "inside"}),
        ("  - {conv: {padding: ┃", {"same", "valid", "width"}, {"relu"}),
        ("  - {conv: {padding: 'min(2, ┃", {"width", "half"}, {"same"}),
        ("  - {conv: {use_bias: ┃", {"true", "false"}, set()),
        ("  - {conv: {kernel_initializer: ┃", {"he_normal"}, {"width"}),
        ("  - activation: $┃", {"act", "width"}, {"relu"}),
        ("  - activation: ┃", {"relu", "gelu"}, {"width"}),
        ("  - {relu: , from: ┃", {"stem", "image", "prev", "in"}, {"width", "inside"}),
        ("  - add: [prev, ┃", {"stem", "image"}, {"width"}),
        ("  - {add: {of: [┃", {"stem", "image"}, {"width"}),
        ("  - {add: {align: ┃", {"crop", "pad"}, set()),
        ("  - {relu: , when: stem.┃", {"stem.channels", "stem.height"}, {"width"}),
        ("  - repeat: 2\n    do:\n      - dense: ┃", {"i", "width"}, set()),
        ("  - {keras.┃", {"keras.UnitNormalization"}, {"conv"}),
        ("checks:\n  - {┃", {"params", "macs", "when"}, {"conv"}),
        ("checks:\n  - {with: {┃", {"width", "act"}, {"half"}),
        ("defaults:\n  ┃", {"conv", "batch_norm"}, {"unit"}),
        ("defaults: {conv: {┃", {"use_bias"}, {"as"}),
        ("variants: {wide: {┃", {"width"}, {"half"}),
        ("allow: {relu-first: why, ┃", {"unused-tap", "deep-chain"}, {"relu-first", "width", "graph"}),
        ("┃", {"checks", "variants"}, {"params", "graph"}),
        ("# a comment ┃", set(), {"conv", "checks"}),
    ],
)
def test_completion(tail: str, wanted: set[str], not_wanted: set[str]) -> None:
    found = set(labels(HEAD + tail))
    assert wanted <= found
    assert not not_wanted & found


def test_completion_before_broken_text_and_of_names_that_come_later() -> None:
    whole = HEAD + "  - relu\n"
    broken = HEAD.replace("let: {half: width // 2}\n", "") + "  - {dense: ┃\n  - [}{ : :\nlet: {half: width // 2}\n"
    assert {"width", "half"} <= set(labels(broken, whole))


def test_completion_behind_a_section_that_is_broken() -> None:
    assert "kernel_size" in labels(HEAD.replace("let: {half", "let: {{half") + "  - conv: {┃")


def test_the_likelier_comes_first() -> None:
    assert labels(HEAD + "  - {relu: , from: ┃")[:2] == ["image", "stem"]
    assert labels(HEAD + "  - {conv: {padding: ┃")[:3] == ["causal", "same", "valid"]


def test_what_stands_before_the_cursor_is_closed() -> None:
    text, cursor = cursor_in("a: {b: [1, {c: 'x, ┃")
    tree = before(Lines.of(text), cursor, "x")
    assert tree is not None
    assert yamltree.to_data(tree) == {"a": {"b": [1, {"c": "x, resspecCursor"}]}}
    assert typed(Lines.of("  a.bc"), Cursor(1, 7)) == "a.bc"


def test_lines_that_cannot_be_read_are_left_out() -> None:
    tree = readable("a: 1\nb: {c: [}\nd: 2\nd: 3\n", "x")
    assert tree is not None
    assert yamltree.to_data(tree) == {"a": 1, "d": 2}
    assert readable("\0", "x") is None


# -- outline -----------------------------------------------------------------------------------------


def flat(items: Iterable[Item], level: int = 0) -> list[str]:
    return [line for one in items for line in ("  " * level + one.name, *flat(one.children, level + 1))]


def test_outline() -> None:
    assert flat(outline(yamltree.parse(SMALL, "x"))) == [
        "params", "  width", "  act", "let", "  inner", "inputs", "  image",
        "blocks", "  unit", "    body", "    conv", "    activation",
        "graph", "  first", "  skip$i", "    unit", "  add", "  logits",
    ]  # fmt: skip


# -- hostile texts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "[]", "3", "resspec", "graph: 3", "graph: [[[[]]], {}, {do: 4}, {as: {}}, 5, null, [null]]", "blocks: [1]",
        "blocks: {a: 1, b: [], c: {graph: 3, params: [], inputs: {}, let: 4, outputs: x}, '': {}}",
        "params: {a: , b: [], c: {type: 4, default: {match: b}}, d: 'int = [', e: 'int = {', f: '= ='}",
        "use: {a: 3, b: [x]}", "inputs: {a: {match: 3}, b: {shape: {match: x, 1: [H, [W]]}}, c: 4}",
        "checks: [3, {with: 4, at: [], shapes: {x: 3}, '': {}}]", "variants: {a: 3, b: {c: {}}}",
        "graph: [{for: 3}, {for: {', ,': x, 'a,,b': [1]}, do: 3}, {repeat: {}, as: '$', let: []}, {conv: {match: {}}}]",
        "graph: [{tap: {a: [b, {c: $(x}]}}, {add: {of: {a: $i}, align: []}}, {expect: {}, from: '$($($'}]",
        "defaults: {conv: 3, x: {y: z}, '': {}}", "graph: [{1: 2, 3: 4, true: 5}]", "let: {a: '$(', b: '\"', c: \"\\x41 b\"}",
    ],
)  # fmt: skip
def test_any_tree_has_an_index_and_an_outline(text: str) -> None:
    index = index_of(text)
    flat(outline(index.tree))
    for one in index.occurrences:
        references(index, Cursor(one.whole.line, one.whole.column), declared=True)
    for column in range(1, len(text) + 2):
        proposals(Lines.of(text), Cursor(1, column), "x", OPS, index, {})
        try:
            edits(index, Cursor(1, column), "fresh0", frozenset(OPS))
        except Refused:
            continue


def test_a_cut_text_is_answered_at_every_place() -> None:
    """While one types, every prefix of a file is asked about."""
    for end in range(0, len(SMALL), 7):
        text = SMALL[:end]
        cursor = Cursor(text.count("\n") + 1, len(text) - text.rfind("\n"))
        proposals(Lines.of(text), cursor, "x", OPS, None, {})
        try:
            yamltree.parse(text, "x")
        except SpecError:
            tree = readable(text, "x")
            if tree is not None:
                build(tree, Lines.of(text), OPS)
