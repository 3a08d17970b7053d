"""Initial values of a model's weights, drawn on threads while Keras makes the variables."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import keras

from resspec.keras_backend.place import Value, adopter, initializer, is_float, level, place, typed
from resspec.keras_backend.sample import Array, Sampler, constant, draw, sampler

Values = Mapping[str, Mapping[str, Callable[[], Array]]]
"""path of a node -> name of a weight -> its value, by a call"""

AHEAD = 1 << 26
"""bytes of weights drawn before their variables take them; bounds the peak of memory"""

THREADS = max(1, min(4, os.cpu_count() or 1))


def initialize(
    model: keras.Model, seed: int, names: Mapping[str, str], derived: Collection[int] = (), given: Values | None = None
) -> None:
    """Give all variables of `model` without a value their initial one: that of `given`, where there is one.

    Random values depend on `seed` and the weight's path: the path of its node, `names[layer]`, and its
    place in the layer. Where a spec wrote a seed into the initializer itself, they depend on that alone;
    `derived` holds the seeds that no spec wrote. What NumPy cannot draw is left to Keras.
    """
    # drawing waits until the layers are there: threads that want the interpreter lock for every
    # stretch they draw would slow down the making of layers by more than they are ahead
    with ThreadPoolExecutor(THREADS) as pool:
        ahead, adopt = _Ahead(pool), adopter()
        values: dict[int, tuple[Any, Value | None]] = {}
        for layer in model.layers:
            base, hyphen, suffix = layer.name.partition("-")
            path = f"{seed}:{names.get(base, base)}{hyphen}{suffix}"
            known = (given or {}).get(names.get(layer.name, ""), {})
            for variable in layer.variables:
                start = initializer(variable)
                if start is not None and id(variable) not in values:
                    ready = known.get(variable.path.removeprefix(f"{layer.path}/"))
                    value = (
                        _given(ready, variable)
                        if ready
                        else _value(layer, variable, start, path, derived, ahead, adopt)
                    )
                    values[id(variable)] = (variable, value)
        place([variable for variable, _ in values.values()], [value for _, value in values.values()])


def _given(value: Callable[[], Array], variable: Any) -> Value:
    dtype = keras.backend.standardize_dtype(variable.dtype)
    return lambda: keras.ops.cast(keras.ops.convert_to_tensor(value()), dtype)


def _value(
    layer: Any, variable: Any, start: Any, path: str, derived: Collection[int], ahead: _Ahead, adopt: Any
) -> Value | None:
    shape, dtype = tuple(variable.shape), keras.backend.standardize_dtype(variable.dtype)
    if not is_float(dtype):
        return None
    number = constant(start)
    if number is not None:
        return level(shape, number, dtype)
    sample = sampler(start, shape)
    if sample is None:
        return None
    written = start.get_config().get("seed")
    if isinstance(written, int) and written not in derived:
        key = f"={written}"
    else:
        key = f"{path}/{variable.path.removeprefix(f'{layer.path}/')}"
    return typed(ahead.add(sample, key, shape), dtype, adopt)


class _Ahead:
    """Draws arrays on threads in the order in which they are taken, at most `AHEAD` bytes in advance."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.pool = pool
        self.jobs: list[tuple[Sampler, str, tuple[int, ...]]] = []
        self.running: dict[int, Future[Array]] = {}
        self.next = 0
        self.bytes = 0

    def add(self, sample: Sampler, key: str, shape: tuple[int, ...]) -> Value:
        index = len(self.jobs)
        self.jobs.append((sample, key, shape))
        return lambda: self._take(index)

    def _take(self, index: int) -> Array:
        while self.next < len(self.jobs) and (self.next <= index or self.bytes < AHEAD):
            job = self.jobs[self.next]
            self.running[self.next] = self.pool.submit(draw, *job)
            self.bytes += 4 * math.prod(job[2])
            self.next += 1
        future = self.running.pop(index, None)
        if future is None:  # asked for a second time: drawn again, to the same values
            return draw(*self.jobs[index])
        self.bytes -= 4 * math.prod(self.jobs[index][2])
        return future.result()
