"""The distributions of Keras's initializers, drawn with NumPy: the same numbers on every backend, and faster.

NumPy's float32 generators release the interpreter lock, so weights are drawn on threads while the
main thread makes variables of those that are ready.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Sampler = Callable[[np.random.Generator, Array], None]
"""fills a flat stretch of an array in place"""

_BLOCK = 1 << 16
"""elements drawn at a time; half of them fit the second-level cache of small machines"""

TRUNCATED_STDDEV = 0.87962566103423978
"""standard deviation of a standard normal cut off at 2, by which Keras's `VarianceScaling` divides"""


def constant(initializer: Any) -> float | None:
    """The one value that `initializer` gives every element, or None if it is not of that kind."""
    kind = type(initializer)
    if kind is keras.initializers.Zeros:
        return 0.0
    if kind is keras.initializers.Ones:
        return 1.0
    if kind is keras.initializers.Constant and isinstance(initializer.value, (int, float)):
        return float(initializer.value)
    return None


def sampler(initializer: Any, shape: tuple[int, ...]) -> Sampler | None:
    """How to draw what `initializer` draws for `shape`; None for initializers that only Keras can carry out."""
    kind = type(initializer)
    if kind is keras.initializers.RandomNormal:
        return _normal(initializer.mean, initializer.stddev)
    if kind is keras.initializers.RandomUniform:
        return _uniform(initializer.minval, initializer.maxval)
    if kind is keras.initializers.TruncatedNormal:
        return _truncated(initializer.mean, initializer.stddev)
    if kind.__call__ is not keras.initializers.VarianceScaling.__call__:
        return None
    variance = initializer.scale / max(1.0, _fan(initializer, shape))
    if initializer.distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return _uniform(-limit, limit)
    if initializer.distribution == "untruncated_normal":
        return _normal(0.0, math.sqrt(variance))
    return _truncated(0.0, math.sqrt(variance) / TRUNCATED_STDDEV)


def draw(sample: Sampler, key: str, shape: tuple[int, ...]) -> Array:
    """An array of `shape`, float32, whose values depend on `key`, `shape` and the distribution only."""
    digest = hashlib.sha256(key.encode()).digest()
    generator = np.random.Generator(np.random.SFC64(int.from_bytes(digest[:16], "little")))
    values = _aligned(math.prod(shape))
    for start in range(0, values.size, _BLOCK):
        sample(generator, values[start : start + _BLOCK])
    return values.reshape(shape)


def _aligned(size: int) -> Array:
    """An uninitialized flat array that starts at a multiple of 64 bytes, as backends want it to take it over."""
    buffer = np.empty(size + 16, np.float32)
    offset = -buffer.ctypes.data % 64 // 4
    return buffer[offset : offset + size]


def _uniform(low: float, high: float) -> Sampler:
    scale, shift = np.float32(high - low), np.float32(low)

    def fill(generator: np.random.Generator, values: Array) -> None:
        generator.random(out=values, dtype=np.float32)
        values *= scale
        values += shift

    return fill


def _normal(mean: float, stddev: float) -> Sampler:
    scale, shift = np.float32(stddev), np.float32(mean)

    def fill(generator: np.random.Generator, values: Array) -> None:
        generator.standard_normal(out=values, dtype=np.float32)
        values *= scale
        if shift:
            values += shift

    return fill


def _truncated(mean: float, stddev: float) -> Sampler:
    """A normal distribution whose draws beyond two standard deviations are drawn again."""
    scale, shift = np.float32(stddev), np.float32(mean)

    def fill(generator: np.random.Generator, values: Array) -> None:
        generator.standard_normal(out=values, dtype=np.float32)
        outside = np.flatnonzero(np.abs(values) > 2)
        while outside.size:
            again = generator.standard_normal(outside.size, dtype=np.float32)
            values[outside] = again
            outside = outside[np.abs(again) > 2]
        values *= scale
        if shift:
            values += shift

    return fill


def _fan(initializer: Any, shape: tuple[int, ...]) -> float:
    """What Keras's `VarianceScaling` divides by: input units, output units, or their mean."""
    inputs, outputs = getattr(initializer, "input_axes", None), getattr(initializer, "output_axes", None)
    if inputs is not None and outputs is not None:
        fan_in, fan_out = (math.prod(shape[axis] for axis in axes) for axes in (inputs, outputs))
    elif len(shape) < 2:
        fan_in = fan_out = shape[0] if shape else 1
    else:
        window = math.prod(shape[:-2])
        fan_in, fan_out = shape[-2] * window, shape[-1] * window
    return {"fan_in": fan_in, "fan_out": fan_out}.get(initializer.mode, (fan_in + fan_out) / 2)
