"""Hostile text: what YAML could do, how deep, how large, how surprising. Each test holds one row of SECURITY.md.

Work is counted, not timed; `tools/bench_safety.py` measures the times.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resspec import api, limits, yamltree
from resspec.language import document

HEAD = "resspec: 1\ninputs: {x: [4]}\ngraph: [relu]\n"


def found(text: str | bytes, tmp_path: Path) -> list[tuple[str, int, int]]:
    """Codes and places of what `resspec check` tells of a file."""
    path = tmp_path / "net.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return [
        (one.code, one.span.line, one.span.column) if one.span else (one.code, 0, 0)
        for one in api.check(path).diagnostics
        if one.severity == "error"
    ]


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One item for every event that is taken from the YAML parser."""
    taken: list[int] = []
    original = yamltree._Composer.next_event

    def counting(composer: Any, loader: Any) -> Any:
        taken.append(1)
        return original(composer, loader)

    monkeypatch.setattr(yamltree._Composer, "next_event", counting)
    return taken


# -- YAML's own features ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("doc: !!python/object/apply:os.system [id]\n", "yaml-tag", 4, 6),
        ("doc: !own 1\n", "yaml-tag", 4, 6),
        ("doc: &a 1\n", "yaml-anchor", 4, 6),
        ("doc: *a\n", "yaml-alias", 4, 6),
        ("<<: {doc: x}\n", "yaml-merge-key", 4, 1),
        ("---\ndoc: x\n", "yaml-documents", 4, 1),
        ("doc:\tx\n", "yaml-tab", 4, 5),
        ("doc: a\x00b\n", "yaml-character", 4, 7),
        ("doc: \x1b[31m\n", "yaml-character", 4, 6),
        ("doc: \u202ex\n", "yaml-character", 4, 6),
        ("doc: \u2066x\n", "yaml-character", 4, 6),
        ("doc: \u200bx\n", "yaml-character", 4, 6),
        ("doc: \ufffe\n", "yaml-character", 4, 6),
        ('doc: "\\x1b[31m"\n', "yaml-character", 4, 6),
        ('doc: "\\u202e"\n', "yaml-character", 4, 6),
        ('doc: "\\0"\n', "yaml-character", 4, 6),
        ('doc: "\\ud800"\n', "yaml-character", 4, 0),
        ('"\\x07": 1\n', "yaml-character", 4, 1),
    ],
)
def test_each_feature_that_could_harm_is_refused_at_its_place(
    text: str, code: str, line: int, column: int, tmp_path: Path
) -> None:
    ((got, at, where),) = found(HEAD + text, tmp_path)
    assert (got, at) == (code, line)
    assert where == column or (column == 0 and where > 0)  # where an escape is refused the parsers differ


def test_a_directive_is_refused(tmp_path: Path) -> None:
    assert found("%YAML 1.1\n---\n" + HEAD, tmp_path) == [("yaml-directive", 1, 1)]


@pytest.mark.parametrize("data", [HEAD.encode() + b"doc: caf\xe9\n", HEAD.encode("utf-16"), b"\xff\xfe", b"\x80abc"])
def test_what_is_not_utf8_is_refused(data: bytes, tmp_path: Path) -> None:
    assert found(data, tmp_path) == [("file-encoding", 0, 0)]


def test_a_lone_surrogate_in_bytes_is_not_utf8(tmp_path: Path) -> None:
    assert found(HEAD + "doc: \ud800\n", tmp_path) == [("file-encoding", 0, 0)]


BOMBS: dict[str, Callable[[], str]] = {
    "aliases": lambda: (
        "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 24))
    ),
    "merge keys": lambda: (
        "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 24))
    ),
    "tags": lambda: "".join(f"a{i}: !!binary aGk=\n" for i in range(20_000)),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_end_the_reading_early(bomb: str, events: list[int], tmp_path: Path) -> None:
    assert found(BOMBS[bomb](), tmp_path)
    assert len(events) < 500


# -- depth and size --------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["[", "{", "- ", "{a: ", "- - "])
def test_a_mebibyte_of_nesting_is_refused_in_a_small_stack(part: str, events: list[int], tmp_path: Path) -> None:
    text = (part * limits.FILE_BYTES)[: limits.FILE_BYTES]
    got: list[Any] = []
    before = threading.stack_size(1 << 20)
    try:
        thread = threading.Thread(target=lambda: got.extend(found(text, tmp_path)))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert [code for code, _, _ in got] == ["yaml-depth"]
    assert len(events) <= 4 * limits.YAML_DEPTH


def test_the_deepest_legal_file_is_read_in_a_small_stack(tmp_path: Path) -> None:
    inner = "relu"
    for _ in range((limits.YAML_DEPTH - 4) // 2):
        inner = f"{{do: [{inner}]}}"
    got: list[Any] = ["nothing came back"]
    before = threading.stack_size(1 << 20)
    try:
        thread = threading.Thread(
            target=lambda: got.__setitem__(0, found(f"resspec: 1\ninputs: {{x: [4]}}\ngraph: [{inner}]\n", tmp_path))
        )
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert got == [[]]


def test_one_byte_too_many_is_refused_unparsed(events: list[int], tmp_path: Path) -> None:
    assert found("#" * (limits.FILE_BYTES + 1), tmp_path) == [("file-too-large", 0, 0)]
    assert not events


def test_too_many_nodes_end_the_reading(events: list[int], tmp_path: Path) -> None:
    assert [code for code, _, _ in found("- 1\n" * 200_000, tmp_path)] == ["yaml-size"]
    assert len(events) <= limits.YAML_NODES + 10


@pytest.mark.parametrize(
    "entries",
    [
        "graph: [relu]\nlet:\n" + "".join(f"  a{i}: {i}\n" for i in range(20_000)),
        "graph: [relu]\nparams:\n" + "".join(f"  a{i}: int = 3\n" for i in range(20_000)),
        "graph: [relu]\ndefaults:\n" + "".join(f"  a{i}: {{x: 1}}\n" for i in range(15_000)),
        "graph: [relu]\nblocks:\n" + "".join(f"  a{i}: [relu]\n" for i in range(15_000)),
        "graph:\n" + "".join(f"  - {{relu: , as: c{i}}}\n" for i in range(10_000)),
    ],
    ids=["lets", "params", "defaults", "blocks", "steps"],
)
def test_places_in_large_mappings_are_found_without_searching(
    entries: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    looked = []
    original = yamltree.Mapping.written.func

    def counting(mapping: yamltree.Mapping) -> Any:
        looked.append(len(mapping.entries))
        return original(mapping)

    monkeypatch.setattr(yamltree.Mapping.written, "func", counting)
    path = tmp_path / "net.yaml"
    path.write_text("resspec: 1\ninputs: {x: [4]}\n" + entries)
    api.check(path)
    assert sum(looked) <= limits.YAML_NODES


# -- keys ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "first"),
    [
        ("resspec: 1\ninputs: {x: [4]}\ngraph: [relu]\nresspec: 1\n", 4, 1),
        ("resspec: 1\ninputs: {x: [4], x: [5]}\ngraph: [relu]\n", 2, 2),
        ("resspec: 1\nparams: {n: {type: int, type: int}}\n", 2, 2),
        ("resspec: 1\nblocks:\n  b: [relu]\n  b: [relu]\n", 4, 3),
        ("resspec: 1\ngraph:\n  - conv: {filters: 1, filters: 2}\n", 3, 3),
        ("resspec: 1\ngraph:\n  - relu:\n    as: a\n    as: b\n", 5, 4),
        ("resspec: 1\nlet: {m: {match: n, 1: 2, 0x1: 3}}\n", 2, 2),
        ("resspec: 1\nmeta: {a: [{b: {c: 1, 'c': 2}}]}\n", 2, 2),
    ],
)
def test_duplicate_keys_are_found_at_every_level_with_both_places(text: str, line: int, first: int) -> None:
    with pytest.raises(api.SpecError) as caught:
        document.parse(text, "net.yaml")
    (only,) = caught.value.diagnostics
    assert only.code == "duplicate-key"
    assert only.span is not None
    assert (only.span.line, [label.span.line for label in only.labels]) == (line, [first])


# -- surprises and numbers -------------------------------------------------------------------------

SURPRISES: list[tuple[str, Any]] = [
    ("no", "no"), ("No", "No"), ("NO", "NO"), ("n", "n"), ("yes", "yes"), ("on", "on"), ("Off", "Off"), ("y", "y"),
    ("010", 10), ("-010", -10), ("08", 8), ("0o10", 8), ("0b101", "0b101"), ("0x1F", 31), ("+1", 1),
    ("12:30", "12:30"), ("1:30:45", "1:30:45"), ("12:30.5", "12:30.5"),
    ("1_000", "1_000"), ("1_0.5", "1_0.5"), ("2024-01-31", "2024-01-31"), ("2024-01-31 10:00:00", "2024-01-31 10:00:00"),
    ("1e3", 1000.0), ("1e-3", 1e-3), ("1.", 1.0), (".5", 0.5), ("1.5e3", 1500.0),
    ("null", None), ("~", None), ("", None), ("Null", None), ("nil", "nil"), ("None", "None"),
    ("true", True), ("True", True), ("tRUE", "tRUE"), ("=", "="), ("<", "<"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), SURPRISES)
def test_yaml_1_1_surprises_have_the_value_and_type_they_look_like(text: str, value: Any) -> None:
    got = yamltree.to_data(yamltree.parse(f"key: {text}", "net.yaml"))["key"]
    assert got == value
    assert type(got) is type(value)


def test_there_are_at_least_thirty_surprises() -> None:
    assert len({text for text, _ in SURPRISES}) >= 30


HUGE = ["9" * 19, "-" + "9" * 19, "9" * 4400, ".inf", "-.inf", ".nan", "1e999", "0x" + "f" * 20]
PLACES = [
    "graph: [{conv: NUMBER}]", "graph: [{dropout: NUMBER}]", "graph: [{repeat: NUMBER, do: [relu]}]",
    "graph: [relu]\nlet: {a: NUMBER}", "graph: [relu]\nparams: {a: {type: int, default: NUMBER}}",
    "graph: [relu]\nparams: {a: 'int = NUMBER'}", "graph: [relu]\nmeta: {a: NUMBER}", "graph: [{expect: [NUMBER]}]",
    "graph: [relu]\nchecks: [{params: NUMBER}]", "graph: [relu]\nvariants: {v: {a: NUMBER}}",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("number", HUGE, ids=lambda number: number[:8])
def test_numbers_are_finite_and_short_wherever_they_stand(number: str, place: str, tmp_path: Path) -> None:
    codes = {code for code, _, _ in found("resspec: 1\ninputs: {x: [8]}\n" + place.replace("NUMBER", number), tmp_path)}
    assert codes & {"yaml-number", "bad-value"}


LARGE = ["999999999999999999", "-999999999999999999", "1e308", "4611686018427387904", "2147483648", "-1"]


@pytest.mark.parametrize("number", LARGE)
def test_every_field_of_every_op_takes_large_numbers_or_refuses_them(number: str, tmp_path: Path) -> None:
    from resspec.ops import OPS

    for op in OPS:
        steps = [f"  - {{{op.kind}: {{{name}: {number}}}}}\n" for name in op.model_fields]
        for shape in ("[8]", "[8, 4]", "[8, 8, 4]", "[H, W, 4]"):
            for step in steps:
                path = tmp_path / "net.yaml"
                path.write_text(f"resspec: 1\ninputs: {{x: {shape}}}\ngraph:\n{step}")
                api.check(path)  # a result or findings, never anything else
