"""What is printed and written: well formed under hostile names, the same everywhere, and told apart by its digest."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from resspec import api, report, yamltree
from resspec.cli import main
from resspec.diagnostics import Diagnostic, Label, Span

HOSTILE = {
    "script": "<script>alert(1)</script>", "quotes": "a\"b'c`d", "cdata": "]]>", "entity": "&lt;&#x0;&amp",
    "escape": "\x1b[31mred\x1b]0;title\x07", "nul": "a\x00b", "noncharacter": "\ufffe\uffff", "surrogate": "\ud800x\udc00",
    "right to left": "\u202egnp.\u2066x", "long": "n" * 200, "lines": "a\n::error::b\r\nc", "markup": "[red]x[/red][/]",
    "format": "%s{0}%(x)s${HOME}", "separator": "\u2028\u2029\x85",
}  # fmt: skip
"""names that try to leave the place where they are printed"""

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_there_are_thirteen_hostile_names() -> None:
    assert len(HOSTILE) >= 13


# -- findings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", HOSTILE)
def test_findings_with_hostile_names_are_well_formed_in_every_form(kind: str) -> None:
    name = HOSTILE[kind]
    span = Span(name, 1, 1, 1, 3)
    finding = Diagnostic("bad-value", name, span, labels=(Label(span, name),), notes=(name,), help=name)
    text = report.text([finding], {name: name})
    assert not CONTROL.search(text)
    assert all(line.startswith(("error[bad-value]: ", " ", "1 |")) for line in text.splitlines())
    (loaded,) = json.loads(report.as_json([finding]))
    assert (loaded["message"], loaded["place"]["file"]) == (name, name)
    assert report.as_json([finding]).isascii()
    (line,) = report.github([finding]).split("\n")[:-1]
    assert line.startswith("::error file=")
    assert "\r" not in line


# -- names in a spec -------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def quoted(name: str) -> str:
    return "'" + name.replace("'", "''").replace("$", "$$") + "'"


COMMANDS = [["summary"], ["summary", "--json"], ["show"], ["show", "--json"], ["expand"], ["expand", "--json"],
            ["expand", "--yaml"], ["list"], ["list", "--json"], ["check"], ["check", "--json"]]  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_names_of_a_spec_are_refused_or_printed_well_formed(kind: str, folder: Path) -> None:
    """The name of the network, its doc, a variant, a value of a parameter: whatever a spec may call as it likes."""
    name = HOSTILE[kind]
    text = (
        f"resspec: 1\nname: {quoted(name)}\ndoc: {quoted(name)}\nvariants: {{{quoted(name)}: {{}}}}\n"
        f"params: {{p: {{type: str, default: {quoted(name)}}}}}\ninputs: {{x: [8, 8, 3]}}\ngraph: [{{conv: 3}}]\n"
    )
    Path("net.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    refused = any(one.severity == "error" for one in api.check("net.yaml").diagnostics)
    assert refused == bool(CONTROL.search(name) or "\ufffe" in name)
    for command in COMMANDS:
        result = run(*command, "./net.yaml")
        assert result.exit_code == int(refused), (command, result.output)
        assert not CONTROL.search(result.output), command
        if "--json" in command and not refused:
            json.loads(result.stdout)
        if "--yaml" in command and not refused:
            Path("flat.yaml").write_text(result.stdout)
            assert api.load("./flat.yaml").name == api.load("./net.yaml").name


@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if kind not in ("nul", "surrogate")])
def test_files_with_hostile_names_are_checked_and_printed_well_formed(kind: str, folder: Path) -> None:
    name = HOSTILE[kind].replace("/", "_")[:200] + ".yaml"
    Path("d").mkdir()
    (Path("d") / name).write_text("resspec: 1\ninputs: {x: [4]}\ngraph: [rleu]\n")
    result = run("check", "d")
    assert result.exit_code == 1
    assert not CONTROL.search(result.output)
    assert not any(line.startswith("::") for line in result.output.splitlines())
    (loaded,) = json.loads(run("check", "--json", "d").stdout)
    assert loaded["place"]["file"] == f"d/{name}"
    (line,) = run("check", "--format", "github", "d").stdout.split("\n")[:-1]
    assert line.startswith("::error file=d/")


def test_a_file_name_that_is_no_text_is_printed(folder: Path) -> None:
    Path("d").mkdir()
    with open(b"d/\xff\xfe.yaml", "w") as file:
        file.write("resspec: 1\ninputs: {x: [4]}\ngraph: [rleu]\n")
    command = [sys.executable, "-m", "resspec", "check", "d"]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode == 1, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"unknown-op" in done.stderr


def test_a_report_inside_xml_or_html_is_the_renderers_duty_and_text_has_no_tags_of_its_own() -> None:
    """Nothing that is printed today is markup: as the text of an element it stays one element."""
    painted = run("show", "resnet_v2").stdout + run("summary", "unet").stdout
    element = ElementTree.Element("pre")
    element.text = painted
    again = ElementTree.parse(io.BytesIO(ElementTree.tostring(element))).getroot()
    assert (len(again), again.text) == (0, painted)


# -- the same everywhere ---------------------------------------------------------------------------

SPEC = """\
resspec: 1
name: net
params: {width: int = 4, act: {type: str, enum: [relu, gelu], default: relu}}
variants: {wide: {width: 8}, other: {act: gelu}}
blocks: {unit: {params: {n: int}, graph: [{conv: n}, {activation: $act}], outputs: {a: prev}}}
inputs: {image: [H, W, 3]}
graph:
  - {unit: width, as: first}
  - {conv: 3, as: idle, from: image}
  - {unit: width, as: second}
  - {global_avg_pool: , as: logits, output: true}
checks:
  - {params: 1}
  - {macs: 1}
"""
BROKEN = SPEC.replace("unit: width, as: second", "unti: widht, as: second").replace("relu, gelu]", "relu, gelu, ]")


def test_outputs_are_the_same_under_any_hash_seed_locale_and_time_zone(folder: Path) -> None:
    Path("net.yaml").write_text(SPEC)
    Path("broken.yaml").write_text(BROKEN)
    code = (
        "import contextlib, io, sys\n"
        "from resspec.cli import main\n"
        "for line in sys.stdin.read().splitlines():\n"
        "    try: main(line.split(), standalone_mode=False)\n"
        "    except SystemExit as done: print('exit', done.code)\n"
    )
    lines = [
        f"{command} ./net.yaml"
        for command in ("expand --json", "expand --yaml", "expand", "summary --json", "show --all")
    ]
    lines += [f"check {form} ./{name}.yaml" for name in ("net", "broken") for form in ("", "--json", "--format=github")]
    lines += ["expand --json densenet_cifar", "expand --yaml hourglass", "summary --json unet"]
    outputs = set()
    for seed, locale, zone in (("0", "C", "UTC"), ("1", "C.UTF-8", "Asia/Kathmandu"), ("2", "C", "America/St_Johns")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": zone}
        done = subprocess.run(
            [sys.executable, "-c", code],
            input="\n".join(lines),
            text=True,
            capture_output=True,
            env=environment,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stderr
        outputs.add((done.stdout, done.stderr))
    ((out, err),) = outputs
    assert "digest" in out
    assert "error[" in err
    assert str(folder) not in out + err
    assert not re.search(r"20\d\d-\d\d-\d\d", out + err)


# -- the digest ------------------------------------------------------------------------------------

BASE = "resspec: 1\ninputs: {x: [8, 8, 4]}\ngraph:\n  - {conv: {filters: 4, kernel_size: 3}, as: a}\n  - {relu: , as: b}\n  - {dense: 2, as: y, output: true}\n"
SAME = {
    "a comment": BASE + "# a word\n",
    "white space": BASE.replace(
        "{conv: {filters: 4, kernel_size: 3}, as: a}", "conv:   {filters: 4,   kernel_size: 3}\n    as: a\n"
    ),
    "order of keys": BASE.replace("{filters: 4, kernel_size: 3}", "{kernel_size: 3, filters: 4}"),
    "quotes": BASE.replace("as: a", "as: 'a'"),
    "line ends": BASE.replace("\n", "\r\n"),
    "doc and meta": BASE + "doc: about\nmeta: {paper: none}\n",
    "a name": BASE + "name: other\n",
    "a renamed step": BASE.replace("as: a", "as: other"),
    "a number written otherwise": BASE.replace("filters: 4", "filters: 2 + 2"),
    "a default written out": BASE.replace("kernel_size: 3", "kernel_size: 3, strides: 1, use_bias: true"),
    "a list for a number": BASE.replace("kernel_size: 3", "kernel_size: [3, 3]"),
    "a let": BASE.replace("filters: 4", "filters: n") + "let: {n: 4}\n",
    "a block": BASE.replace("  - {relu: , as: b}", "  - {act: , as: b}") + "blocks: {act: [relu]}\n",
    "a loop": BASE.replace("{relu: , as: b}", "{repeat: 1, do: [relu]}"),
}
OTHER = {
    "an argument": BASE.replace("filters: 4", "filters: 5"),
    "an activation": BASE.replace("relu", "gelu"),
    "padding": BASE.replace("kernel_size: 3", "kernel_size: 3, padding: same"),
    "an initializer": BASE.replace("kernel_size: 3", "kernel_size: 3, kernel_initializer: he_normal"),
    "frozen weights": BASE.replace("as: a}", "as: a, trainable: false}"),
    "an input shape": BASE.replace("[8, 8, 4]", "[9, 8, 4]"),
    "an unknown size": BASE.replace("[8, 8, 4]", "[H, 8, 4]"),
    "a dtype": BASE.replace("{x: [8, 8, 4]}", "{x: {shape: [8, 8, 4], dtype: float16}}"),
    "the name of an input": BASE.replace("{x:", "{z:"),
    "the name of an output": BASE.replace("as: y", "as: z"),
    "a second output": BASE.replace("as: b}", "as: b, output: true}"),
    "a step more": BASE.replace("as: b}", "as: b}\n  - relu"),
    "an edge": BASE.replace("{relu: , as: b}", "{relu: , as: b}\n  - {add: [a, b]}"),
    "another edge": BASE.replace("{relu: , as: b}", "{relu: , as: b}\n  - {add: [b, b]}"),
}
SHARED = "resspec: 1\ninputs: {x: [4]}\ngraph:\n  - {dense: 4, as: a, share: k}\n  - {dense: 4, as: y, share: k, output: true}\n"


def digest(text: str, folder: Path) -> str:
    (folder / "net.yaml").write_bytes(text.encode())
    return api.load(folder / "net.yaml").digest


@pytest.mark.parametrize("change", SAME)
def test_what_changes_no_meaning_keeps_the_digest(change: str, folder: Path) -> None:
    assert SAME[change] != BASE
    assert digest(SAME[change], folder) == digest(BASE, folder)


def test_every_change_of_meaning_changes_the_digest(folder: Path) -> None:
    digests = {change: digest(text, folder) for change, text in {"": BASE, **OTHER}.items()}
    digests["shared"] = digest(SHARED, folder)
    digests["not shared"] = digest(SHARED.replace("share: k", "when: true"), folder)
    assert len(set(digests.values())) == len(digests) == len(OTHER) + 3


def test_every_artefact_bears_the_digest(folder: Path) -> None:
    expected = digest(BASE, folder)
    for command in (["expand"], ["expand", "--json"], ["summary", "--json"]):
        assert expected in run(*command, "./net.yaml").stdout
    assert expected[:16] in run("summary", "./net.yaml").stdout


def test_places_are_told_by_the_tree_and_not_by_the_machine(folder: Path) -> None:
    (folder / "net.yaml").write_text(BASE)
    again = yamltree.parse(BASE, "net.yaml")
    assert str(folder) not in repr(again)
