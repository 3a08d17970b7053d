"""A plane of weights through those of a trained model. Imports Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from resspec.probes.training import Trainer, outputs

Array = np.ndarray[Any, Any]


class Plane:
    """Two random directions from the trained weights, each scaled to them filter by filter (Li et al. 2018)."""

    def __init__(self, trainer: Trainer, seed: int, sample: int) -> None:
        self.model, self.task = trainer.model, trainer.task
        self.x, self.y = trainer.data.x[:sample], trainer.data.y[:sample]
        random = np.random.default_rng([seed, 0x1A2D])
        self._moved: list[tuple[Any, Array, Array, Array]] = []
        for layer in self.model.layers:
            for variable in layer.trainable_variables:
                if len(variable.shape) > 1:
                    value = keras.ops.convert_to_numpy(variable.value)
                    axes = filters(layer, value.ndim)
                    self._moved.append((variable, value, scaled(random, value, axes), scaled(random, value, axes)))

    def loss(self, x: float, y: float) -> float:
        """The mean loss at a point of the plane, in inference mode."""
        for variable, value, first, second in self._moved:
            variable.assign(value + np.float32(x) * first + np.float32(y) * second)
        return self.task.loss(outputs(self.model, self.x), self.y)

    def back(self) -> None:
        """Give the model its trained weights again."""
        for variable, value, _, _ in self._moved:
            variable.assign(value)


def filters(layer: Any, rank: int) -> tuple[int, ...]:
    """The axes of a kernel that belong to one filter: all but that of the outputs."""
    kind = type(layer).__name__
    if kind.startswith("Depthwise"):
        return tuple(range(rank - 2))
    if kind.endswith("Transpose"):
        return (*range(rank - 2), rank - 1)
    return tuple(range(rank - 1))


def scaled(random: np.random.Generator, value: Array, axes: tuple[int, ...]) -> Array:
    """Random numbers with the norm of `value` in every filter."""
    found: Any = random.standard_normal(value.shape)
    norms = np.sqrt((value.astype(float) ** 2).sum(axes, keepdims=True)) / np.sqrt((found**2).sum(axes, keepdims=True))
    return np.asarray((found * norms).astype(np.float32))
