"""The same weights give the same outputs as the networks of other libraries: the smallest and the largest of each family.

`make test-parity` runs all of them, at three sizes, on every backend, with torchvision, timm and others where they are installed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from parity import BAR, SIX, ends, measure, references  # noqa: E402
from references.base import Reference  # noqa: E402

ALL = references()


@pytest.mark.parametrize("reference", ends(ALL), ids=lambda one: f"{one.spec}-{one.naming}")
def test_the_smallest_and_the_largest_of_a_family(reference: Reference) -> None:
    assert measure(reference).difference <= BAR


@pytest.mark.parametrize("form", [".keras", ".weights.h5", ".h5"])
def test_every_form_that_keras_writes(form: str) -> None:
    reference = next(one for one in ALL if one.spec == "mobilenet_v2@mobilenet_v2_035")
    assert measure(reference, reference.sizes[:1], form).difference <= BAR


def measured(backend: str, *options: str, folder: Path) -> list[dict[str, Any]]:
    """What tools/parity.py finds on another backend, at one size each."""
    found = folder / "parity.json"
    subprocess.run(
        [sys.executable, str(ROOT / "tools" / "parity.py"), "--quick", "--json", str(found), *options],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=900,
    )
    results: list[dict[str, Any]] = json.loads(found.read_text())
    return results


def test_six_families_on_jax(tmp_path: Path) -> None:
    results = measured("jax", "--six", folder=tmp_path)
    assert len(results) == len(SIX)
    assert all(one["difference"] <= BAR for one in results)


IN_TORCH = (
    "resnet@resnet18", "mobilenet_v2@mobilenet_v2", "efficientnet@efficientnet_b0", "convnext@convnext_tiny",
    "swin@swin_t", "unet_resnet@unet_resnet18", "hourglass",
)  # fmt: skip


@pytest.mark.skipif(not importlib.util.find_spec("timm"), reason="timm is not installed; make test-parity runs it")
def test_networks_of_pytorch(tmp_path: Path) -> None:
    results = measured("torch", "--naming", "!keras", "--only", ",".join(IN_TORCH), folder=tmp_path)
    assert {one["spec"] for one in results} == set(IN_TORCH)
    assert {"torchvision", "timm", "smp", "pytorch-pose"} <= {one["naming"] for one in results}
    assert all(one["difference"] <= BAR for one in results)


def test_a_difference_would_be_seen() -> None:
    """A reference with another epsilon, of the same names and shapes, does not pass."""
    wrong = next(one for one in ALL if one.spec == "mobilenet_v2@mobilenet_v2_035")
    build = wrong.build

    def sloppy(shape: tuple[int, ...], classes: int) -> object:
        model = build(shape, classes)
        for layer in model.layers:
            if type(layer).__name__ == "BatchNormalization":
                layer.epsilon = 1e-2
        return model

    assert measure(wrong._replace(build=sloppy), wrong.sizes[:1], ".weights.h5").difference > BAR
