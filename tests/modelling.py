"""What tests of building share: small networks, values as arrays, other processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from graphs import Sketch

from resspec.diagnostics import Diagnostic, SpecError
from resspec.graph import Graph
from resspec.keras_backend.build import build
from resspec.ops.activation import Relu
from resspec.ops.conv import Conv
from resspec.ops.dense import Dense
from resspec.ops.norm import BatchNorm
from resspec.ops.pool import GlobalAvgPool
from resspec.weights.loading import open_weights

ROOT = Path(__file__).resolve().parent.parent


def refusal(call: Callable[..., Any], *arguments: Any, **named: Any) -> Diagnostic:
    """The first finding of the SpecError that a call must raise."""
    with pytest.raises(SpecError) as caught:
        call(*arguments, **named)
    return caught.value.diagnostics[0]


def loaded(graph: Graph, path: Path) -> keras.Model:
    """The model of a graph with all its weights from a file, as `Network.to_keras` makes it."""
    with open_weights(graph, path, None) as found:
        return build(graph, values=found.require().values())


def array(tensor: Any) -> np.ndarray:
    """A tensor or variable of any backend."""
    return keras.ops.convert_to_numpy(tensor)


def dense(units: int = 3, **more: Any) -> Dense:
    return Dense(units=units, **more)


def two_heads() -> Graph:
    sketch = Sketch("two heads!")
    x = sketch.input("x", 4)
    body = sketch(dense(5), "body/fc", x)
    return sketch.graph(b=sketch(dense(2), "left", body), a=sketch(dense(3), "right", body))


def small(size: int = 8) -> Graph:
    sketch = Sketch("small")
    x = sketch(Conv(filters=4, kernel_size=3, padding=1), "stem/conv", sketch.input("image", size, size, 3))
    x = sketch(Relu(), "stem/relu", sketch(BatchNorm(), "stem/bn", x))
    return sketch.graph(output=sketch(dense(2), "head", sketch(GlobalAvgPool(), "pool", x)))


def values(model: keras.Model) -> dict[str, np.ndarray]:
    """All weights by path."""
    return {weight.path: array(weight) for weight in model.weights}


def same(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> bool:
    return left.keys() == right.keys() and all(np.array_equal(left[k], right[k]) for k in left)


def run(code: str, **environment: str) -> str:
    """What a Python of its own prints; it must succeed."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
