"""The probes that need no training, held to the figures of the literature: small here, whole under the marker `probes`."""

from __future__ import annotations

import os
import subprocess
import sys
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import resspec
from resspec.probes import fit, places, routes, shatter
from resspec.probes.base import Result, Subject, silent

MLP = Path(__file__).parent.parent / "specs" / "chapter" / "mlp.yaml"
NORMAL = {"distribution": "untruncated_normal"}


def variant(name: str) -> str:
    return f"{MLP}@{name}"


def gradients(seeds: int, depths: tuple[int, ...], **params: Any) -> list[tuple[float, float]]:
    """Factors a layer, by weights and by activations."""
    found = resspec.probe("gradients", MLP, params={**NORMAL, **params}, depths=depths, seeds=seeds)
    table = found.table("factors")
    return list(zip(table.column("weight_factor"), table.column("activation_factor"), strict=True))


def growth(found: Result, of: str) -> dict[str, Any]:
    return next(row for row in found.table("growth").records() if row["of"] == of)


def test_sigmoids_make_gradients_vanish() -> None:
    ((weights, activations),) = gradients(1, (8,), activation="sigmoid", gain=1.0, width=50)
    assert weights < 0.3
    assert activations < 0.3


def test_he_initialization_keeps_gradients_of_a_relu_network() -> None:
    ((weights, activations),) = gradients(2, (8,), width=50)
    assert 0.8 < weights < 1.2
    assert 0.8 < activations < 1.2


@pytest.mark.probes
def test_gradients_by_the_figures() -> None:
    """Sigmoid x0.237 a layer; ReLU with He, and tanh, about 1; Glorot's scale loses sqrt(1/2) a layer."""
    for weights, activations in gradients(3, (5, 10, 20), activation="sigmoid", gain=1.0):
        assert weights == pytest.approx(0.237, abs=0.02)
        assert activations == pytest.approx(0.237, abs=0.02)
    for weights, activations in gradients(5, (10, 20, 40)):
        assert 0.85 <= weights <= 1.1
        assert 0.85 <= activations <= 1.1
    for weights, activations in gradients(3, (10, 20), activation="tanh", gain=1.0):
        assert 0.85 <= weights <= 1.1
        assert 0.85 <= activations <= 1.1
    for weights, activations in gradients(5, (20, 40), gain=1.0):
        assert activations == pytest.approx(0.5**0.5, abs=0.04)
        assert weights == pytest.approx(1, abs=0.1)  # what shrinks forward and backward cancels


@pytest.mark.probes
def test_batch_norm_without_shortcuts_lets_gradients_grow() -> None:
    """The norm by sqrt(pi / (pi - 1)) = 1.211 a layer."""
    found = resspec.probe(
        "gradients", MLP, params={**NORMAL, "norm": "batch", "width": 128}, depths=(20,), seeds=3, batch=48
    )
    (factor,) = found.table("factors").column("activation_factor")
    assert factor == pytest.approx((np.pi / (np.pi - 1)) ** 0.5, abs=0.05)


def test_a_residual_block_doubles_and_the_remedies_do_not() -> None:
    plain = resspec.probe("variance", variant("nb11_3"), seeds=2)
    assert growth(plain, "second moment")["factor"] == pytest.approx(2, abs=0.15)
    scaled = resspec.probe("variance", variant("nb11_3_scaled"), seeds=2)
    assert growth(scaled, "second moment")["factor"] == pytest.approx(1, abs=0.1)
    batch = resspec.probe("variance", variant("nb11_3_batch"), seeds=2)
    assert growth(batch, "batch variance")["increment"] == pytest.approx(1 - 1 / np.pi, abs=0.1)
    assert [one.verdicts[0].ok for one in (plain, scaled, batch)] == [None, True, True]


def test_growth_over_many_blocks_is_a_sickness_with_a_place() -> None:
    found = resspec.probe("variance", MLP, params={"residual": True, "depth": 12, "width": 30})
    (verdict,) = found.verdicts
    assert verdict.ok is False
    assert verdict.place is not None
    assert "add: " in MLP.read_text().splitlines()[verdict.place.line - 1]


@pytest.mark.probes
def test_variance_by_the_figures() -> None:
    """Figure 11.6 and notebook 11.3: second moment x2, x1 with the factor; batch variance + 0.682 with batch norm."""
    for data in ("mnist1d", "noise"):
        plain = resspec.probe("variance", variant("nb11_3"), seeds=20, data=data, params={"depth": 20})
        moment, across = growth(plain, "second moment"), growth(plain, "batch variance")
        assert moment["factor"] == pytest.approx(2.00, abs=0.06)
        assert moment["factor_r2"] > 0.99 > moment["increment_r2"]
        assert 1.65 < across["factor"] < 2.0
        scaled = resspec.probe("variance", variant("nb11_3_scaled"), seeds=20, data=data, params={"depth": 20})
        assert growth(scaled, "second moment")["factor"] == pytest.approx(1.0, abs=0.03)
        batch = resspec.probe("variance", variant("nb11_3_batch"), seeds=20, data=data)
        across = growth(batch, "batch variance")
        assert across["increment"] == pytest.approx(0.682, abs=0.05)
        assert across["increment_r2"] > 0.99 > across["factor_r2"]
        assert growth(batch, "second moment")["increment"] == pytest.approx(1.0, abs=0.06)


def test_notebook_11_1_gives_the_same_gradient_as_by_hand() -> None:
    """dy/dx = 0.01324996 at x = 1 with 3 hidden layers and the notebook's own random numbers."""
    from resspec.probes.session import Session

    network = resspec.load(variant("nb11_1"), depth=2)
    session = Session(network)
    random, width, depth = np.random.RandomState(1), 200, 3
    sizes = [(1, width), *[(width, width)] * (depth - 1), (width, 1)]
    order = [0, depth, *range(1, depth)]
    drawn: dict[int, list[Any]] = {k: [] for k in order}
    for first, second in ((0, depth),):
        for k in (first, second):
            drawn[k].append(random.normal(size=sizes[k][::-1]).T / width**0.5)
        for k in (first, second):
            drawn[k].append(random.normal(size=(sizes[k][1],)) / width**0.5)
    for k in range(1, depth):
        drawn[k].append(random.normal(size=sizes[k][::-1]).T / width**0.5)
        drawn[k].append(random.normal(size=(sizes[k][1],)) / width**0.5)
    dense = [layer for layer in session.model.layers if layer.weights]
    for k, layer in enumerate(dense):
        layer.set_weights(drawn[k])
    from resspec.probes.differentiate import differentiate

    found = differentiate(session.model, [np.ones((1, 1), np.float32)], lambda y: y[0, 0])
    assert float(found.inputs[0][0, 0]) == pytest.approx(0.01324996, abs=2e-6)


def test_a_deep_normalized_network_shatters_and_a_residual_one_does_not() -> None:
    small = {"params": {"width": 60, "depth": 24}, "seeds": 2, "directions": 2}
    fixed = resspec.probe("shatter", variant("nb11_1_fixed"), **small)
    residual = resspec.probe("shatter", variant("nb11_1_residual"), **small)
    original = resspec.probe("shatter", variant("nb11_1"), **small)
    (a,), (b,), (c,) = (one.table("correlation").records() for one in (fixed, residual, original))
    assert a["lag1"] < 0.3 < b["lag1"]
    assert a["still"] < 0.1
    assert c["still"] > 0.8
    assert fixed.verdicts[0].ok is False
    assert residual.verdicts[0].ok is True


def closed_form(blocks: int) -> float:
    """Correlation of gradients in a residual chain with batch norm whose first layer has a variance of 2."""
    v = 2 + np.arange(blocks) * (1 - 1 / np.pi)
    return float(np.prod((1 + 0.5 / v) / (1 + 1 / v)))


@pytest.mark.probes
def test_correlation_of_gradients_by_the_figures() -> None:
    """Plain networks halve it with every ReLU; residual ones lose it as a power of the depth; small branches keep it."""
    common = {**NORMAL, "points": 128, "width": 128, "norm": "batch"}
    settings = shatter.Options(seeds=6, depths=(1, 2, 3, 5), points=16, directions=8)
    plain = shatter.run([Subject(MLP, common)], settings, silent).table("correlation")
    for activations, value in zip(plain.column("activations"), plain.column("correlation"), strict=True):
        assert value / 2.0**-activations == pytest.approx(1, abs=0.1)
    settings = shatter.Options(seeds=3, depths=(12, 24, 48), points=16, directions=8)
    residual = shatter.run([Subject(MLP, {**common, "residual": True})], settings, silent).table("correlation")
    depths, values = residual.column("activations"), residual.column("correlation")
    assert -0.9 <= fit.exponential(np.log(depths), values).slope <= -0.5
    for depth, value in zip(depths, values, strict=True):
        assert value == pytest.approx(closed_form(depth), rel=0.2)
    weighted = {**common, "residual": True, "branch_scale": 0.1}
    small = shatter.run([Subject(MLP, weighted)], settings, silent).table("correlation").column("correlation")
    assert all(a > b for a, b in zip(small, values, strict=True))
    assert small[-1] > 0.8


@pytest.mark.probes
def test_autocorrelation_along_a_line_by_the_figures() -> None:
    """24 layers with batch norm are white noise; 50 residual ones keep more than half; small branches keep more."""
    lag1 = {}
    for name, depth in (("nb11_1_fixed", 23), ("nb11_1_residual", 49), ("nb11_1_weighted", 49)):
        found = resspec.probe("shatter", variant(name), seeds=10, params={"depth": depth}, directions=1)
        (lag1[name],) = found.table("correlation").column("lag1")
    assert abs(lag1["nb11_1_fixed"]) < 0.1
    assert lag1["nb11_1_residual"] > 0.5
    assert lag1["nb11_1_weighted"] > lag1["nb11_1_residual"]
    original = resspec.probe("shatter", variant("nb11_1"), seeds=3, directions=1)
    rows = original.table("switching").records()
    assert np.mean([row["still"] for row in rows if row["activation"] == "block22/act/active"]) > 0.9


def test_a_residual_chain_has_binomially_many_paths() -> None:
    for spec in (variant("nb11_3"), "resnet_cifar@resnet110", "resnet_cifar@resnet1202", "resnet"):
        network = resspec.load(spec)
        units = len(places.Map(network).units)
        assert routes.by_blocks(network) == [comb(units, k) for k in range(units + 1)]
    assert sum(routes.binomial(54)[19:36]) / 2**54 == pytest.approx(0.980, abs=0.001)
    assert sum(routes.binomial(54)[5:18]) / 2**54 == pytest.approx(0.004537, abs=1e-6)


def test_paths_of_other_graphs_are_counted_in_layers() -> None:
    assert routes.by_layers(resspec.load("vgg"))[16] == 1
    dense = routes.by_layers(resspec.load("densenet@densenet121"))
    assert sum(dense) == 2 ** (6 + 12 + 24 + 16)
    assert len(dense) - 1 == 121
    assert sum(routes.by_layers(resspec.load("unet"))) == 5


def test_the_unravelled_view_has_every_path_once() -> None:
    found = list(routes.paths(resspec.load(MLP, residual=True, depth=4), 100))
    assert len(found) == len({*found}) == 16
    assert [sum(len(one) == k for one in found) for k in range(5)] == [1, 4, 6, 4, 1]
    assert sum(0 in one for one in found) == 8


def test_short_paths_carry_the_gradient(tmp_path: Path) -> None:
    found = resspec.probe("paths", variant("nb11_3_batch"), params={"depth": 10, "width": 40}, samples=8)
    (row,) = found.table("paths").records()
    assert row["paths"] == 1024
    assert row["slope"] < -0.4
    found.save(tmp_path / "paths.svg")
    alone = resspec.probe("paths", variant("nb11_3_batch"), gradient=False)
    assert alone.table("paths").records()[0]["carrying"] is None


@pytest.mark.probes
def test_share_of_the_gradient_by_the_figures() -> None:
    """54 blocks: what one path carries falls exponentially; 95% come through fewer than 20 units."""
    found = resspec.probe("paths", variant("nb11_3_batch"), params={"depth": 54}, data="mnist1d", seeds=3)
    (row,) = found.table("paths").records()
    assert row["slope"] == pytest.approx(-1.31, abs=0.15)
    low, high = map(int, row["carrying"].split("-"))
    assert high < 20
    assert row["carrying_share"] < 0.03
    assert 4 <= low <= 8


@pytest.mark.probes
def test_training_makes_the_paths_that_carry_shorter() -> None:
    """After 20 epochs 95% of the gradient come through still fewer units, and a path carries less for each of them."""
    common = {"data": "mnist1d", "seeds": 3}
    start = resspec.probe("paths", variant("residual54"), **common)
    end = resspec.probe("paths", variant("residual54"), epochs=20, **common)
    (before,), (after,) = (one.table("paths").records() for one in (start, end))
    assert after["slope"] < -0.5
    assert int(after["carrying"].split("-")[1]) < 20
    assert after["carrying_share"] < before["carrying_share"]


def batchnorm(seed: int, **more: Any) -> Result:
    return resspec.probe("batchnorm", variant("nb11_3_batch"), seed=seed, **more)


def test_batch_norm_computes_what_the_hand_does() -> None:
    found = batchnorm(0, batches=(2, 16), mates=3, updates=5, batch=32)
    for row in found.table("layers").records():
        assert max(row["training"], row["inference"], row["moving"]) < 1e-4
        assert row["out_variance"] == pytest.approx(1, abs=1e-3)
        assert row["outside"] > 0
    gaps = found.table("modes").column("difference")
    assert gaps[0] > gaps[-1]
    norms = {row["norm"]: row for row in found.table("norms").records()}
    assert norms["batch"]["noise_16"] > 0.05
    assert norms["group"]["noise_16"] == norms["layer"]["noise_16"] == 0
    with pytest.raises(resspec.SpecError, match="has no `batch_norm`"):
        resspec.probe("batchnorm", variant("nb11_3"))


@pytest.mark.probes
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_small_batches_by_the_figures(seed: int) -> None:
    """The dependence on the batch falls with its size, but not that of ghost norm; all norms stop the doubling."""
    found = batchnorm(seed, data="mnist1d", mates=16, batches=(8, 16, 32, 64, 128))
    norms = {row["norm"]: row for row in found.table("norms").records()}
    assert norms["batch"]["noise_128"] < 0.5 * norms["batch"]["noise_8"]
    assert norms["ghost"]["noise_128"] > 0.7 * norms["ghost"]["noise_8"]
    assert norms["none"]["growth"] > 1.6
    assert all(norms[kind]["growth"] < 1.35 for kind in ("batch", "ghost", "group", "layer"))
    gaps = dict(zip(found.table("modes").column("updates"), found.table("modes").column("difference"), strict=True))
    assert gaps[50] < 0.05 * gaps[0]


@pytest.mark.parametrize("name", ["gradients", "variance", "shatter", "paths"])
def test_probes_take_networks_that_are_not_of_the_chapter(name: str, tmp_path: Path) -> None:
    small = {"shatter": {"points": 16, "batch": 4, "directions": 1}, "paths": {"samples": 1, "batch": 11}}
    found = resspec.probe(name, "mobilenet_v2", inputs={"image": [32, 32, 3]}, **small.get(name, {"batch": 4}))
    assert len(found.verdicts) == 1
    assert found.save(tmp_path / "x.svg").stat().st_size > 5000


@pytest.mark.backends
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_every_backend_gives_the_same_gradients(backend: str) -> None:
    pytest.importorskip(backend)
    code = (
        "import resspec, sys; r = resspec.probe('gradients', sys.argv[1], params={'width': 16, 'norm': 'batch'}); "
        "print(r.table('norms').column('activations')[0], r.table('norms').column('weights')[0])"
    )
    run = [sys.executable, "-c", code, str(MLP)]
    ours, theirs = (
        subprocess.run(
            run, env={**os.environ, "KERAS_BACKEND": name}, capture_output=True, text=True, check=True
        ).stdout.split()
        for name in ("tensorflow", backend)
    )
    assert [float(one) for one in ours] == pytest.approx([float(one) for one in theirs], rel=1e-3)
