"""Initial values of a model's weights, drawn on threads while the rest of the model is put together."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import keras

from resspec.keras_backend.place import Value, adopter, initializer, is_float, level, place, typed, waiting
from resspec.keras_backend.sample import Array, Sampler, constant, draw, sampler

AHEAD = 1 << 28
"""bytes of weights drawn before their variables take them; bounds the peak of memory"""

THREADS = max(1, min(4, os.cpu_count() or 1))


class Filling:
    """Initial values for one model: drawn from the moment a layer is made, placed at the end.

    Random values depend on `seed` and the weight's path: the path of its node, `names[layer]`, and its
    place in the layer. Where a spec wrote a seed into the initializer itself, they depend on that alone;
    `derived` holds the seeds that no spec wrote.
    """

    def __init__(self, seed: int, names: Mapping[str, str], derived: Collection[int] = ()) -> None:
        self.seed, self.names, self.derived = seed, names, derived
        self.adopt = adopter()
        self.values: dict[int, Value | None] = {}
        self.ahead = _Ahead()

    def add(self, layer: Any) -> None:
        """Start to draw the values of a layer that was built."""
        for variable in layer.variables:
            if id(variable) not in self.values and initializer(variable) is not None:
                self.values[id(variable)] = self._value(layer, variable)

    def finish(self, model: keras.Model) -> None:
        """Give all variables of `model` without a value their initial one."""
        for layer in model.layers:
            self.add(layer)
        variables = waiting(model)
        place(variables, [self.values[id(variable)] for variable in variables])

    def close(self) -> None:
        """End the threads."""
        self.ahead.pool.shutdown(cancel_futures=True)

    def _value(self, layer: Any, variable: Any) -> Value | None:
        start, shape = initializer(variable), tuple(variable.shape)
        dtype = keras.backend.standardize_dtype(variable.dtype)
        if not is_float(dtype):
            return None
        number = constant(start)
        if number is not None:
            return level(shape, number, dtype)
        sample = sampler(start, shape)
        if sample is None:
            return None
        return typed(self.ahead.add(sample, self._key(layer, variable, start), shape), dtype, self.adopt)

    def _key(self, layer: Any, variable: Any, start: Any) -> str:
        """What the values of one weight depend on, besides shape and distribution."""
        written = start.get_config().get("seed")
        if isinstance(written, int) and written not in self.derived:
            return f"={written}"
        base, hyphen, suffix = layer.name.partition("-")
        rest = variable.path.removeprefix(f"{layer.path}/")
        return f"{self.seed}:{self.names.get(base, base)}{hyphen}{suffix}/{rest}"


class _Ahead:
    """Draws arrays on threads in the order in which they are taken, at most `AHEAD` bytes in advance."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(THREADS)
        self.jobs: list[tuple[Sampler, str, tuple[int, ...]]] = []
        self.running: dict[int, Future[Array]] = {}
        self.next = 0
        self.bytes = 0

    def add(self, sample: Sampler, key: str, shape: tuple[int, ...]) -> Value:
        index = len(self.jobs)
        self.jobs.append((sample, key, shape))
        self._start(0)
        return lambda: self._take(index)

    def _take(self, index: int) -> Array:
        self._start(index + 1)
        future = self.running.pop(index, None)
        if future is None:  # asked for a second time: drawn again, to the same values
            return draw(*self.jobs[index])
        self.bytes -= 4 * math.prod(self.jobs[index][2])
        return future.result()

    def _start(self, needed: int) -> None:
        """Hand on the jobs before number `needed`, and more as memory allows."""
        while self.next < len(self.jobs) and (self.next < needed or self.bytes < AHEAD):
            job = self.jobs[self.next]
            self.running[self.next] = self.pool.submit(draw, *job)
            self.bytes += 4 * math.prod(job[2])
            self.next += 1
