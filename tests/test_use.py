"""Blocks of other files, user ops by plugin, and other layers of Keras."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from speccing import findings, load, output

import resspec
from resspec import api, files
from resspec.language.schema import Block

HEAD = "resspec: 1\ninputs: {x: [8, 8, 4]}\n"
LIBRARY = """\
resspec: 1
params: {width: int = 6}
let: {double: 2*width}
defaults: {conv: {use_bias: false}}
blocks:
  thin: {params: {n: int = width}, graph: [{conv: n, as: c}]}
  wide: [{thin: double}, relu]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "lib.yaml").write_text(LIBRARY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(folder: Path, text: str) -> list[str]:
    (folder / "net.yaml").write_text(text)
    return [one.code for one in api.check("net.yaml").diagnostics]


def test_a_block_of_another_file_keeps_its_lets_params_and_defaults(folder: Path) -> None:
    (folder / "net.yaml").write_text(
        HEAD + "params: {width: int = 3}\nuse: {w: blocks/lib.yaml#wide}\ngraph: [w, {conv: 2}]"
    )
    graph = resspec.load("net.yaml")
    assert graph.summary().params.total == 4 * 12 + 12 * 2 + 2


def test_the_name_of_the_block_may_be_left_out(folder: Path) -> None:
    assert check(folder, HEAD + "use: {thin: blocks/lib.yaml}\ngraph: [{thin: 3}]") == []


def test_unknown_blocks_and_files_are_findings(folder: Path) -> None:
    assert check(folder, HEAD + "use: {a: blocks/lib.yaml#thn}\ngraph: [relu]") == ["unknown-block"]
    assert check(folder, HEAD + "use: {a: blocks/bil.yaml#thin}\ngraph: [relu]") == ["file-not-found"]


def test_a_finding_in_another_file_shows_that_file(folder: Path) -> None:
    (folder / "blocks" / "lib.yaml").write_text(LIBRARY.replace("conv: n", "conv: m"))
    (folder / "net.yaml").write_text(HEAD + "use: {thin: blocks/lib.yaml}\ngraph: [thin]")
    (finding,) = api.check("net.yaml").diagnostics
    assert finding.span is not None
    assert (finding.code, finding.span.file, finding.span.line) == ("unknown-name", "blocks/lib.yaml", 6)


def test_files_that_use_each_other_in_a_circle_are_a_finding(folder: Path) -> None:
    (folder / "blocks" / "a.yaml").write_text("resspec: 1\nuse: {b: blocks/b.yaml}\nblocks: {a: [b]}\n")
    (folder / "blocks" / "b.yaml").write_text("resspec: 1\nuse: {a: blocks/a.yaml}\nblocks: {b: [a]}\n")
    assert "import-cycle" in check(folder, HEAD + "use: {a: blocks/a.yaml}\ngraph: [a]")


@pytest.mark.parametrize("path", ["../lib.yaml", "/etc/passwd", "blocks/../../lib.yaml"])
def test_nothing_outside_the_root_is_read(folder: Path, path: str) -> None:
    (folder.parent / "lib.yaml").write_text(LIBRARY)
    assert check(folder, HEAD + f"use: {{thin: {path}}}\ngraph: [thin]") == ["file-escapes"]


def step(block: Block) -> dict[str, Any]:
    """A call with nothing but what must be given."""
    some = {"int": 8, "float": 0.5, "bool": True, "str": "relu"}
    needed = {name: param for name, param in block.params.items() if param.required}
    arguments = {name: [some[one.item]] if one.is_list else some[one.item] for name, one in needed.items()}
    return {"b": arguments or None} | ({"from": ["x"] * len(block.inputs)} if block.inputs else {})


@pytest.mark.parametrize(
    ("name", "block", "call"),
    [
        pytest.param(path.name, name, step(block), id=f"{path.stem}-{name}")
        for path in sorted((files.SHIPPED / "blocks").glob("*.yaml"))
        for name, block in api.open_source(path).document.spec.blocks.items()
    ],
)
def test_every_shipped_block_can_be_used(name: str, block: str, call: dict[str, Any]) -> None:
    head = f"resspec: 1\ninputs: {{x: [64, 64, 4]}}\nuse: {{b: 'resspec:blocks/{name}#{block}'}}\n"
    graph = load(head + f"graph: [{json.dumps(call)}]")
    assert len(graph.nodes) > 1


def test_broadcasting_is_said_not_guessed() -> None:
    text = HEAD + "graph: [{global_avg_pool: {keepdims: true}, as: g}, {multiply: {of: [x, g]OPTION}}]"
    assert [one.code for one in findings(text.replace("OPTION", ""))] == ["shape-mismatch"]
    assert output(text.replace("OPTION", ", broadcast: true")) == "(8, 8, 4)"


@pytest.mark.parametrize("sizes", ["[8, 6, 4]", "[H, W, 4]"])
def test_a_concatenation_stretches_what_has_one_position(sizes: str) -> None:
    import numpy as np

    text = HEAD.replace("[8, 8, 4]", sizes)
    text += "graph: [{global_avg_pool: {keepdims: true}, as: g}, {concat: {of: [g, x], broadcast: true}}]"
    model = load(text).to_keras()
    x = np.random.default_rng(0).standard_normal((2, 8, 6, 4)).astype("float32")
    y = np.asarray(model(x))
    np.testing.assert_allclose(y[..., :4], np.broadcast_to(x.mean((1, 2), keepdims=True), x.shape), atol=1e-6)
    np.testing.assert_array_equal(y[..., 4:], x)


def test_squeeze_and_excitation_builds_and_computes_what_it_says() -> None:
    import numpy as np

    graph = load(HEAD + "use: {se: 'resspec:blocks/attention.yaml#se'}\ngraph: [{se: 2}]")
    model = graph.to_keras()
    x = np.random.default_rng(0).standard_normal((2, 8, 8, 4)).astype("float32")
    w1, b1, w2, b2 = (np.asarray(w) for w in model.weights)
    gate = 1 / (1 + np.exp(-(np.maximum(x.mean((1, 2)) @ w1 + b1, 0) @ w2 + b2)))
    np.testing.assert_allclose(np.asarray(model(x)), x * gate[:, None, None, :], rtol=1e-5, atol=1e-6)


# -- other layers of Keras ---------------------------------------------------------------------------


def test_another_layer_of_keras_is_reached_by_its_class() -> None:
    text = HEAD + "graph: [{keras.UnitNormalization: {axis: -1}}, {keras.Conv2D: {filters: 5, kernel_size: 3}, as: c}]"
    graph = load(text)
    assert str(graph.nodes[-1].outputs[0]) == "(6, 6, 5)"
    assert [(w.name, w.shape) for w in graph.weights[-1]] == [("kernel", (3, 3, 4, 5)), ("bias", (5,))]
    assert graph.to_keras().count_params() == graph.summary().params.total


@pytest.mark.parametrize("name", ["Lambda", "TorchModuleWrapper", "TFSMLayer", "StringLookup"])
def test_layers_that_hold_code_or_files_are_refused_with_the_reason(name: str) -> None:
    (finding,) = findings(HEAD + f"graph: [{{keras.{name}: {{}}}}]")
    assert finding.code == "unknown-op"
    assert "cannot be used" in finding.message


def test_what_keras_refuses_is_a_finding_at_the_step() -> None:
    (finding,) = findings(HEAD + "graph:\n  - {keras.Conv1D: {filters: 5, kernel_size: 3}}")
    assert finding.code == "keras-refused"
    assert finding.span is not None
    assert finding.span.line == 4


# -- a user's own ops ---------------------------------------------------------------------------------

PLUGIN = '''
from typing import ClassVar

import resspec


class Double(resspec.Op):
    """Twice the input: (...) -> (...)."""

    kind = "double"
    family = "activation"
    primary: ClassVar[str | None] = "times"
    times: int = 1

    def infer(self, *inputs):
        return inputs[0]


def rules():
    import keras
    from resspec.keras_backend.site import Lowering

    def double(site, op, x):
        return site.layer(keras.layers.Rescaling, scale=2.0**op.times)(x)

    return {Double: Lowering(double, "any")}


resspec_plugin = resspec.Plugin(ops=(Double,), lower=rules)
'''


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "my_ops_for_tests.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "my_ops_for_tests"
    sys.modules.pop("my_ops_for_tests", None)


def test_a_plugin_brings_ops_that_build(plugin: str) -> None:
    import numpy as np

    text = HEAD + "graph: [{double: 3}]"
    assert [one.code for one in findings(text)] == ["unknown-op"]
    model = load(text, plugins=[plugin]).to_keras()
    np.testing.assert_allclose(np.asarray(model(np.ones((1, 8, 8, 4), "float32"))), 8.0)


def test_a_plugin_that_is_none_is_a_finding() -> None:
    for name in ("no_such_module_anywhere", "json"):
        with pytest.raises(resspec.SpecError) as caught:
            resspec.load("resnet_v2", plugins=[name])
        assert caught.value.diagnostics[0].code == "bad-plugin"


def test_a_spec_cannot_name_a_plugin() -> None:
    assert [one.code for one in findings(HEAD + "plugins: [os]\ngraph: [relu]")] == ["unknown-argument"]


def test_the_root_is_the_folder_of_the_spec(folder: Path) -> None:
    (folder / "net.yaml").write_text(HEAD + "use: {thin: blocks/lib.yaml}\ngraph: [thin]")
    os.chdir("/")
    assert resspec.load(folder / "net.yaml").summary().params.total == 24
