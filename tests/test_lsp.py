"""The language server as an editor meets it: a client over the standard streams, every feature, places pinned."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsp_client import Editor, editing
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from resspec import files
from resspec.cli import COMMANDS
from resspec.starter import SCHEMA_LINE

SPEC = """\
resspec: 1
name: "𝄞𝄞 net"
params: {width: int = 8}
variants: {wide: {width: 16}}
use: {se: blocks/gates.yaml#gate}
inputs: {image: [H, W, 3]}
blocks:
  unit:
    params: {filters: int}
    graph:
      - {conv: {filters: filters, kernel_size: 3, padding: same}, as: body}
      - relu
graph:
  - {unit: width, as: first}
  - {expect: [H, W, width], let: {note: "'𝄞𝄞'"}, when: first.channels > 0}
  - {conv: {filters: 2*width}, from: first, as: second}
  - {dense: 10, as: logits, output: true}
checks:
  - {with: {width: 8}, macs: {match: width, 8: 3}, at: {H: 8, W: 8}}
"""
GATES = """\
resspec: 1
blocks:
  gate: [{dense: 1, as: gate_weight}, sigmoid]
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("editing")
    (found / "blocks").mkdir()
    (found / "blocks" / "gates.yaml").write_text(GATES)
    (found / "net.yaml").write_text(SPEC)
    return found


@pytest.fixture(scope="module")
def editor(root: Path) -> Iterator[Editor]:
    with editing(root) as found:
        yield found


@pytest.fixture
def uri(editor: Editor, root: Path) -> Iterator[str]:
    found = editor.open(root / "net.yaml")
    yield found
    editor.close(found)


def place(text: str, wanted: str, shift: int = 1, nth: int = 0) -> tuple[int, int]:
    """The place `shift` characters into the n-th occurrence, as editors count: in UTF-16 units."""
    at = -1
    for _ in range(nth + 1):
        at = text.index(wanted, at + 1)
    head = text[: at + shift]
    line = head[head.rfind("\n") + 1 :]
    return head.count("\n"), len(line.encode("utf-16-le")) // 2


def spot(one: lsp.Range) -> tuple[int, int, int, int]:
    return one.start.line, one.start.character, one.end.line, one.end.character


def applied(text: str, changes: list[lsp.TextEdit]) -> str:
    lines = [line.encode("utf-16-le") for line in text.split("\n")]
    for one in sorted(changes, key=lambda one: spot(one.range), reverse=True):
        assert one.range.start.line == one.range.end.line
        line = lines[one.range.start.line]
        start, end = 2 * one.range.start.character, 2 * one.range.end.character
        lines[one.range.start.line] = line[:start] + one.new_text.encode("utf-16-le") + line[end:]
    return "\n".join(line.decode("utf-16-le") for line in lines)


def test_findings_while_typing(editor: Editor, uri: str) -> None:
    found = editor.findings(uri, lambda found: len(found) == 1)
    (failed,) = found
    assert (failed.code, failed.severity, failed.source) == ("check-failed", lsp.DiagnosticSeverity.Error, "resspec")
    assert failed.range.start.line == 18
    editor.change(uri, SPEC.replace("macs: {match: width, 8: 3}", "params: {match: width, 8: 546}"))
    assert editor.findings(uri, lambda found: not found) == []


def test_a_finding_says_where_in_the_units_of_the_editor_and_what_to_do(editor: Editor, uri: str) -> None:
    text = SPEC.replace("first.channels > 0", "frist.channels > 0")
    editor.change(uri, text)
    (found,) = editor.findings(uri, lambda found: bool(found) and found[0].code == "unknown-name")
    line, character = place(text, "frist", 0)
    assert spot(found.range) == (line, character, line, character + 5)
    assert character == len("  - {expect: [H, W, width], let: {note: \"'xxxx'\"}, when: ")
    assert found.message.splitlines()[-1] == "help: did you mean `first`?"


def test_related_places(editor: Editor, uri: str) -> None:
    text = SPEC.replace("as: second", "as: first")
    editor.change(uri, text)
    (found,) = editor.findings(uri, lambda found: bool(found) and found[0].code == "duplicate-name")
    (related,) = found.related_information or []
    assert (related.location.uri, related.location.range.start.line) == (uri, 13)
    assert related.message == "the first definition"


def test_a_finding_in_another_file_stands_where_that_file_is_used(editor: Editor, uri: str, root: Path) -> None:
    (root / "blocks" / "broken.yaml").write_text("resspec: 1\nblocks: {gate: [dens: }\n")
    text = SPEC.replace("blocks/gates.yaml", "blocks/broken.yaml")
    editor.change(uri, text)
    (found,) = editor.findings(uri, lambda found: bool(found) and found[0].code == "yaml-syntax")
    assert found.message.startswith("blocks/broken.yaml:")
    assert found.range.start.line == 4
    (related,) = found.related_information or []
    assert related.location.uri == (root / "blocks" / "broken.yaml").as_uri()


def test_nothing_outside_the_folder_is_read(editor: Editor, uri: str) -> None:
    editor.change(uri, SPEC.replace("blocks/gates.yaml", "../secret.yaml"))
    (found,) = editor.findings(uri, lambda found: bool(found) and found[0].code == "file-escapes")
    assert found.range.start.line == 4


def test_a_quick_fix_mends_the_text(editor: Editor, uri: str) -> None:
    text = SPEC.replace("kernel_size: 3", "kernal_size: 3").replace(", macs: {match: width, 8: 3}", "")
    editor.change(uri, text)
    (found,) = editor.findings(uri, lambda found: bool(found) and found[0].code == "unknown-argument")
    (action,) = editor.actions(uri, found)
    assert action.title == "did you mean `kernel_size`?"
    assert action.kind == lsp.CodeActionKind.QuickFix
    assert action.edit is not None
    assert action.edit.changes is not None
    assert applied(text, list(action.edit.changes[uri])) == text.replace("kernal_size", "kernel_size")


@pytest.mark.parametrize(
    ("wanted", "shift", "told"),
    [
        ("{unit: width", 2, ["**unit** (`filters`)", "`first`: (H, W, 3) -> (H, W, 8), 224 parameters"]),
        ("{conv: {filters: filters", 2, ["**conv**", "`first/body`: (H, W, 3) -> (H, W, 8)", "`kernel_size`"]),
        ("{conv: {filters: 2", 2, ["`second`: (H, W, 8) -> (H, W, 16), 144 parameters, MACs depend on the input size"]),
        ("kernel_size: 3", 2, ["`kernel_size`: integer or list of integer = `1`", "of `conv`"]),
        ("padding: same", 2, ["zeros to add at every side"]),
        ("- relu", 3, ["**relu**", "`first/relu0`"]),
        ("2*width", 3, ["parameter `width`", "value: `8`"]),
        ("params: {filters", 12, ["parameter `filters` of block `unit`", "values in its calls: `8`"]),
        ("from: first", 7, ["tap `first`", "defined in line 14", "(H, W, 3) -> (H, W, 8)"]),
        ("{H: 8", 1, ["unknown size `H`", "H >= 1"]),
        ("inputs: {image", 10, ["input `image`", "(H, W, 3)"]),
        ("when: first", 2, ["the step is passed over when false"]),
    ],
)  # fmt: skip
def test_hover(editor: Editor, uri: str, wanted: str, shift: int, told: list[str]) -> None:
    editor.findings(uri)
    found = editor.hover(uri, *place(SPEC, wanted, shift))
    assert found is not None
    for one in told:
        assert one in found


def test_no_hover_where_nothing_stands(editor: Editor, uri: str) -> None:
    assert editor.hover(uri, 0, 10) is None
    assert editor.hover(uri, 99, 0) is None


def test_definitions_here_and_in_other_files(editor: Editor, uri: str, root: Path) -> None:
    editor.findings(uri)
    (found,) = editor.definition(uri, *place(SPEC, "first.channels"))
    line, character = place(SPEC, "as: first", 4)
    assert (found.uri, spot(found.range)) == (uri, (line, character, line, character + 5))
    (found,) = editor.definition(uri, *place(SPEC, "{unit: width", 2))
    assert (found.uri, spot(found.range)) == (uri, (7, 2, 7, 6))
    for wanted in ("{se: blocks", "blocks/gates.yaml"):
        (found,) = editor.definition(uri, *place(SPEC, wanted, 2))
        assert (found.uri, spot(found.range)) == ((root / "blocks" / "gates.yaml").as_uri(), (2, 2, 2, 6))


def test_definition_in_a_shipped_file(editor: Editor, root: Path) -> None:
    uri = editor.open(
        root / "o.yaml",
        "resspec: 1\nuse: {se: resspec:blocks/attention.yaml}\ninputs: {x: [4, 4, 8]}\ngraph: [se: 2]\n",
    )
    editor.findings(uri)
    (found,) = editor.definition(uri, 3, 9)
    path = files.SHIPPED / "blocks" / "attention.yaml"
    assert found.uri == path.as_uri()
    assert path.read_text().splitlines()[found.range.start.line].strip() == "se:"
    assert "squeeze and excitation" in (editor.hover(uri, 3, 9) or "")
    editor.close(uri)


def test_references(editor: Editor, uri: str) -> None:
    lines = [one.start.line for one in editor.references(uri, *place(SPEC, "as: first", 5))]
    assert lines == [13, 14, 15]
    assert len(editor.references(uri, *place(SPEC, "{width: int", 2))) == 7


@pytest.mark.parametrize(
    ("wanted", "shift", "label"),
    [
        ("  - relu", 8, "relu6"),
        ("kernel_size: 3", 0, "strides"),
        ("padding: same", 9, "valid"),
        ("from: first", 6, "image"),
        ("2*width", 2, "width"),
        ("when: first", 6, "width"),
        ("inputs: {image", 0, "defaults"),
    ],
)
def test_completion(editor: Editor, uri: str, wanted: str, shift: int, label: str) -> None:
    assert label in editor.labels(uri, *place(SPEC, wanted, shift))


def test_what_completion_puts_in_the_place_of_a_word(editor: Editor, uri: str) -> None:
    line, character = place(SPEC, "first.channels", 9)
    (found,) = [one for one in editor.complete(uri, line, character) if one.label == "first.channels"]
    assert isinstance(found.text_edit, lsp.TextEdit)
    assert spot(found.text_edit.range) == (line, character - 9, line, character)


def test_rename(editor: Editor, uri: str) -> None:
    at = place(SPEC, "first.channels", 2)
    prepared = editor.prepare(uri, *at)
    assert (prepared.placeholder, prepared.range.start.character) == ("first", at[1] - 2)
    changes = editor.rename(uri, *at, "head")
    assert set(changes) == {uri}
    assert applied(SPEC, changes[uri]) == SPEC.replace("first", "head")


@pytest.mark.parametrize(
    ("name", "why"), [("second", "is taken by the tap in line 16"), ("prev", "word of the language")]
)
def test_rename_refuses_with_a_reason(editor: Editor, uri: str, name: str, why: str) -> None:
    with pytest.raises(JsonRpcException, match=why):
        editor.rename(uri, *place(SPEC, "as: first", 5), name)
    with pytest.raises(JsonRpcException, match="no name of this file"):
        editor.prepare(uri, 0, 2)


def test_outline(editor: Editor, uri: str) -> None:
    found = editor.outline(uri)
    assert [one.name for one in found] == ["params", "use", "inputs", "blocks", "graph"]
    (unit,) = found[3].children or []
    assert (unit.name, unit.detail, spot(unit.selection_range)) == ("unit", "filters", (7, 2, 7, 6))
    assert [one.name for one in found[4].children or []] == ["first", "expect", "second", "logits"]


def test_broken_text_is_answered_from_what_can_be_read(editor: Editor, uri: str) -> None:
    editor.findings(uri)
    text = SPEC.replace("  - relu\n", "  - relu\n      - {conv: {filters: \n")
    editor.change(uri, text)
    assert editor.findings(uri, bool)[0].code == "yaml-syntax"
    line, character = place(text, "{filters: \n", 10)
    assert {"filters", "width"} <= set(editor.labels(uri, line, character))
    assert "value: `8`" in (editor.hover(uri, *place(text, "params: {width", 10)) or "")
    # the network of the last good text is known by its places in this one
    assert "(H, W, 8) -> (H, W, 16)" in (editor.hover(uri, *place(text, "{conv: {filters: 2", 2)) or "")
    with pytest.raises(JsonRpcException, match="cannot be read as it stands"):
        editor.rename(uri, *place(text, "as: first", 5), "head")


def test_a_file_of_blocks_is_no_network_and_no_mistake(editor: Editor, root: Path) -> None:
    uri = editor.open(root / "blocks" / "gates.yaml")
    assert editor.findings(uri) == []
    editor.change(uri, GATES.replace("dense", "dnese"))
    assert [one.code for one in editor.findings(uri, bool)] == ["unknown-op"]
    editor.close(uri)


def test_other_yaml_files_are_left_alone(editor: Editor, root: Path) -> None:
    uri = editor.open(root / "compose.yaml", "services:\n  web: {image: nginx, ports: [80]}\n")
    assert editor.findings(uri) == []
    assert editor.labels(uri, 1, 8) == []
    assert editor.outline(uri) == []
    editor.close(uri)


def test_a_text_that_is_no_file_yet(editor: Editor) -> None:
    uri = editor.open("untitled:Untitled-1", "resspec: 1\ninputs: {x: [4]}\nlet: {n: 2}\ngraph: [dense: n, rellu]\n")
    (found,) = editor.findings(uri, bool)
    assert found.code == "unknown-op"
    assert set(editor.rename(uri, 3, 15, "units")) == {uri}
    editor.close(uri)


@pytest.mark.parametrize(
    "text",
    ["resspec: 1\n" + "[" * 5000, "resspec: 1\n\0\n", "resspec: 1\ngraph: " + "[{do: " * 60, "resspec: &a [*a]", "resspec: 1\r\nparams: 3\r\n"],
    ids=["deep", "control", "open", "alias", "crlf"],
)  # fmt: skip
def test_hostile_texts_only_yield_findings(editor: Editor, root: Path, text: str) -> None:
    uri = editor.open(root / "hostile.yaml", text)
    assert editor.findings(uri, bool)
    editor.hover(uri, 1, 3)
    editor.complete(uri, 1, 3)
    editor.outline(uri)
    editor.close(uri)


def test_only_the_last_of_many_quick_changes_is_looked_at(editor: Editor, uri: str) -> None:
    editor.findings(uri)
    seen = len(editor.published)
    for i in range(20):
        editor.change(uri, SPEC.replace("as: second", f"as: second{i}"))
    editor.findings(uri, bool)
    last = editor.versions[uri]
    assert {one.version for one in editor.published[seen:]} <= {last - 20, last}


def test_other_encodings_of_positions(root: Path) -> None:
    with editing(root, encodings=("utf-32",)) as editor:
        uri = editor.open(root / "net.yaml")
        line, character = place(SPEC, "first.channels")
        (found,) = editor.definition(uri, line, character - 2)  # two characters of two units each stand before it
        assert found.range.start.line == 13


PLUGIN = """\
print("greetings")
import resspec


class Square(resspec.Op):
    \"\"\"Every element times itself.\"\"\"

    kind = "square"
    family = "activation"

    def infer(self, *inputs):
        print("inferring")
        return inputs[0]


resspec_plugin = resspec.Plugin(ops=(Square,))
"""


def test_ops_of_a_plugin_are_known_and_may_print(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "squares.py").write_text(PLUGIN)
    monkeypatch.setenv("PYTHONPATH", str(root))
    with editing(root, "--plugin", "squares") as editor:
        uri = editor.open(root / "net.yaml", "resspec: 1\ninputs: {x: [4]}\ngraph: [square]\n")
        assert editor.findings(uri) == []
        assert "Every element times itself." in (editor.hover(uri, 2, 9) or "")
        assert "square" in editor.labels(uri, 2, 8)


def test_the_largest_shipped_spec_is_answered(editor: Editor) -> None:
    path = files.SHIPPED / "resnet_cifar.yaml"
    text = path.read_text()
    uri = editor.open(path)
    assert [one.message for one in editor.findings(uri) if one.severity == lsp.DiagnosticSeverity.Error] == []
    places = [place(text, wanted, 2) for wanted in ("{unit: {width", "kernel_size: 3", "of: [branch", "depth - 2")]
    for at in places:
        assert editor.hover(uri, *at)
        assert editor.labels(uri, *at)
    assert editor.definition(uri, *places[0])
    assert editor.references(uri, *places[0])
    changed = applied(text, editor.rename(uri, *place(text, "as: stage$(i+1)", 5), "level")[uri])
    assert changed == text.replace("stage$(i+1)", "level$(i+1)")


def test_without_pygls_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from resspec.cli import main

    monkeypatch.setitem(sys.modules, "pygls", None)
    result = CliRunner().invoke(main, ["lsp"])
    assert result.exit_code == 1
    assert result.output == "Error: the language server needs pygls: pip install 'resspec[lsp]'\n"


def test_the_server_answers_without_keras() -> None:
    code = (
        "import sys, pathlib\n"
        "from resspec.lsp.analysis import Analysis, first, second\n"
        "import resspec.lsp.server\n"
        "text = 'resspec: 1\\ninputs: {x: [4]}\\ngraph: [dense: 2]\\n'\n"
        "found = second(first(text, 'x.yaml', pathlib.Path('.'), Analysis()), lambda: True)\n"
        "assert found.sound and not found.diagnostics, found\n"
        "assert not {'keras', 'tensorflow', 'jax', 'torch', 'numpy'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_tool_that_measures_runs(root: Path) -> None:
    tool = Path(__file__).resolve().parent.parent / "tools" / "bench_lsp.py"
    done = subprocess.run(
        [sys.executable, str(tool), str(root / "net.yaml"), "1"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found["idle_ms"]) == set(found["busy_ms"]) >= {"hover", "completion"}


def test_the_page_on_editors_names_what_is_there() -> None:
    page = (Path(__file__).resolve().parent.parent / "docs" / "editors.md").read_text()
    assert SCHEMA_LINE in page
    for command in [*re.findall(r"^\$ resspec (\w+)", page, re.MULTILINE), "lsp", "new"]:
        assert command in COMMANDS
