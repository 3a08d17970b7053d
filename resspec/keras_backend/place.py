"""Values for variables that Keras made without any.

Under `keras.StatelessScope(initialize_variables=False)` layers are built with their variables' values
left out. Leaving the next scope makes Keras run the initializer that each variable kept; whoever
exchanges that initializer before decides the value, and nothing is computed or copied twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import keras
import numpy as np

Value = Callable[[], Any]
"""makes the initial value of one variable"""


def initializer(variable: Any) -> Any:
    """The initializer that a variable without a value keeps, else None."""
    return getattr(variable, "_initializer", None) if getattr(variable, "_value", None) is None else None


def waiting(model: keras.Model) -> list[Any]:
    """The variables without a value, each once."""
    found = {id(variable): variable for layer in model.layers for variable in layer.variables}
    return [variable for variable in found.values() if initializer(variable) is not None]


def place(variables: list[Any], values: list[Value | None]) -> None:
    """Make `values` the initial values of `variables`; None leaves it to Keras's initializer.

    The only place that writes Keras's private state, one attribute of variables that wait for a value.
    Where it is not as expected, Keras's own initial values are overwritten instead.
    """
    if not all(callable(initializer(variable)) for variable in variables):
        return place_publicly(variables, values)
    for variable, value in zip(variables, values, strict=True):
        if value is not None:
            variable._initializer = _Prepared(value)
    with keras.StatelessScope():
        pass  # leaving the outermost scope initializes what was deferred


def place_publicly(variables: list[Any], values: list[Value | None]) -> None:
    """`place` through Keras's public interface alone: initialize, then assign. Same values, more work."""
    with keras.StatelessScope():
        pass
    for variable, value in zip(variables, values, strict=True):
        if value is not None:
            variable.assign(value())


def level(shape: tuple[int, ...], number: float, dtype: str) -> Value:
    """The same `number` for all elements."""
    if keras.backend.backend() == "tensorflow" and math.prod(shape) <= _SMALL:
        # its variables copy on the first write, so that equal ones may start as one tensor
        return lambda: _tensor(shape, number, dtype)
    return typed(lambda: np.full(shape, number, np.float32), dtype)


_SMALL = 1 << 14
"""elements of a tensor that is kept for later builds"""


@lru_cache(maxsize=64)
def _tensor(shape: tuple[int, ...], number: float, dtype: str) -> Any:
    return keras.ops.full(shape, number, dtype)


def typed(value: Value, dtype: str, adopt: Callable[[Any], Any] = lambda array: array) -> Value:
    """The float32 array of `value` as a tensor of `dtype`; where that is float32, as `adopt` takes it over."""
    if dtype == "float32":
        return lambda: adopt(value())
    return lambda: keras.ops.cast(keras.ops.convert_to_tensor(value()), dtype)


def adopter() -> Callable[[Any], Any]:
    """How the backend takes over a float32 array that nobody will write to again, without a copy if it can.

    Each way is the backend's public one; a NumPy array always does, at the price of one or two copies.
    """
    try:
        match keras.backend.backend():
            case "tensorflow":
                from tensorflow.experimental.dlpack import from_dlpack

                return lambda array: from_dlpack(array.__dlpack__())
            case "jax":
                from jax import device_put

                return device_put
            case "torch":
                from torch import from_numpy

                return from_numpy
    except ImportError:
        pass
    return lambda array: array


def zeros(model: keras.Model) -> None:
    """Give all variables of `model` without a value zeros: for callers that set them next."""
    variables, values = waiting(model), []
    for variable in variables:
        dtype = keras.backend.standardize_dtype(variable.dtype)
        values.append(level(tuple(variable.shape), 0.0, dtype) if is_float(dtype) else None)
    place(variables, values)


def abandon(layers: Iterable[Any]) -> None:
    """Let go of variables of `layers` that never got a value, after a failed build.

    Keras keeps a list of deferred variables and would initialize them later, for nothing.
    """
    try:
        from keras.src.backend.common import global_state
    except ImportError:
        return
    ours = {id(variable) for layer in layers for variable in layer.variables}
    name = "uninitialized_variables"
    deferred = global_state.get_global_attribute(name) or []
    global_state.set_global_attribute(name, [variable for variable in deferred if id(variable) not in ours])


def is_float(dtype: str) -> bool:
    return dtype.startswith(("float", "bfloat"))


class _Prepared:
    """An initializer whose value is known: `(shape, dtype) -> value`."""

    def __init__(self, value: Value) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return self.value()
