"""What probes share: data, settings, tables, figures, the command, gradients on the backend."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import resspec
from resspec.cli import main
from resspec.diagnostics import SpecError
from resspec.probes import PROBES, data, places, surgery
from resspec.probes.base import Settings, Subject
from resspec.probes.recipe import Recipe

MLP = Path(__file__).parent.parent / "specs" / "chapter" / "mlp.yaml"


def codes(error: SpecError) -> list[str]:
    return [one.code for one in error.diagnostics]


def test_mnist1d_is_made_by_its_recipe() -> None:
    """First values and labels as an implementation with SciPy's filter and interpolation gives them."""
    made = data.mnist1d()
    assert made.x.shape == (4000, 40)
    assert made.x_test.shape == (1000, 40)
    assert made.x[0, :4] == pytest.approx([-0.33200568, -0.47191036, -0.7786971, -1.0097408], abs=1e-6)
    assert list(made.y[:10]) == [2, 6, 4, 5, 6, 6, 6, 0, 3, 1]
    whole = np.concatenate([made.x, made.x_test])
    assert whole.mean() == pytest.approx(0, abs=1e-6)
    assert whole.std() == pytest.approx(1, abs=1e-6)
    assert np.bincount(np.concatenate([made.y, made.y_test])).tolist() == [500] * 10
    assert made.x.std(axis=0).mean() == pytest.approx(0.989, abs=0.01)


def test_digits_are_for_images_of_one_channel() -> None:
    found = data.digits()
    assert found.x.shape[1:] == (8, 8, 1)
    assert len(found.x) + len(found.x_test) == 1797
    assert found.classes == 10


def test_arrays_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, x=np.zeros((10, 40)), y=np.arange(10))
    found = data.load(str(path))
    assert (len(found.x), len(found.x_test)) == (8, 2)
    network = resspec.load(MLP)
    assert data.fitted(found, network).x.dtype == np.float32


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": np.zeros((3, 2))}, "has no array `y`"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(2)}, "3 examples in `x` and 2 labels in `y`"),
        ({"x": np.full((5, 2), np.nan), "y": np.zeros(5)}, "no finite numbers"),
        ({"x": np.zeros((5, 2)), "y": np.full(5, np.nan)}, "`y` .* no finite numbers"),
        ({"x": np.array([{}] * 5), "y": np.zeros(5)}, "holds no plain arrays"),
        ({}, "no array `x`, it is empty"),
        ({"a": np.zeros(5)}, "no array `x`, only `a`"),
        ({"x": np.zeros((0, 2)), "y": np.zeros(0)}, "no example for training"),
        ({"x": np.zeros((4, 2)), "y": np.zeros(4)}, "no example for testing; of five"),
        (
            {"x": np.zeros((4, 2)), "y": np.zeros(4), "x_test": np.zeros((4, 3)), "y_test": np.zeros(4)},
            r"`x_test` of .* \(3\) an example",
        ),
    ],
)
def test_files_that_do_not_fit_are_refused(arrays: dict[str, object], said: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match=said) as caught:
        data.load(str(path))
    assert codes(caught.value) == ["bad-data"]
    assert caught.value.diagnostics[0].help


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(SpecError, match=r"it is no `\.npz` file"):
        data.load(str(path))


def test_data_of_another_shape_are_refused() -> None:
    with pytest.raises(SpecError, match="the examples of `mnist1d` are") as caught:
        data.fitted(data.mnist1d(), resspec.load("resnet_cifar"))
    assert codes(caught.value) == ["bad-data"]
    assert caught.value.diagnostics[0].span is not None


def test_settings_are_checked() -> None:
    assert list(Settings(seed=3, seeds=2).every_seed) == [3, 4]
    with pytest.raises(SpecError, match="at least 1"):
        Settings(seeds=0)
    for rate in (float("nan"), float("inf")):
        with pytest.raises(SpecError, match="`rate` must be a number of at least 0"):
            Recipe(rate=rate)
    with pytest.raises(SpecError, match="there is no probe `gradient`") as caught:
        resspec.probe("gradient", MLP)
    assert "gradients" in str(caught.value)
    with pytest.raises(SpecError, match="has no setting `sed`"):
        resspec.probe("gradients", MLP, sed=3)


@pytest.mark.parametrize("name", [one.name for one in PROBES])
def test_every_probe_says_what_it_does(name: str) -> None:
    done = CliRunner().invoke(main, ["probe", name, "--help"])
    assert done.exit_code == 0
    assert "--seed" in done.output
    assert name in CliRunner().invoke(main, ["probe", "--help"]).output


def test_offsets_change_nothing_and_carry_the_gradient() -> None:
    """Gradients by inner tensors are those that the weights after them see: dW = a^T d for a dense layer."""
    from resspec.probes.session import Session

    network = resspec.load(MLP, depth=3, width=8)
    where = places.Map(network)
    changed = surgery.offset(network, where.layers)
    assert len(changed.inputs) == 1 + len(where.layers)
    inputs = data.noise(network, 5, 1)
    session = Session(network, [*where.layers, *(i for i in range(1, len(network.nodes)) if i not in where.layers)])
    plain = session.values(inputs)
    with_offsets = Session(network, where.layers, gradients=True)
    assert np.array_equal(plain["logits"], with_offsets.values(inputs)["logits"])
    derived = with_offsets.derive(inputs, 3, weights=True)
    weights = derived.weights()
    for i in where.layers:
        gradient = derived.by_tap(i)
        assert weights[network.nodes[i].path]["bias"][1] == pytest.approx(gradient.sum(axis=0), rel=1e-4, abs=1e-4)
    last = where.layers[-1]
    before = plain[network.nodes[network.nodes[last].inputs[0].node].path]
    assert weights["logits"]["kernel"][1] == pytest.approx(before.T @ derived.by_tap(last), rel=1e-4, abs=1e-4)


def test_a_calibrated_model_computes_in_inference_what_training_did() -> None:
    from resspec.probes.session import Session

    network = resspec.load(MLP, depth=2, width=8, norm="batch")
    inputs = data.noise(network, 16, 0)
    session = Session(network)
    trained = session.values(inputs, training=True)["logits"]
    assert not np.allclose(session.values(inputs)["logits"], trained, atol=1e-3)
    session.calibrate(inputs)
    assert session.values(inputs)["logits"] == pytest.approx(trained, abs=1e-4)


def test_the_command_writes_figure_table_and_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["probe", "gradients", str(MLP), "--depths", "3,6", "-p", "width=8", "-o", "x.svg", "--csv", "x.csv"]
    done = CliRunner().invoke(main, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert found["networks"] == ["plain3", "plain6"]
    assert found["ok"] is True
    assert {table["name"] for table in found["tables"]} == {"factors", "norms"}
    rows = list(csv.reader((tmp_path / "x.csv").read_text().splitlines()))
    assert rows[0][0] == "network"
    first = (tmp_path / "x.svg").read_bytes()
    again = resspec.probe("gradients", MLP, params={"width": 8}, depths=(3, 6))
    assert again.save("y.svg").read_bytes() == first
    again.save("y.png")
    with pytest.raises(SpecError, match=r"\.svg, \.png, \.pdf"):
        again.save("y.gif")


def test_a_network_is_probed_as_it_is() -> None:
    network = resspec.load(MLP, depth=2, width=8)
    assert resspec.probe("gradients", network).networks == ("plain2",)
    with pytest.raises(SpecError, match="has its parameters"):
        Subject(network).load(depth=3)
