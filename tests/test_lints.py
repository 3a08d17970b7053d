"""What the rules are silent about, what `allow` does, and that looking costs little.

What each rule finds stands in `findings/warnings.md`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from speccing import HEAD, load

from resspec import allow, api, explain, files, lints
from resspec.diagnostics import Diagnostic, SpecError
from resspec.language import document
from resspec.lints.dominators import ROOT, Dominators

LANGUAGE = (Path(__file__).parent.parent / "docs/language.md").read_text()
TYPICAL = re.findall(
    r"^## (.*?)\n\n```yaml\n(.*?)^```", Path(__file__).with_name("typical.md").read_text(), re.M | re.S
)


def check(text: str, root: Path = Path()) -> tuple[Diagnostic, ...]:
    whole = text if text.startswith("resspec:") else HEAD + text
    return api.check_opened(api.Opened(*document.load(whole, "spec.yaml", root), None)).diagnostics


def codes(text: str, root: Path = Path()) -> list[str]:
    return [one.code for one in check(text, root)]


@pytest.mark.parametrize(("name", "text"), TYPICAL, ids=[name for name, _ in TYPICAL])
def test_networks_of_the_literature_give_no_warning(name: str, text: str) -> None:
    assert [str(one) for one in check(text)] == []


SILENT = {
    "results whose names are built": (
        "blocks: {b: {graph: [{conv: 4, as: x}, {conv: 4, as: y}], outputs: {r1: y, r0: x}}}\n"
        "graph: [{b: , as: c}, {for: {k: [0, 1]}, do: [add: [prev, c.r$k]]}]"
    ),
    "a frozen norm subtracts what it was trained with": "graph: [{conv: 4}, {batch_norm: , trainable: false}]",
    "a bias that is activated before the norm": "graph: [{conv: {filters: 4, activation: relu}}, batch_norm]",
    "a bias that another reader sees": "graph: [{conv: 4, as: a}, batch_norm, {add: [prev, a]}]",
    "a bias that is an output": "graph: [{conv: 4, as: a, output: true}, {batch_norm: , as: b, output: true}]",
    "a block whose bias counts in one of two calls": "blocks: {b: [conv: 4]}\ngraph: [b, batch_norm, relu, b]",
    "a shared convolution": "graph: [{conv: 3, share: k}, {add: [prev, image]}, {conv: 3, share: k}, batch_norm]",
    "a reshape that mixes channels": "graph: [conv: 4, {reshape: [16, 16]}, batch_norm]",
    "a layer norm": "graph: [conv: 4, layer_norm]",
    "a 1x1 window with strides passes rows over on purpose": "graph: [{conv: {filters: 4, strides: 2}}]",
    "padding that is left over": "graph: [{conv: {filters: 4, kernel_size: 3, strides: 2, padding: 1}}]",
    "an even window with strides": "graph: [{conv: {filters: 4, kernel_size: 2, strides: 2, padding: same}}]",
    "an even dilation": "graph: [{conv: {filters: 4, kernel_size: 2, dilation_rate: 2, padding: same}}]",
    "a leaky branch": "graph: [{conv: 3}, leaky_relu, {add: [prev, image]}]",
    "the ReLU before is the shortcut": "graph: [{conv: 3}, {relu: , as: a}, {conv: 3}, {add: [prev, a]}, relu]",
    "two branches without a shortcut": "graph: [{conv: 3}, {relu: , as: a}, {conv: 3, from: image}, relu, {add: a}]",
    "a gate is no sum": "graph: [{conv: 3}, relu, {multiply: [prev, image]}]",
    "seven units": "graph: [{repeat: 7, do: [{conv: 3}, {add: [in, prev]}]}]",
    "units that start at zero": "graph: [{repeat: 9, do: [{conv: {filters: 3, kernel_initializer: zeros}}, {add: [in, prev]}]}]",
    "an activation on an input that no layer reads": "graph: [relu, {add: [prev, image]}]",
    "a param in a name": "params: {n: int = 4}\nname: net$n\ngraph: [conv: 4]",
    "a param in a variant's check": "params: {n: int = 4}\ngraph: [conv: 4]\nchecks: [{when: n == 4, layers: 1}]",
    "a let that a later let uses": "let: {a: 2, b: 2*a}\ngraph: [conv: b]",
    "a param that another's default uses": "params: {a: int = 2, b: int = 2*a}\ngraph: [conv: b]",
    "a block that a used block calls": "blocks: {a: [conv: 3], b: [a, relu]}\ngraph: [b]",
    "a block in a step that is passed over": "blocks: {a: [conv: 3]}\ngraph: [conv: 3, {a: , when: false}]",
    "a name for the path": "graph: [{conv: 4, as: stem}, {relu: , as: act}]",
    "a tap that the next step takes": "graph: [{conv: 3, as: a}, {tap: image}, conv: 3, {add: a}]",
    "a tap that a skipped step hands on": "graph: [{conv: 3}, {tap: image}, {relu: , from: image, when: false}, conv: 3, {add: image}]",
    "a tap with a name that is used": "graph: [{tap: image, as: x}, {conv: 3, from: image}, {add: x}]",
}


@pytest.mark.parametrize("name", SILENT)
def test_silence(name: str) -> None:
    assert {code for code in codes(SILENT[name]) if code not in ("merge-of-itself", "unused-value")} == set()


def test_a_finding_stands_once_for_all_turns_and_networks() -> None:
    text = "params: {n: int = 2}\nvariants: {big: {n: 5}}\ngraph: [{repeat: n, do: [conv: 3, batch_norm]}]"
    (found,) = check(text)
    assert (found.code, found.span and found.span.line) == ("bias-before-norm", 5)
    assert found.notes[0] == "at `conv0` and 1 more place"


def test_a_norm_in_a_block_that_is_called_under_a_condition() -> None:
    text = "params: {n: bool = true}\nblocks: {norm: [batch_norm]}\ngraph: [conv: 4, {norm: , when: n}]"
    (found,) = check(text)
    assert (found.code, found.fix) == ("bias-before-norm", None)
    assert found.help == "make `use_bias` false where the `batch_norm` is carried out"
    (found,) = check(text.replace("[conv: 4,", "[{conv: 4, when: n},"))
    assert found.help == "write `use_bias: false`"


BROKEN = {
    ("resnet_v2", "conv: {use_bias: false, ", "conv: {"): "bias-before-norm",
    ("resnet_v2", "bn_relu: [{batch_norm: , as: bn}, relu]", "bn_relu: [relu]"): "growing-variance",
    (
        "resnet_v2",
        "- add: [restore, shortcut]",
        "- {relu: , from: restore}\n      - add: [prev, shortcut]",
    ): "relu-before-add",
    ("densenet", "image: [224, 224, 3]", "image: [225, 225, 3]"): "dropped-row",
    ("vgg", "conv: {kernel_size: 3", "conv: {kernel_size: 4"): "even-same-kernel",
}


@pytest.mark.parametrize("change", BROKEN, ids=lambda change: BROKEN[change])
def test_published_networks_that_were_broken(change: tuple[str, str, str]) -> None:
    name, good, bad = change
    text = (files.SHIPPED / f"{name}.yaml").read_text()
    assert good in text
    text = text[text.index("resspec:") :].replace(good, bad).split("\nchecks:")[0]
    assert BROKEN[change] in codes(text, files.SHIPPED)


def test_errors_come_first() -> None:
    assert codes("blocks: {unit: [conv: 3]}\ngraph: [unti]") == ["unknown-op"]


def test_an_allowed_warning_is_silent_everywhere() -> None:
    text = "allow: {merge-of-one: a test}\ngraph: [{conv: 3, as: a}, {add: [a]}]"
    assert codes(text) == []
    assert load(HEAD + text).warnings == ()


@pytest.mark.parametrize("reason", ["", "' '", "3", "null"])
def test_allow_needs_a_reason(reason: str) -> None:
    with pytest.raises(SpecError) as caught:
        codes(f"allow: {{relu-first: {reason}}}\ngraph: [relu, conv: 3]")
    assert "needs a reason" in str(caught.value)


def test_an_unknown_code_is_refused_when_loading_too() -> None:
    with pytest.raises(SpecError) as caught:
        load(HEAD + "allow: {relu-frist: why}\ngraph: [relu]")
    (found,) = caught.value.diagnostics
    assert (found.code, found.help) == ("unknown-code", "did you mean `relu-first`?")


def test_a_used_file_allows_for_itself_only(tmp_path: Path) -> None:
    block = "resspec: 1\n{}blocks: {{b: [{{conv: 4}}, batch_norm]}}\n"
    (tmp_path / "b.yaml").write_text(block.format(""))
    assert codes("use: {b: b.yaml}\ngraph: [b]", tmp_path) == ["bias-before-norm"]
    assert codes("use: {b: b.yaml}\nallow: {bias-before-norm: theirs}\ngraph: [b]", tmp_path) == []
    (tmp_path / "b.yaml").write_text(block.format("allow: {bias-before-norm: as published}\n"))
    assert codes("use: {b: b.yaml}\ngraph: [b]", tmp_path) == []
    assert codes("use: {b: b.yaml}\ngraph: [b, conv: 3, batch_norm]", tmp_path) == ["bias-before-norm"]
    (tmp_path / "b.yaml").write_text(block.format("allow: {bias-befor-norm: as published}\n"))
    assert codes("use: {b: b.yaml}\ngraph: [b]", tmp_path) == ["unknown-code"]


def test_the_reference_lists_all_warnings() -> None:
    section = LANGUAGE.split("## Warnings\n", 1)[1].split("\n## ", 1)[0]
    rows = "".join(line.split("|")[1] for line in section.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([a-z-]+)`", rows)) == allow.WARNINGS | {"unused-allow"}


def test_what_may_be_allowed_is_what_is_told_as_a_warning() -> None:
    told = {
        code
        for code, page in explain.pages().items()
        for case in page.cases
        if f"# warning: [{code}]" in (case.spec or "")
    }
    assert told - {"unused-allow"} == allow.WARNINGS


@pytest.mark.parametrize("name", api.shipped())
def test_shipped_specs_give_no_warning(name: str) -> None:
    assert [str(one) for one in api.check(name).diagnostics] == []


def test_dominators_are_those_of_the_definition() -> None:
    """A node dominates another if without it no way from an input leads there."""
    graph = load(
        """
        graph:
          - {conv: 3, as: a}
          - {do: [{conv: 3, as: b}, {add: [b, in]}, {do: [relu, {add: [in, prev]}]}, {add: [prev, in]}], as: c}
          - {concat: [a, c, image]}
          - {repeat: 5, do: [{conv: 9}, {conv: 9}, {add: [in, prev]}]}
        """
    )
    nodes = graph.nodes

    def reached(without: int) -> set[int]:
        found: set[int] = set()
        for i, node in enumerate(nodes):
            if i != without and (not node.inputs or any(ref.node in found for ref in node.inputs)):
                found.add(i)
        return found

    above = {i: {d for d in range(len(nodes)) if d != i and i not in reached(d)} for i in range(len(nodes))}
    wanted = [max(above[i], key=lambda d: len(above[d]), default=ROOT) for i in range(len(nodes))]
    assert Dominators(nodes).parent == wanted


def test_the_work_of_the_rules_grows_with_the_network() -> None:
    def calls(depth: int) -> tuple[int, int]:
        network = api.load("resnet_v2", depth=depth)
        assert network.document is not None
        linter = lints.Linter(network.document)
        count = 0

        def called(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(called)
        try:
            linter.network(network)
        finally:
            sys.setprofile(None)
        return count, len(network.nodes)

    (few, small), (many, large) = calls(50), calls(200)
    assert many / large <= 1.2 * few / small
