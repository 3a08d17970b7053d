"""The probes that train, held to the figures of the literature and of small experiments: `make test-probes`.

Networks are dense and learn MNIST-1D, so depth never makes them better: what is held is what can be trained.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import resspec
from resspec.probes.base import Result

pytestmark = pytest.mark.probes

CHAPTER = Path(__file__).parent.parent / "specs" / "chapter"
MLP, ORDERS = f"{CHAPTER / 'mlp.yaml'}@", CHAPTER / "orders.yaml"
SEEDS = 3


def errors(result: Result, network: str) -> dict[int, dict[str, Any]]:
    """Depth -> the row of a network."""
    return {row["depth"]: row for row in result.tables[0].records() if row["network"] == network}


def test_degradation() -> None:
    """He et al. 2015: with depth the training error rises without shortcuts, and does not with them."""
    found = resspec.probe("degradation", MLP + "residual_batch", depths=(5, 20, 40), seeds=SEEDS)
    residual, plain = errors(found, "residual_batch"), errors(found, "residual_batch without shortcuts")
    assert residual[20]["error"] <= 0.06
    assert residual[40]["error"] < 0.08
    assert plain[20]["error"] >= 3 * plain[5]["error"]
    assert plain[40]["error"] > 0.7
    found = resspec.probe("degradation", MLP + "plain", depths=(5, 20, 40), seeds=SEEDS)
    plain = errors(found, "plain")
    assert plain[20]["error"] >= 3 * plain[5]["error"]
    # most initial values leave 40 plain maps at chance, 90%; from some a few classes are found, 72 to 80%
    assert plain[40]["error"] > 0.75
    assert plain[40]["most"] > 0.85
    assert found.verdicts[0].ok is False


def test_without_normalization_shortcuts_alone_diverge() -> None:
    found = resspec.probe("degradation", MLP + "residual", depths=(10,), seeds=SEEDS, epochs=1, twin=False)
    assert errors(found, "residual")[10]["diverged"] == SEEDS


def test_order() -> None:
    """He et al. 2016, table 2: with activations first the deep network learns, with them last it does not."""
    deep = resspec.probe("order", ORDERS, params={"units": 54}, orders=("original", "full_preact"), seeds=SEEDS)
    original, full = deep.table("orders").column("error")
    assert full <= original - 0.15
    shallow = resspec.probe("order", ORDERS, orders=("relu_before_add", "full_preact"), seeds=SEEDS)
    before, full = shallow.table("orders").column("least_step")
    assert before >= 0
    assert full < -1


def test_depth_of_a_thousand() -> None:
    """He et al. 2015 and 2016 trained 1,202 and 1,001 layers."""
    found = resspec.probe("depth", MLP + "residual_batch", params={"width": 32}, depths=(1000,))
    residual, plain = found.table("depth").records()
    assert residual["loss"] < 1.6
    assert not plain["loss"] < 2.2
    assert [verdict.ok for verdict in found.verdicts] == [True, None]


def test_depth() -> None:
    found = resspec.probe("depth", MLP + "residual_batch", params={"width": 32}, depths=(200,), seeds=SEEDS)
    residual, plain = found.table("depth").records()
    assert residual["loss"] < 1.6
    assert not plain["loss"] < 2.2


def test_width() -> None:
    """Zagoruyko and Komodakis 2016: at equal parameters the wide network is better, and faster."""
    found = resspec.probe("width", MLP + "residual_batch", params={"width": 200}, depths=(4, 16, 64, 256), seeds=SEEDS)
    rows = found.table("sizes").records()
    assert all(abs(row["parameters"] / 172_000 - 1) < 0.06 for row in rows)
    assert rows[0]["test_error"] < rows[2]["test_error"] < rows[3]["test_error"]
    assert rows[3]["seconds"] > 5 * rows[0]["seconds"]


def test_lesion() -> None:
    """Veit et al. 2016: one of 54 blocks is not missed; any layer of a plain network is."""
    residual = resspec.probe(
        "lesion", MLP + "residual_batch", params={"depth": 54}, seeds=SEEDS, twin=False, sample=4000
    )
    rows = {(row["what"], row["blocks"]): row["error"] for row in residual.table("lesions").records()}
    assert rows["deleted", 1] - rows["whole", 0] < 0.03
    assert rows["deleted", 2] < rows["deleted", 5] < rows["deleted", 10] < rows["deleted", 20]
    assert rows["swapped", 1] - rows["whole", 0] < 0.1
    plain = resspec.probe("lesion", MLP + "plain_batch", params={"depth": 5}, counts=(2,), seeds=SEEDS, sample=4000)
    rows = {(row["what"], row["blocks"]): row["error"] for row in plain.table("lesions").records()}
    assert rows["deleted", 1] - rows["whole", 0] > 0.7
    assert plain.verdicts[0].ok is False


def test_landscape() -> None:
    """Li et al. 2018: the loss of a deep plain network is rough, that of a residual or a shallow one is not."""
    found = resspec.probe("landscape", MLP + "residual_batch", params={"depth": 20}, seeds=SEEDS)
    rows = found.table("surfaces").records()
    residual, plain = ([row for row in rows if ("without" in row["network"]) is twin] for twin in (False, True))
    assert np.mean([row["rough"] for row in plain]) > 0.05
    assert np.mean([row["rough"] for row in residual]) < 0.01
    assert np.mean([row["highest"] for row in plain]) > 10 * np.mean([row["highest"] for row in residual])
    shallow = resspec.probe("landscape", MLP + "plain_batch", params={"depth": 5}, seeds=SEEDS)
    assert np.mean(shallow.table("surfaces").column("rough")) < 0.01


def test_notebook_2() -> None:
    """Both networks of the notebook learn all training examples; the residual one is some points better on others."""
    found = {
        name: resspec.probe("degradation", MLP + name, depths=(2,), epochs=100, seeds=SEEDS, twin=False).tables[0]
        for name in ("nb11_2", "nb11_2_plain")
    }
    residual, plain = (found[name].records()[0] for name in ("nb11_2", "nb11_2_plain"))
    assert residual["error"] < 0.01
    assert plain["error"] < 0.01
    assert residual["test_error"] == pytest.approx(0.306, abs=0.025)
    assert plain["test_error"] == pytest.approx(0.332, abs=0.03)
