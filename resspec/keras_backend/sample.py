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
Scratch = tuple[Array, Array]
Sampler = Callable[[np.random.Generator, Array, Scratch], None]
"""fills a flat stretch of an array in place, with room for intermediate results of the same length"""

_BLOCK = 1 << 16
"""elements drawn at a time: three such arrays stay in the second-level cache"""

_TURN = np.float32(2 * math.pi)
_NUMERATOR = np.array([0.51315601, 3.32800991, 2.07987951, 0.237702197], np.float32)
_DENOMINATOR = np.array([1.0, 2.78616026, 1.24308152, 0.118851283], np.float32)

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
    room = min(values.size, _BLOCK)
    scratch = (np.empty(room, np.float32), np.empty(room, np.float32))
    for start in range(0, values.size, _BLOCK):
        sample(generator, values[start : start + _BLOCK], scratch)
    return values.reshape(shape)


def _aligned(size: int) -> Array:
    """An uninitialized flat array that starts at a multiple of 64 bytes, as backends want it to take it over."""
    buffer = np.empty(size + 16, np.float32)
    offset = -buffer.ctypes.data % 64 // 4
    return buffer[offset : offset + size]


def _uniform(low: float, high: float) -> Sampler:
    scale, shift = np.float32(high - low), np.float32(low)

    def fill(generator: np.random.Generator, values: Array, scratch: Scratch) -> None:
        generator.random(out=values, dtype=np.float32)
        values *= scale
        values += shift

    return fill


def _normal(mean: float, stddev: float) -> Sampler:
    """Box and Muller's pairs: a radius from one half of the uniform draws, an angle from the other."""
    scale, shift = np.float32(stddev), np.float32(mean)

    def fill(generator: np.random.Generator, values: Array, scratch: Scratch) -> None:
        pairs = values if values.size % 2 == 0 else np.empty(values.size + 1, np.float32)
        half = pairs.size // 2
        radius, angle = scratch[0][:half], scratch[1][:half]
        left, right = pairs[:half], pairs[half:]
        generator.random(out=pairs, dtype=np.float32)
        np.subtract(1, left, out=radius)  # from (0, 1]: the logarithm exists
        np.log(radius, out=radius)
        radius *= -2 * scale * scale
        np.sqrt(radius, out=radius)
        np.multiply(right, _TURN, out=angle)
        np.cos(angle, out=left)
        np.sin(angle, out=right)
        left *= radius
        right *= radius
        if shift:
            pairs += shift
        if pairs is not values:
            values[:] = pairs[: values.size]

    return fill


def _truncated(mean: float, stddev: float) -> Sampler:
    """A normal distribution cut off at two standard deviations, by the inverse of its distribution function.

    Of u in [-1, 1) it is u P(s)/Q(s) with s = 1 - u*u, fitted to an absolute error below 4e-6.
    """
    scale, shift = np.float32(stddev), np.float32(mean)

    def fill(generator: np.random.Generator, values: Array, scratch: Scratch) -> None:
        s, polynomial = scratch[0][: values.size], scratch[1][: values.size]
        generator.random(out=values, dtype=np.float32)
        values *= 2
        values -= 1
        np.multiply(values, values, out=s)
        np.subtract(1, s, out=s)
        _horner(_NUMERATOR, s, polynomial)
        values *= polynomial
        _horner(_DENOMINATOR, s, polynomial)
        values /= polynomial
        values *= scale
        if shift:
            values += shift

    return fill


def _horner(coefficients: Array, s: Array, result: Array) -> None:
    """`result` = the polynomial in s, the highest power first."""
    np.multiply(s, coefficients[0], out=result)
    for coefficient in coefficients[1:-1]:
        result += coefficient
        result *= s
    result += coefficients[-1]


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
    return float({"fan_in": fan_in, "fan_out": fan_out}.get(initializer.mode, (fan_in + fan_out) / 2))
