"""Probes that train: small sizes of each, and what they stand on. The figures of the literature are in test_probes_bars."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from click.testing import CliRunner

import resspec
from resspec import api, report
from resspec.cli import main
from resspec.diagnostics import SpecError
from resspec.probes import blocks, data, landscape, recipe, width
from resspec.probes.base import Subject
from resspec.probes.recipe import Recipe, Task

CHAPTER = Path(__file__).parent.parent / "specs" / "chapter"
MLP, ORDERS, CONV = CHAPTER / "mlp.yaml", CHAPTER / "orders.yaml", CHAPTER / "conv.yaml"

SMALL: dict[str, Any] = {"epochs": 1, "jit": False}


def network(depth: int, *, residual: bool = True) -> resspec.Network:
    return resspec.load(MLP, depth=depth, width=8, residual=residual, last=True, norm="batch")


@pytest.mark.parametrize("name", sorted(path.stem for path in CHAPTER.glob("*.yaml")))
def test_what_the_specs_of_the_chapter_say_of_themselves_holds(name: str) -> None:
    found = api.check(CHAPTER / f"{name}.yaml")
    assert not found.diagnostics, report.text(found.diagnostics, found.sources)
    assert found.checked is not None
    assert found.checked.checks > 0


def test_errors_and_losses_are_those_of_keras() -> None:
    random = np.random.default_rng(0)
    logits, labels = random.normal(size=(7, 4)), random.integers(0, 4, 7)
    task = Task("classes", False)
    assert task.error(logits, labels) == (logits.argmax(1) != labels).mean()
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    assert task.loss(logits, labels) == pytest.approx(float(theirs), rel=1e-5)
    share = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert Task("classes", True).loss(share, labels) == pytest.approx(task.loss(logits, labels))
    binary, yes = Task("binary", False), random.integers(0, 2, 7)
    theirs = keras.losses.BinaryCrossentropy(from_logits=True)(yes[:, None].astype("float32"), logits[:, :1])
    assert binary.loss(logits[:, :1], yes) == pytest.approx(float(theirs), rel=1e-5)
    assert binary.error(logits[:, :1], yes) == ((logits[:, 0] > 0) != yes).mean()
    assert Task("values", False).error(np.full((7, 4), logits.mean()), logits) == pytest.approx(1)
    assert task.error(np.full((7, 4), np.nan), labels) == 1


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (np.array([0, 9]), "classes"),
        (np.array([0, 10]), None),
        (np.array([-1, 9]), None),
        (np.zeros((2, 10)), "values"),
        (np.zeros(2), None),
    ],
)
def test_what_is_to_be_learnt_follows_from_the_labels(labels: np.ndarray, kind: str | None) -> None:
    found = data.Data("mine", np.zeros((2, 40)), labels, np.zeros((2, 40)), labels)
    if kind is not None:
        assert recipe.task(network(1), found).kind == kind
        return
    with pytest.raises(SpecError, match="cannot learn") as caught:
        recipe.task(network(1), found)
    assert caught.value.diagnostics[0].code == "bad-data"


def test_the_twin_without_shortcuts_is_the_plain_network() -> None:
    assert blocks.without_shortcuts(network(3)).digest == network(3, residual=False).digest
    plain = resspec.load(CONV, residual=False)
    assert blocks.without_shortcuts(resspec.load(CONV)).digest == plain.digest
    assert blocks.without_shortcuts(plain).digest == plain.digest
    again = blocks.without_shortcuts(resspec.load("resnet_cifar"))
    assert again.digest == resspec.load("resnet_cifar@plain20").digest


@pytest.mark.parametrize("residual", [True, False])
def test_a_network_without_a_block_is_the_network_that_never_had_it(residual: bool) -> None:
    """The last of three blocks deleted: the network of two blocks with the same weights."""
    long, short = network(3, residual=residual), network(2, residual=residual)
    found = blocks.blocks(long)
    assert [block.path for block in found] == ["block0", "block1", "block2"]
    changed, gates = blocks.gated(long, found)
    from resspec.probes.training import carry

    x = np.random.default_rng(0).normal(size=(5, 40)).astype("float32")
    built, small, gate = (one.to_keras(seed=3) for one in (long, short, changed))
    for layer in built.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(np.random.default_rng(1).normal(size=8))
    carry(built, small)
    carry(built, gate)
    assert np.allclose(gate(x), built(x), atol=1e-6)
    for name, value in zip(gates[2], (0.0, 1.0)):
        weight = gate.get_layer(name).weights[0]
        weight.assign(np.full(weight.shape, value))
    assert np.allclose(gate(x), small(x), atol=1e-5)
    assert not np.allclose(gate(x), built(x), atol=1e-3)


def test_blocks_of_other_networks() -> None:
    assert [b.path for b in blocks.blocks(resspec.load(CONV, residual=False))][:3] == [
        "stage1/unit0", "stage1/unit1", "stage1/unit2",
    ]  # fmt: skip
    assert len(blocks.blocks(resspec.load("mobilenet_v2"))) == 10
    assert blocks.blocks(resspec.load("unet@unet_same"))[0].add is None
    sequence = blocks.blocks(resspec.load(CHAPTER / "sequential.yaml"))
    assert all(block.add is None for block in sequence)


def test_training_starts_anew_with_every_seed() -> None:
    at = recipe.trainer(network(1), Recipe(**SMALL))
    first, other, again = at.train(0), at.train(1), at.train(0)
    assert first.losses == pytest.approx(again.losses, rel=1e-3)
    assert first.losses != pytest.approx(other.losses, rel=1e-3)
    assert first.losses[-1] < recipe.guess(at.data, at.task) == pytest.approx(np.log(10), rel=1e-3)


def test_degradation_tells_of_divergence_and_prints_nothing(tmp_path: Path) -> None:
    out = tmp_path / "figure.svg"
    arguments = [
        f"{MLP}@residual",
        "--depths",
        "2,30",
        "--epochs",
        "1",
        "--no-jit",
        "--no-twin",
        "--json",
        "-o",
        str(out),
    ]
    done = CliRunner().invoke(main, ["probe", "degradation", *arguments])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    shallow, deep = (
        {c["name"]: v for c, v in zip(found["tables"][0]["columns"], row)} for row in found["tables"][0]["rows"]
    )
    assert shallow["diverged"] == 0
    assert deep["diverged"] == 1
    assert deep["error"] == 1
    assert found["verdicts"][0]["ok"] is False
    assert "diverges at depth 30" in found["verdicts"][0]["text"]
    assert out.read_text().startswith("<?xml")


def test_a_relu_before_the_sum_takes_nothing_away(tmp_path: Path) -> None:
    found = resspec.probe(
        "order", ORDERS, params={"units": 2, "width": 20}, orders=("relu_before_add", "full_preact"), **SMALL
    )
    before, full = found.table("orders").records()
    assert before["least_step"] == 0
    assert full["least_step"] < -0.1
    assert not found.verdicts[0].ok
    assert found.verdicts[0].place is not None
    assert found.save(tmp_path / "one.png").stat().st_size > 5000


def test_networks_of_equal_size() -> None:
    settings = width.Options()
    for depth, wide in ((4, 200), (16, 101), (64, 50)):
        found = width.fitting(Subject(f"{MLP}@residual_batch"), settings, depth, 172_000)
        assert abs(found - wide) <= 1
    with pytest.raises(SpecError, match="no width"):
        width.fitting(Subject(f"{MLP}@residual_batch"), settings, 4, 10**12)


def test_width_and_depth_tell_time_and_loss(tmp_path: Path) -> None:
    found = resspec.probe("width", f"{MLP}@residual_batch", params={"width": 20}, depths=(1, 3), **SMALL)
    first, second = found.table("sizes").records()
    assert first["parameters"] == pytest.approx(second["parameters"], rel=0.1)
    assert first["seconds"] > 0
    found.save(tmp_path / "width.svg")
    found = resspec.probe("depth", f"{MLP}@residual_batch", params={"width": 20}, depths=(3,), **SMALL)
    assert len(found.table("losses").rows) == 2 * 8
    found.save(tmp_path / "depth.svg")


def test_lesions(tmp_path: Path) -> None:
    found = resspec.probe(
        "lesion", f"{MLP}@residual_batch", params={"depth": 4, "width": 20}, counts=(2,), draws=3, sample=300, **SMALL
    )
    rows = {(row["network"], row["what"], row["blocks"]): row["error"] for row in found.table("lesions").records()}
    assert len(rows) == 2 * 5
    assert len(found.table("blocks").rows) == 8
    assert all(0 <= error <= 1 for error in rows.values())
    found.save(tmp_path / "lesion.svg")


def test_landscapes(tmp_path: Path) -> None:
    found = resspec.probe(
        "landscape", f"{MLP}@residual_batch", params={"depth": 2, "width": 20}, points=5, sample=200, **SMALL
    )
    assert len(found.table("losses").rows) == 2 * 25
    assert all(row["highest"] >= row["loss"] for row in found.table("surfaces").records())
    found.save(tmp_path / "landscape.svg")


def test_directions_have_the_norms_of_the_filters() -> None:
    from resspec.probes.plane import Plane, filters, scaled

    value = np.random.default_rng(0).normal(size=(3, 3, 4, 5)).astype("float32")
    found = scaled(np.random.default_rng(1), value, (0, 1, 2))
    assert np.linalg.norm(found.reshape(-1, 5), axis=0) == pytest.approx(np.linalg.norm(value.reshape(-1, 5), axis=0))
    assert filters(keras.layers.Conv2DTranspose(4, 3), 4) == (0, 1, 3)
    assert filters(keras.layers.DepthwiseConv2D(3), 4) == (0, 1)
    at = recipe.trainer(network(1), Recipe(**SMALL))
    before = at.model.get_weights()
    plane = Plane(at, 0, 50)
    middle = plane.loss(0, 0)
    assert plane.loss(0.5, 0.5) != pytest.approx(middle, rel=1e-3)
    plane.back()
    assert all(np.array_equal(a, b) for a, b in zip(before, at.model.get_weights()))


def test_curvature_of_known_surfaces() -> None:
    x, y = np.meshgrid(np.linspace(-1, 1, 9), np.linspace(-1, 1, 9), indexing="ij")
    bowl = landscape.curvatures(x**2 + 3 * y**2, 0.25)
    assert bowl == pytest.approx(np.broadcast_to([2, 6], bowl.shape))
    assert landscape.convex(bowl).all()
    assert not landscape.convex(landscape.curvatures(x * y, 0.25)).any()


def test_the_chapter_is_made_of_its_template() -> None:
    """Text and commands are the template's; every figure is there; numbers stand where fields were."""
    root = CHAPTER.parent.parent
    page, template = (
        " ".join(path.read_text().split())
        for path in (root / "docs" / "residual-networks.md", root / "tools" / "chapter.md")
    )
    parts = re.split(r"\{\{.*?\}\}", template)
    assert re.fullmatch(".+?".join(map(re.escape, parts)), page), "run `make chapter`"
    drawn = set(re.findall(r"-o docs/residual-networks/(\S+)", page))
    assert drawn == {path.name for path in (root / "docs" / "residual-networks").iterdir()}
    assert "nan" not in page
