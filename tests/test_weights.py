"""Weights of a file for a network: they land where they belong, or a finding says why not. They never slide."""

from __future__ import annotations

import contextlib
import fnmatch
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from speccing import load

from resspec import api, files
from resspec.cli import main
from resspec.diagnostics import Diagnostic, Findings, SpecError
from resspec.language import environment
from resspec.weights import naming, order, pattern
from resspec.weights.align import align
from resspec.weights.home import Home
from resspec.weights.loading import Weights, open_weights

RANDOM = np.random.default_rng(0)

TWO = """
resspec: 1
inputs: {x: [8]}
graph: [{dense: 16, as: fc1}, relu, {dense: 5, as: logits, output: true}]
"""


def arrays(network: api.Network, only: str = "") -> dict[str, np.ndarray]:
    """Random numbers above zero for all weights of a network, by the names that its own files have."""
    return {
        f"{node.path.replace('/', '_')}/{weight.name}": RANDOM.uniform(0, 1, weight.shape).astype(np.float32)
        for node, weights in zip(network.nodes, network.weights, strict=True)
        for weight in weights
        if node.path.startswith(only)
    }


def saved(folder: Path, values: Mapping[str, np.ndarray], network: api.Network | None = None) -> Path:
    """A file of arrays; with the note that `build` writes where the network is given."""
    path = folder / "w.npz"
    np.savez(path, **values)
    note = path.with_name("w.npz.json")
    note.unlink(missing_ok=True)
    if network is not None:
        bearers = {network.layer_names[i]: network.nodes[i].path for i in network.bearers}
        found = {"paths_digest": network.paths_digest, "bearers": bearers, "unnamed": order.note(network)}
        note.write_text(json.dumps(found))
    return path


def opened(network: api.Network, path: Path, beside: str = "", **wishes: Any) -> Weights:
    """A file matched with a network, beside whose spec stands the text `beside`."""
    (path.parent / "spec.weights.yaml").write_text(beside or "resspec-weights: 1\n")
    assert network.document is not None
    return open_weights(network, path, Home(network.document, path.parent, network.params), **wishes)


def read(network: api.Network, path: Path, beside: str = "", **wishes: Any) -> dict[str, np.ndarray]:
    """Path and name of each weight -> its numbers, as they would be loaded."""
    with opened(network, path, beside, **wishes) as found:
        values = found.require().values()
        return {f"{node}/{name}": value() for node, weights in values.items() for name, value in weights.items()}


def refused(network: api.Network, path: Path, beside: str = "", **wishes: Any) -> list[Diagnostic]:
    with pytest.raises(SpecError) as caught:
        read(network, path, beside, **wishes)
    return list(caught.value.diagnostics)


def test_all_weights_come_back(tmp_path: Path) -> None:
    network = load(TWO)
    values = arrays(network)
    found = read(network, saved(tmp_path, values))
    assert found.keys() == {"fc1/kernel", "fc1/bias", "logits/kernel", "logits/bias"}
    for name, numbers in found.items():
        np.testing.assert_array_equal(numbers, values[name])


# --- what Keras takes in silence -----------------------------------------------------------------


def test_a_file_of_three_layers_is_refused_by_a_network_of_two(tmp_path: Path) -> None:
    network = load(TWO)
    path = saved(tmp_path, {**arrays(network), "fc2/kernel": np.ones((16, 16), np.float32)})
    (finding,) = refused(network, path)
    assert finding.code == "weights-unused"
    assert "`fc2`" in finding.message
    assert read(network, path, allow=["fc2"]).keys() == {"fc1/kernel", "fc1/bias", "logits/kernel", "logits/bias"}


def test_a_renamed_layer_is_told_on_both_sides(tmp_path: Path) -> None:
    path = saved(tmp_path, arrays(load(TWO)))
    missing, unused = refused(load(TWO.replace("fc1", "fc_1")), path)
    assert (missing.code, unused.code) == ("weights-missing", "weights-unused")
    assert missing.span is not None
    assert "`fc1`" in (missing.help or "")
    assert "`fc1`" in unused.message


def test_a_transposed_kernel_is_told_as_such(tmp_path: Path) -> None:
    network = load(TWO)
    values = arrays(network)
    values["fc1/kernel"] = values["fc1/kernel"].T.copy()
    (finding,) = refused(network, saved(tmp_path, values))
    assert finding.code == "weights-mismatch"
    assert "(8, 16)" in finding.message
    assert "(16, 8)" in finding.message
    assert "another order" in finding.notes[0]


def test_what_is_allowed_keeps_its_initial_values(tmp_path: Path) -> None:
    network = load(TWO)
    values = arrays(network, "fc1")
    assert [one.code for one in refused(network, saved(tmp_path, values))] == ["weights-missing"]
    assert read(network, saved(tmp_path, values), allow=["log*"]).keys() == values.keys()


def test_a_fresh_step_takes_nothing_from_the_file(tmp_path: Path) -> None:
    network = load(TWO)
    values = arrays(network)
    rest = {name: value for name, value in values.items() if not name.startswith("logits/kernel")}
    for held in (values, rest, {**values, "logits/kernel": np.ones((16, 9), "float32")}):
        with opened(network, saved(tmp_path, held), adapt={"logits": "fresh"}) as found:
            assert not found.findings
            assert {network.nodes[one.node].path for one in found.match.loaded} == {"fc1"}
            assert found.facts["fresh"] == ["logits/kernel", "logits/bias"]
            assert found.summary.endswith("adapted to fresh values: logits")


def test_of_a_step_that_got_a_part_the_rest_is_told(tmp_path: Path) -> None:
    network = load(TWO)
    path = saved(tmp_path, {**arrays(network), "logits/kernel": np.ones((16, 9), "float32")})
    with opened(network, path, allow=["logits"]) as found:
        assert not found.findings
        assert found.summary.endswith("kept its initial values: logits/kernel")


def test_a_wish_for_what_is_not_there_is_told(tmp_path: Path) -> None:
    network = load(TWO)
    path = saved(tmp_path, arrays(network))
    found = refused(network, path, allow=["nonsense", "logits"], adapt={"lgits": "fresh", "fc*": "fresh"})
    assert [one.code for one in found] == ["unknown-weights"] * 2
    assert found[1].help == "did you mean `logits`?"


def test_a_wish_for_a_step_means_those_below_it(tmp_path: Path) -> None:
    text = """
resspec: 1
inputs: {x: [8, 8, CHANNELS]}
blocks:
  unit: {params: {}, graph: [{conv: {filters: 4, kernel_size: 3}, as: weight}, {batch_norm: , as: bn}]}
graph: [{unit: , as: stem, output: true}]
"""
    path = saved(tmp_path, arrays(load(text.replace("CHANNELS", "3"))))
    network = load(text.replace("CHANNELS", "1"))
    with opened(network, path, adapt={"stem": "channels"}) as found:
        assert not found.findings
        assert found.facts["channels"] == ["stem/weight/kernel"]
        assert "adapted to other input channels: stem/weight" in found.summary
    (finding,) = refused(network, path)
    assert finding.help is not None
    assert "`--adapt 'stem/weight=channels'`" in finding.help


def test_pixels_laid_flat_are_no_channels(tmp_path: Path) -> None:
    text = """
resspec: 1
inputs: {x: [SIDE, 2, 3]}
graph: [flatten, {dense: 4, as: logits, output: true}]
"""
    path = saved(tmp_path, arrays(load(text.replace("SIDE", "4"))))
    network = load(text.replace("SIDE", "2"))
    (finding,) = refused(network, path, adapt={"logits": "channels"})
    assert finding.help is not None
    assert finding.help.startswith("its inputs are pixels laid flat")


def test_a_head_that_is_a_convolution_is_a_head(tmp_path: Path) -> None:
    network = load(TWO)
    path = saved(tmp_path, {**arrays(network), "logits/kernel": np.ones((1, 1, 16, 9), "float32")})
    (finding,) = refused(network, path)
    assert finding.help is not None
    assert finding.help.startswith("`--adapt 'logits=fresh'`")


def test_a_renamed_layer_of_no_like_name_is_known_by_its_shapes(tmp_path: Path) -> None:
    network = load(TWO)
    renamed = {name.replace("logits", "predictions"): value for name, value in arrays(network).items()}
    found = refused(network, saved(tmp_path, renamed))
    assert found[0].help is not None
    assert "the file has `predictions`, which nothing uses" in found[0].help
    lines = "resspec-weights: 1\ntheirs:\n  layers: {fc1: fc1}\n"  # the step was renamed, and the map was not
    torch = {"fc1.weight": (16, 8), "fc1.bias": (16,), "head.weight": (5, 16), "head.bias": (5,)}
    found = refused(network, saved(tmp_path, {name: np.ones(shape) for name, shape in torch.items()}), lines)
    assert found[0].help is not None
    assert "the file has `head`, which nothing uses" in found[0].help


@pytest.mark.parametrize("dtype", ["int8", "int64", "bool"])
def test_whole_numbers_are_no_weights(dtype: str, tmp_path: Path) -> None:
    network = load(TWO)
    (finding,) = refused(network, saved(tmp_path, {**arrays(network), "fc1/bias": np.ones(16, dtype)}))
    assert finding.code == "weights-mismatch"
    assert dtype in finding.message


@pytest.mark.parametrize(
    ("name", "value", "ailment"),
    [
        ("bn/moving_mean", np.nan, "NaN"),
        ("bn/gamma", -np.inf, "infinity"),
        ("bn/beta", 1e300, "numbers beyond those of float32"),
        ("bn/moving_variance", -1e-3, "negative variances"),
        ("bn/gamma", 3e38, None),  # whose sum is none of float32
        ("bn/moving_mean", -1.0, None),
    ],
)
def test_numbers_that_no_training_leaves_behind(name: str, value: float, ailment: str | None, tmp_path: Path) -> None:
    network = load("resspec: 1\ninputs: {x: [8]}\ngraph: [{batch_norm: , as: bn, output: true}]\n")
    held = {**arrays(network), name: np.full(8, value)}
    path = saved(tmp_path, held)
    if ailment is None:
        assert len(read(network, path)) == 4
    else:
        (finding,) = refused(network, path)
        assert finding.code == "weights-values"
        assert finding.message.endswith(f"holds {ailment}")


def test_a_file_of_another_network_is_one_finding(tmp_path: Path) -> None:
    graph = ", ".join(f"{{dense: 8, as: fc{i}}}" for i in range(30))
    network = load(f"resspec: 1\ninputs: {{x: [8]}}\ngraph: [{graph}]\n")
    other = {name.replace("fc", "block"): value for name, value in arrays(network).items()}
    (finding,) = refused(network, saved(tmp_path, other))
    assert finding.code == "weights-unmatched"
    (finding,) = refused(network, saved(tmp_path, {**other, **arrays(network, "fc0")}))
    assert finding.code == "weights-unmatched"


def test_names_of_keras_2_and_numbers_within_layers(tmp_path: Path) -> None:
    network = load(
        "resspec: 1\ninputs: {x: [9, 4]}\ngraph:\n"
        "  - {depthwise_conv: 3, as: dw}\n  - {bidirectional: 3, as: both, output: true}\n"
    )
    values = arrays(network)
    names = {"dw/kernel": "dw/depthwise_kernel"}
    names |= {name: name.replace("_lstm/", "_lstm_7/") for name in values if name.startswith("both")}
    found = read(network, saved(tmp_path, {names.get(name, name): value for name, value in values.items()}))
    assert found.keys() == values.keys()
    for name, numbers in found.items():
        np.testing.assert_array_equal(numbers, values[name])


# --- surgery --------------------------------------------------------------------------------------

NAMED = """
resspec: 1
inputs: {image: [8, 8, 3]}
blocks:
  unit:
    graph:
      - {conv: {filters: 4, kernel_size: 3, padding: 1}, as: first}
      - {batch_norm: , as: bn}
      - {conv: {filters: 4, kernel_size: 3, padding: 1}, as: second}
graph:
  - {conv: {filters: 4, kernel_size: 3, padding: 1}, as: stem}
  - {repeat: 3, as: stage$i, do: [{unit: , as: unit}]}
  - {dense: 2, as: logits, output: true}
"""


def test_a_step_inserted_among_named_ones_loses_nothing_but_itself(tmp_path: Path) -> None:
    values = arrays(load(NAMED))
    edited = load(
        NAMED.replace(
            "      - {batch", "      - {conv: {filters: 4, kernel_size: 3, padding: 1}, as: new}\n      - {batch"
        )
    )
    path = saved(tmp_path, values, load(NAMED))
    findings = refused(edited, path)
    assert {one.code for one in findings} == {"weights-missing"}
    assert [one.message.split("`")[3] for one in findings] == [f"stage{i}/unit/new" for i in range(3)]
    found = read(edited, path, allow=["*/new"])
    assert len(found) == len(values)
    for name, numbers in found.items():
        *layer, weight = name.split("/")
        np.testing.assert_array_equal(numbers, values[f"{'_'.join(layer)}/{weight}"])


def test_a_replaced_block_keeps_what_has_its_path_and_shape(tmp_path: Path) -> None:
    path = saved(tmp_path, arrays(load(NAMED)), load(NAMED))
    edited = load(
        NAMED.replace("{conv: {filters: 4, kernel_size: 3, padding: 1}, as: second}", "{conv: 4, as: second}")
    )
    findings = refused(edited, path)
    assert {one.code for one in findings} == {"weights-mismatch"}
    with opened(edited, path, allow=["*/second"]) as found:
        assert not found.findings
        lost = {edited.nodes[one.node].path for one in found.match.mismatched}
        assert lost == {f"stage{i}/unit/second" for i in range(3)}
        assert "stage0/unit/second" in found.summary


STEP = st.sampled_from(["dense: 4", "dense: 6", "relu", "layer_norm"])
"""unnamed steps; widths of vectors change at some, so that shapes tell some of them apart"""


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_weights_of_unnamed_steps_never_slide(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever is inserted, or taken out: a weight that is loaded is that of the very step it was saved from.

    Not both at once: one step taken out and another alike put in elsewhere leaves no trace in any file.
    """
    before = [(step, k) for k, step in enumerate(data.draw(st.lists(STEP, min_size=1, max_size=7)))]
    after = list(before)
    taken_out = data.draw(st.booleans())
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(after)))
        if not taken_out:
            after.insert(place, (data.draw(STEP), None))
        elif place < len(after):
            del after[place]
    assume(after)
    old, new = _chain(before), _chain(after)
    values = arrays(old)
    assume(values)
    path = saved(tmp_path, values, old if data.draw(st.booleans()) else None)
    try:
        found = read(new, path, allow=["*"])
    except SpecError as error:
        assert {one.code for one in error.diagnostics} <= {"weights-unmatched"}
        return
    was = {node: k for node, (_, k) in zip(_steps(new), after, strict=True)}
    stood = {k: node for node, (_, k) in zip(_steps(old), before, strict=True)}
    unchanged = [step for step, _ in before] == [step for step, _ in after]
    for name, numbers in found.items():
        node, _, weight = name.partition("/")
        if unchanged:  # then there is no telling, and nothing to tell: it is the same network
            np.testing.assert_array_equal(numbers, values[f"{node}/{weight}"])
        else:
            assert was[node] is not None, f"the new step {node} got weights"
            np.testing.assert_array_equal(numbers, values[f"{stood[was[node]]}/{weight}"])


SWAPPED = """
resspec: 1
inputs: {x: [6], y: [6]}
graph:
  - {dense: 6, from: FIRST}
  - {dense: 6, from: SECOND, as: other}
  - {dense: {units: 6, activation: ONE}, from: FIRST}
  - {dense: {units: 6, activation: TWO}, from: SECOND}
  - {add: [prev, other], as: out, output: true}
"""


def _swapped(**words: str) -> api.Network:
    text = SWAPPED
    for word, by in words.items():
        text = text.replace(word, by)
    return load(text)


@pytest.mark.parametrize(
    "after",
    [
        {"FIRST": "x", "SECOND": "y", "ONE": "relu", "TWO": "tanh"},
        {"FIRST": "y", "SECOND": "x", "ONE": "tanh", "TWO": "relu"},
    ],
    ids=["activations", "inputs"],
)
def test_steps_that_changed_places_under_the_same_numbers(after: dict[str, str], tmp_path: Path) -> None:
    old = _swapped(FIRST="x", SECOND="y", ONE="tanh", TWO="relu")
    new = _swapped(**after)
    path = saved(tmp_path, arrays(old), old)
    assert len(read(old, path)) == len(arrays(old))
    findings = refused(new, path)
    assert {one.code for one in findings} <= {"weights-ambiguous", "weights-missing", "weights-unused"}
    loaded = read(new, path, allow=["*"])
    assert not any(name.startswith(("dense1", "dense2")) for name in loaded)


def test_what_is_loaded_by_number_alone_is_told(tmp_path: Path) -> None:
    network = load(
        "resspec: 1\ninputs: {x: [4]}\ngraph: [{dense: 4}, relu, {dense: 4}, {dense: 2, as: out, output: true}]\n"
    )
    with opened(network, saved(tmp_path, arrays(network), network)) as found:
        assert found.unsure is None
        assert found.facts["by_number"] == []
    (tmp_path / "alone").mkdir()
    path = saved(tmp_path / "alone", arrays(network), None)
    with opened(network, path) as found:
        assert found.facts["by_number"] == ["dense0", "dense1"]
        assert "by number alone: `dense0` and 1 more steps" in found.summary
    with pytest.warns(UserWarning, match="loaded by number alone"):
        network.to_keras(weights=path)


MOVED = """
resspec: 1
inputs: {image: [8, 8, 3]}
graph:
  - {conv: {filters: 4, kernel_size: 3, padding: 1}, as: first}
  - {batch_norm: , when: not later}
  - {relu: }
  - {conv: {filters: 4, kernel_size: 3, padding: 1}}
  - {batch_norm: , when: later}
  - {relu: , when: more}
  - {dense: 2, as: logits, output: true}
params: {later: bool = false, more: bool = true}
"""


def test_a_saved_model_tells_what_its_layers_read(tmp_path: Path) -> None:
    """Without the note, as after `model.save`: a norm that moved to another convolution is not taken for the same."""
    old = load(MOVED)
    path = tmp_path / "trained.keras"
    old.to_keras().save(path)
    for same in (old, load(MOVED, params={"more": False})):
        with opened(same, path) as found:
            assert not found.findings
            assert found.facts["by_number"] == ["batch_norm0", "conv0"]
    findings = refused(load(MOVED, params={"later": True}), path)
    assert {one.code for one in findings} == {"weights-ambiguous"}
    assert "such steps do not all read here what they read there" in findings[0].message


def _chain(steps: list[tuple[str, Any]]) -> api.Network:
    lines = "\n".join(f"  - {step}" for step, _ in steps)
    return load(f"resspec: 1\ninputs: {{x: [4]}}\ngraph:\n{lines}\n")


def _steps(network: api.Network) -> list[str]:
    return [node.path for node in network.nodes if node.inputs]


# --- maps -----------------------------------------------------------------------------------------

CONVS = """
resspec: 1
inputs: {x: [8, 4]}
params: {n: int = 3, first: int = 0}
graph: [{repeat: n, do: [{conv: 4, as: conv$i}, relu]}]
"""


def torch_like(*names: str) -> dict[str, np.ndarray]:
    """Convolutions of 4 channels, with the names and the layout of PyTorch."""
    return {
        f"{name}.{part}": RANDOM.normal(size=(4, 4, 1)[: 3 if part == "weight" else 1])
        for name in names
        for part in ("weight", "bias")
    }


def keras_like(*names: str) -> dict[str, np.ndarray]:
    return {
        f"{name}/{part}": RANDOM.normal(size=(1, 4, 4) if part == "kernel" else 4)
        for name in names
        for part in ("kernel", "bias")
    }


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("conv{k}: body.{k}", ["body.0", "body.1", "body.2"]),
        ("conv{k}: body.{3*k + 1}", ["body.1", "body.4", "body.7"]),
        ("'**': body.{2*nth}", ["body.0", "body.2", "body.4"]),
        ("conv{k}: block_{k:a}", ["block_a", "block_b", "block_c"]),
        ("'*': net.{nth:A}", ["net.A", "net.B", "net.C"]),
        ("conv{k}: 'body.{k + n}'", ["body.3", "body.4", "body.5"]),
        ("conv{k}: body.{first if k == 0 else 9 - k}", ["body.0", "body.8", "body.7"]),
    ],
)
def test_lines_of_a_map(line: str, names: list[str], tmp_path: Path) -> None:
    values = torch_like(*names)
    found = read(
        load(CONVS),
        saved(tmp_path, values),
        f"resspec-weights: 1\ntheirs: {{layers: {{{line}}}}}\n"
        if "{{" in line
        else f"resspec-weights: 1\ntheirs:\n  layers:\n    {line}\n",
    )
    for k, name in enumerate(names):
        np.testing.assert_array_equal(found[f"conv{k}/kernel"][0], values[f"{name}.weight"][:, :, 0].T)


def test_names_that_keras_numbered_count_from_wherever_they_begin(tmp_path: Path) -> None:
    values = keras_like("conv1d_7", "conv1d_10", "conv1d_8")
    found = read(
        load(CONVS), saved(tmp_path, values), "resspec-weights: 1\nkeras:\n  layers:\n    'conv{k}': 'conv1d#{k}'\n"
    )
    for k, name in enumerate(("conv1d_7", "conv1d_8", "conv1d_10")):
        np.testing.assert_array_equal(found[f"conv{k}/kernel"], values[f"{name}/kernel"])


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("'**': 'conv1d#{nth}'", keras_like("conv1d", "conv1d_1", "conv1d_2")),
        ("'**': 'body.{nth}'", torch_like("body.0", "body.1", "body.2")),
    ],
)
@pytest.mark.parametrize("n", [2, 4])
def test_a_count_that_does_not_come_out_loads_nothing(
    line: str, values: dict[str, np.ndarray], n: int, tmp_path: Path
) -> None:
    """A step more or less would shift all that follow, so none of them is trusted, whatever is allowed."""
    mapping = f"resspec-weights: 1\ntheirs:\n  layers:\n    {line}\n"
    network = load(CONVS, params={"n": n})
    assert "weights-ambiguous" in {one.code for one in refused(network, saved(tmp_path, values), mapping)}
    assert read(network, saved(tmp_path, values), mapping, allow=["*"]) == {}


@pytest.mark.parametrize(
    ("text", "path", "found"),
    [
        ("stage{s}/unit{u}/conv", "stage3/unit12/conv", {"s": 3, "u": 12}),
        ("stage{s}/unit{u}/conv", "stage3/unit12/conv2", None),
        ("*{k}", "conv12", {"k": 12}),
        ("*{k}", "a/conv12", None),
        ("**/conv", "conv", {}),
        ("**/conv", "a/conv/b/conv", {}),
        ("**/conv", "a/aconv", None),
        ("**/unit{u}/**/w", "s/unit4/a/b/w", {"u": 4}),
        ("**/unit{u}/**/w", "unit4/w", {"u": 4}),
        ("a{i}/b{i}", "a2/b2", {"i": 2}),
        ("a{i}/b{i}", "a2/b3", None),
        ("stage*/conv", "stage12/conv", {}),
        ("**", "a/b/c", {}),
        ("{k*inner/}w", "w", {"k": 0}),
        ("g{i}/{k*inner/}w", "g3/inner/inner/w", {"i": 3, "k": 2}),
        ("{k*inner/}w", "inner/other/w", None),
        ("{k*a/}{k*a/}w", "a/a/a/w", None),
    ],
)
def test_patterns(text: str, path: str, found: dict[str, int] | None) -> None:
    assert pattern.ours(text).match(path) == found


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    """Backtracking would try them in all their places: more than there are seconds."""
    path = "/".join(["a" * 60] * 60)
    assert pattern.ours("*a**a**a**a**a**a**a**a**a**a**b").match(path) is None
    assert pattern.glob("*a" * 40 + "b").fullmatch(path) is None
    with pytest.raises(pattern.PatternError):
        pattern.ours("{a}{b}")


@given(st.text("ab", max_size=8), st.lists(st.sampled_from("ab*"), max_size=6).map("".join))
def test_names_with_stars(name: str, text: str) -> None:
    """As the shell has them."""
    assert (pattern.glob(text).fullmatch(name) is not None) == fnmatch.fnmatchcase(name, text)


def test_what_has_no_counterpart_is_said(tmp_path: Path) -> None:
    mapping = "resspec-weights: 1\ntheirs:\n  layers:\n    conv0: null\n    'conv{k}': 'body.{k}'\n  ignore: ['aux*']\n"
    values = torch_like("body.1", "body.2", "aux.head")
    assert {name.split("/")[0] for name in read(load(CONVS), saved(tmp_path, values), mapping)} == {"conv1", "conv2"}


def test_one_array_for_two_steps_is_ambiguous(tmp_path: Path) -> None:
    mapping = "resspec-weights: 1\ntheirs:\n  layers:\n    '*': body\n"
    assert {one.code for one in refused(load(CONVS), saved(tmp_path, torch_like("body")), mapping)} == {
        "weights-ambiguous"
    }


def test_lines_of_shipped_maps_are_used() -> None:
    """By some variant, or some value of a parameter of their family; a line that fits nothing is a mistake."""
    for path in sorted(files.SHIPPED.glob(f"*{api.MAP}")):
        spec = path.name.removesuffix(api.MAP)
        assert not api.check(path).diagnostics, path.name
        opened = api.open_source(spec)
        names = {}
        choices: dict[str, list[Any]] = {
            name: list(param.enum or [True, False])
            for name, param in opened.document.spec.params.items()
            if param.enum or param.item == "bool"
        }
        extras = [{}, *({name: value} for name, values in choices.items() for value in values)]
        for variant, extra in itertools.product(opened.document.spec.variants or [None], extras):
            with contextlib.suppress(SpecError):  # not every value goes with every variant
                network = api.network(opened, variant=variant, params=extra)
                lookup = environment.evaluate(opened.document, network.params, Findings()).lookup
                paths = [n.path for n, weights in zip(network.nodes, network.weights, strict=True) if weights]
                for one in naming.parse(path.read_text(), path.name).namings.values():
                    if one.unmeant(lookup) is None:
                        for way in paths:
                            rule = next((rule for rule in one.rules if rule.ours.match(way) is not None), None)
                            assert rule is not None, f"{path.name}: `{one.name}` has no line for {way}"
                            names[one.name, rule.ours.text] = True
        unused = [
            f"{one.name}: {rule.ours.text}"
            for one in naming.parse(path.read_text(), path.name).namings.values()
            for rule in one.rules
            if (one.name, rule.ours.text) not in names
        ]
        assert not unused, f"{path.name}: {unused}"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=6), st.lists(st.sampled_from("abc"), max_size=6))
def test_what_is_certain_is_so_in_every_longest_alignment(old: list[str], new: list[str]) -> None:
    """Against trying all of them."""

    def ways(i: int, j: int) -> list[frozenset[tuple[int, int]]]:
        if i == len(old) or j == len(new):
            return [frozenset()]
        found = [*ways(i + 1, j), *ways(i, j + 1)]
        if old[i] == new[j]:
            found += [way | {(i, j)} for way in ways(i + 1, j + 1)]
        most = max(map(len, found))
        return list({way for way in found if len(way) == most})

    every = ways(0, 0)
    found = align(old, new)
    assert {(was, now) for now, was in found.old.items()} == frozenset.intersection(*every)
    taking_part = {now for way in every for _, now in way}
    assert found.doubtful == taking_part - found.old.keys()


# --- a file of a neighbour ------------------------------------------------------------------------

NEIGHBOURS = """
resspec: 1
params: {wide: bool = false, act: {type: str, enum: [relu, silu], default: relu}}
variants: {narrow: {}, broad: {wide: true}}
inputs: {x: [8]}
graph: [{dense: 32 if wide else 16, as: fc1}, {activation: $act}, {dense: 5, as: logits, output: true}]
"""
MEANT = """
resspec-weights: 1
theirs:
  when: wide or act == 'silu'
  layers: {fc1: first, logits: last}
"""


def theirs(hidden: int) -> dict[str, np.ndarray]:
    shapes = {"first.weight": (hidden, 8), "first.bias": (hidden,), "last.weight": (5, hidden), "last.bias": (5,)}
    return {name: RANDOM.normal(size=shape).astype("float32") for name, shape in shapes.items()}


@pytest.mark.parametrize(("hidden", "way"), [(32, "spec.yaml@broad"), (16, "-p act=silu")])
def test_parameters_under_which_a_file_would_fit_are_named(hidden: int, way: str, tmp_path: Path) -> None:
    (finding,) = refused(load(NEIGHBOURS), saved(tmp_path, theirs(hidden)), MEANT)
    assert finding.code == "weights-unmatched"
    assert finding.help is not None
    assert finding.help.endswith(f"use `{way}`")


def test_parameters_are_named_where_a_part_fits(tmp_path: Path) -> None:
    """A network with more units than the file's finds most of it, and lacks the rest."""
    deep = """
resspec: 1
params: {depth: int = 40}
variants: {small: {depth: 20}, large: {depth: 40}}
inputs: {x: [4]}
graph: [{repeat: depth, as: unit$i, do: [{dense: 4, as: fc}]}]
"""
    meant = "resspec-weights: 1\ntheirs:\n  when: depth > 0\n  layers: {'unit{u}/fc': 'body.{u}'}\n"
    shapes = {"weight": (4, 4), "bias": (4,)}
    held = {f"body.{u}.{name}": np.ones(shape) for u in range(20) for name, shape in shapes.items()}
    found = refused(load(deep), saved(tmp_path, held), meant)
    assert found[-1].message == "the same of 8 more steps"
    assert found[-1].help is not None
    assert found[-1].help.endswith("use `spec.yaml@small`")
    found = refused(load(deep, params={"depth": 10}), saved(tmp_path, held), meant)
    assert [one.code for one in found] == ["weights-unused"]
    assert found[0].help is not None
    assert found[0].help.endswith("use `spec.yaml@small`")


def test_a_file_that_fits_nowhere_names_no_parameters(tmp_path: Path) -> None:
    (finding,) = refused(load(NEIGHBOURS), saved(tmp_path, {"other.weight": np.ones((3, 3), "float32")}), MEANT)
    assert finding.help is not None
    assert "suggest" in finding.help


def test_a_naming_that_does_not_apply_says_for_what_it_is_meant(tmp_path: Path) -> None:
    (finding,) = refused(load(NEIGHBOURS), saved(tmp_path, theirs(16)), MEANT, weights_map="theirs")
    assert finding.code == "unknown-naming"
    assert "when `wide or act == 'silu'`" in finding.message


def test_a_map_elsewhere_is_taken_whatever_it_is_meant_for(tmp_path: Path) -> None:
    other = tmp_path / "other.weights.yaml"
    other.write_text(MEANT + "more:\n  when: flavour == 'x'\n  layers: {fc1: last}\n")
    path = saved(tmp_path, theirs(16))
    for network in (load(NEIGHBOURS), load(TWO)):  # the second has no such parameters
        assert len(read(network, path, weights_map=f"{other}#theirs")) == 4
    (finding,) = refused(load(TWO), path, weights_map=str(other))
    assert any("here is no `flavour`" in note for note in finding.notes)


def test_a_prefix_that_all_names_have_is_left_out_if_that_helps(tmp_path: Path) -> None:
    for prefix in ("model.", "model.backbone."):
        given = {f"{prefix}{name}": value for name, value in theirs(32).items()}
        with opened(load(NEIGHBOURS, params={"wide": True}), saved(tmp_path, given), MEANT) as found:
            assert not found.findings
            assert f"note: every name begins with `{prefix}`, which is left out" in found.summary


def test_what_does_not_fit_is_told_as_json_too(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(TWO)
    values = arrays(load(TWO))
    path = saved(tmp_path, {name: value for name, value in values.items() if not name.startswith("fc1")})
    done = CliRunner().invoke(main, ["weights", "match", str(tmp_path / "two.yaml"), str(path), "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["missing"] == ["fc1/kernel", "fc1/bias"]
    assert "weights-missing" in done.stderr
