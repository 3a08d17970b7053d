"""One spec, the same weights, several backends: the same outputs, to 1e-4 of the largest one."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from backend_worker import MORE, SMALL

from resspec import shipped

BAR = 1e-4
"""max |a - b| / max |a|, float32"""


@lru_cache
def outputs(backend: str, folder: Path, which: str = "small") -> dict[str, np.ndarray]:
    target = folder / f"{backend}-{which}.npz"
    env = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"}
    worker = Path(__file__).with_name("backend_worker.py")
    done = subprocess.run([sys.executable, str(worker), str(target), which], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(target) as arrays:
        return dict(arrays)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backends")


def agree(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> None:
    assert one.keys() == two.keys()
    for name, array in one.items():
        assert np.isfinite(array).all(), name
        assert np.abs(array).max() > 1e-3, f"{name} is all but zero, the comparison would be empty"
        difference = np.abs(array - two[name]).max() / np.abs(array).max()
        print(f"{name}: {difference:.1e}")
        assert difference <= BAR, f"{name}: {difference:.1e}"


def test_every_shipped_family_is_compared() -> None:
    """NASNet's sizes decide its padding, and it takes minutes to compile: it is held against Keras's own alone."""
    assert {spec.partition("@")[0] for spec, _, _ in (*SMALL, *MORE)} == {*shipped()} - {"nasnet"}


def test_tensorflow_and_jax_agree(folder: Path) -> None:
    agree(outputs("tensorflow", folder), outputs("jax", folder))


@pytest.mark.backends
def test_tensorflow_and_pytorch_agree(folder: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed; `make test-backends` installs it")
    agree(outputs("tensorflow", folder), outputs("torch", folder))


@pytest.mark.backends
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_families_that_take_longer_agree(backend: str, folder: Path) -> None:
    if backend == "torch":
        pytest.importorskip("torch", reason="PyTorch is not installed; `make test-backends` installs it")
    agree(outputs("tensorflow", folder, "more"), outputs(backend, folder, "more"))
