"""Filling the variables of a model that was put together without values.

Creating and filling variables is most of the time that Keras needs for a model. Under
`keras.StatelessScope(initialize_variables=False)` layers are built with their variables' values left
out; here they get them: drawn on threads, placed by Keras's own deferred initialization.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from os import PathLike
from typing import Any

import keras
import numpy as np

from resspec.diagnostics import Diagnostic, SpecError
from resspec.keras_backend.refusal import refused
from resspec.keras_backend.sample import Sampler, constant, draw, sampler

AHEAD = 1 << 26
"""bytes of weights drawn before their variables take them; bounds the peak of memory"""

THREADS = max(1, min(4, os.cpu_count() or 1))

Value = Callable[[], Any]
"""makes the initial value of one variable"""


def initialize(model: keras.Model, seed: int, names: Mapping[str, str], derived: Collection[int] = ()) -> None:
    """Give all variables of `model` without a value their initial one.

    Random values depend on `seed` and the weight's path: the path of its node, `names[layer]`, and its
    place in the layer. Where a spec wrote a seed into the initializer itself, they depend on that alone;
    `derived` holds the seeds that no spec wrote.
    """
    waiting = _waiting(model)
    adopt = _adopter()
    with ThreadPoolExecutor(THREADS) as pool:
        ahead = _Ahead(pool)
        values: list[Value | None] = []
        for variable, layer, rest in waiting:
            start, shape = _initializer(variable), tuple(variable.shape)
            dtype = keras.backend.standardize_dtype(variable.dtype)
            level = constant(start)
            sample = sampler(start, shape) if level is None else None
            if not dtype.startswith(("float", "bfloat")) or (level is None and sample is None):
                values.append(None)
            elif sample is None:
                values.append(_constant(shape, level or 0.0, dtype))
            else:
                key = _key(start, f"{layer}/{rest}", seed, names, derived)
                values.append(_typed(ahead.add(sample, key, shape), dtype, adopt))
        place([variable for variable, _, _ in waiting], values)


def zeros(model: keras.Model) -> None:
    """Give all variables of `model` without a value zeros: for callers that set them next."""
    variables = [variable for variable, _, _ in _waiting(model)]
    dtypes = [keras.backend.standardize_dtype(variable.dtype) for variable in variables]
    floats = [dtype.startswith(("float", "bfloat")) for dtype in dtypes]
    place(
        variables,
        [
            _constant(tuple(variable.shape), 0.0, dtype) if is_float else None
            for variable, dtype, is_float in zip(variables, dtypes, floats, strict=True)
        ],
    )


def load(
    model: keras.Model, path: str | PathLike[str], seed: int, names: Mapping[str, str], derived: Collection[int] = ()
) -> None:
    """Give the variables of `model` the values that a file of Keras holds, without making others first.

    Inside a stateless scope Keras's loader does not touch the variables: it tells the scope what they
    are to become. Raises SpecError `weights-refused` if the file is missing or of another model.
    """
    if not os.path.isfile(path):
        raise SpecError([Diagnostic("weights-refused", f"there is no file `{path}`")])
    variables = [variable for variable, _, _ in _waiting(model)]
    try:
        with keras.StatelessScope(initialize_variables=False) as scope:
            model.load_weights(path)
    except Exception as error:
        abandon(model.layers)
        raise refused(error, f"the weights in `{path}`", code="weights-refused") from error
    found = [scope.get_current_value(variable) for variable in variables]
    place(variables, [None if value is None else (lambda value=value: value) for value in found])


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
    waiting = global_state.get_global_attribute(name) or []
    global_state.set_global_attribute(name, [variable for variable in waiting if id(variable) not in ours])


def place(variables: list[Any], values: list[Value | None]) -> None:
    """Make `values` the initial values of deferred `variables`; None leaves it to Keras's initializer.

    The only place that touches Keras's private state: the initializer that a deferred variable keeps is
    exchanged before Keras runs it. Where that attribute is gone, Keras's own initial values are overwritten.
    """
    if not _replaceable(variables):
        place_publicly(variables, values)
        return
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


def _replaceable(variables: list[Any]) -> bool:
    return all(callable(_initializer(variable)) for variable in variables)


def _initializer(variable: Any) -> Any:
    return getattr(variable, "_initializer", None)


def _waiting(model: keras.Model) -> list[tuple[Any, str, str]]:
    """The variables without a value, each with its layer's name and its path inside the layer."""
    found: dict[int, tuple[Any, str, str]] = {}
    for layer in model.layers:
        for variable in layer.variables:
            if getattr(variable, "_value", None) is None:
                found.setdefault(id(variable), (variable, layer.name, variable.path.removeprefix(f"{layer.path}/")))
    return list(found.values())


class _Prepared:
    """An initializer whose value is known: `(shape, dtype) -> value`."""

    def __init__(self, value: Value) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return self.value()


class _Ahead:
    """Draws arrays on threads in the order in which they are taken, at most `AHEAD` bytes in advance."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.pool = pool
        self.jobs: list[tuple[Sampler, str, tuple[int, ...]]] = []
        self.running: dict[int, Future[Any]] = {}
        self.next = 0
        self.bytes = 0

    def add(self, sample: Sampler, key: str, shape: tuple[int, ...]) -> Value:
        index = len(self.jobs)
        self.jobs.append((sample, key, shape))
        return lambda: self.take(index)

    def take(self, index: int) -> np.ndarray[Any, Any]:
        while self.next < len(self.jobs) and (self.next <= index or self.bytes < AHEAD):
            job = self.jobs[self.next]
            self.running[self.next] = self.pool.submit(draw, *job)
            self.bytes += _bytes(job)
            self.next += 1
        future = self.running.pop(index, None)
        if future is None:  # asked for a second time: drawn again, to the same values
            return draw(*self.jobs[index])
        self.bytes -= _bytes(self.jobs[index])
        return future.result()


def _bytes(job: tuple[Sampler, str, tuple[int, ...]]) -> int:
    size = 4
    for axis in job[2]:
        size *= axis
    return size


def _adopter() -> Callable[[Any], Any]:
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


def _constant(shape: tuple[int, ...], level: float, dtype: str) -> Value:
    return _typed(lambda: np.full(shape, level, np.float32) if level else np.zeros(shape, np.float32), dtype)


def _typed(value: Value, dtype: str, adopt: Callable[[Any], Any] = lambda array: array) -> Value:
    """The float32 array of `value` as a tensor of `dtype`; where that is float32, as `adopt` takes it over."""
    if dtype == "float32":
        return lambda: adopt(value())
    return lambda: keras.ops.cast(keras.ops.convert_to_tensor(value()), dtype)


def _key(initializer: Any, path: str, seed: int, names: Mapping[str, str], derived: Collection[int]) -> str:
    """What the values of one weight depend on, besides shape and distribution."""
    written = initializer.get_config().get("seed")
    if isinstance(written, int) and written not in derived:
        return f"={written}"
    layer, _, rest = path.partition("/")
    base, hyphen, suffix = layer.partition("-")
    return f"{seed}:{names.get(base, base)}{hyphen}{suffix}/{rest}"
