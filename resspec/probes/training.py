"""Training by Keras's `compile` and `fit`, one model for all seeds. Imports Keras."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from resspec.network import Network
from resspec.probes.base import Progress, silent
from resspec.probes.data import Data
from resspec.probes.recipe import Recipe, Task

Array = np.ndarray[Any, Any]

CHUNK = 1000
"""examples that are looked at in one go"""

STRETCH = 50
"""the most steps that Keras takes at once"""


@dataclass(frozen=True)
class Trained:
    """What training one seed gave."""

    losses: tuple[float, ...]
    """mean loss of each stretch of training"""
    stretches: int
    """in an epoch"""
    error: float
    """on the training examples, in inference mode"""
    test_error: float
    loss: float
    """mean of the last epoch"""
    seconds: float
    """an epoch, without compiling"""
    diverged: bool


class Trainer:
    """A network, its data and its compiled model, which can be trained from several seeds."""

    def __init__(self, network: Network, data: Data, task: Task, recipe: Recipe, stretch: int = STRETCH) -> None:
        self.network, self.data, self.task, self.recipe = network, data, task, recipe
        self.model: keras.Model = network.to_keras(seed=recipe.seed)
        self.steps = -(-len(data.x) // recipe.examples)
        if keras.backend.backend() == "torch":  # which takes one step at a time
            stretch = 1
        self.stretch = max(k for k in range(1, stretch + 1) if self.steps % k == 0)
        self.model.compile(
            self._optimizer(),
            {name: self._loss() for name in network.outputs} if len(network.outputs) > 1 else self._loss(),
            jit_compile="auto" if recipe.jit else False,
            steps_per_execution=self.stretch,
        )
        self.model.optimizer.build(self.model.trainable_variables)
        self._start = [keras.ops.convert_to_numpy(one) for one in self.model.optimizer.variables]
        self._seed: int | None = recipe.seed
        """of the initial values that the model has; None once it was trained"""

    def train(self, seed: int, progress: Progress = silent, label: str = "") -> Trained:
        """Train from the initial values of a seed; the model is left as it ends."""
        recipe = self.recipe
        keras.utils.set_random_seed(seed)
        if seed != self._seed:
            self.model.set_weights(self.network.to_keras(seed=seed).get_weights())
            for variable, value in zip(self.model.optimizer.variables, self._start, strict=True):
                variable.assign(value)
        self._seed = None
        watch = _Watch(self, progress, f"{label or self.network.name}, seed {seed}")
        self.model.fit(
            self._batches(seed),
            steps_per_epoch=self.steps,
            epochs=recipe.epochs,
            shuffle=False,
            verbose=0,
            callbacks=[watch],
        )
        loss = watch.epochs[-1] if watch.epochs else float("nan")
        return Trained(
            tuple(watch.losses),
            self.steps // self.stretch,
            self.error(),
            self.error(test=True),
            loss,
            watch.seconds,
            not np.isfinite([*watch.losses, loss]).all(),
        )

    def _batches(self, seed: int) -> Iterator[tuple[Array, Any]]:
        """Batches without end, every epoch in an order of its own.

        The same on every backend: what Keras shuffles on TensorFlow comes in one order in all epochs once a
        seed was set. Whole batches only: a small last one would be compiled by itself, and upset batch norms.
        """
        random, names = np.random.default_rng([seed, 0x0DE2]), list(self.network.outputs)
        while True:
            order = np.resize(random.permutation(len(self.data.x)), self.steps * self.recipe.examples)
            for chosen in order.reshape(self.steps, -1):
                y = self.data.y[chosen]
                yield self.data.x[chosen], dict.fromkeys(names, y) if len(names) > 1 else y

    def error(self, *, test: bool = False) -> float:
        x, y = (self.data.x_test, self.data.y_test) if test else (self.data.x, self.data.y)
        return self.task.error(outputs(self.model, x), y)

    def values(self, paths: list[str], x: Array) -> dict[str, Array]:
        """What the trained network computes at some paths, in inference mode."""
        model = self.network.to_keras(outputs=paths, initialize=False)
        carry(self.model, model)
        found = model(x, training=False)
        named = found if len(paths) > 1 else {paths[0]: found}
        return {path: keras.ops.convert_to_numpy(value) for path, value in named.items()}

    def _optimizer(self) -> keras.optimizers.Optimizer:
        recipe = self.recipe
        rate: Any = recipe.rate
        if recipe.halve:
            rate = keras.optimizers.schedules.ExponentialDecay(rate, recipe.halve * self.steps, 0.5, staircase=True)
        return keras.optimizers.SGD(rate, momentum=recipe.momentum)

    def _loss(self) -> keras.losses.Loss:
        logits = not self.task.probabilities
        if self.task.kind == "classes":
            return keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
        if self.task.kind == "binary":
            return keras.losses.BinaryCrossentropy(from_logits=logits)
        return keras.losses.MeanSquaredError()


class _Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Losses and times while a model is trained."""

    def __init__(self, trainer: Trainer, progress: Progress, label: str) -> None:
        super().__init__()
        self.trainer, self.progress, self.label = trainer, progress, label
        self.losses: list[float] = []
        self.epochs: list[float] = []
        self._times: list[float] = []
        self._seen = (0, 0.0)

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        self.progress(f"training {self.label}", 0, self.trainer.recipe.epochs)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self._start, self._seen = time.perf_counter(), (0, 0.0)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        # what is handed over is the mean since the epoch began
        steps, total = batch + 1, (logs or {}).get("loss", float("nan")) * (batch + 1)
        before, sofar = self._seen
        if steps > before:
            self.losses.append(float((total - sofar) / (steps - before)))
        self._seen = (steps, total)
        if not np.isfinite(total):
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self.epochs.append(float((logs or {}).get("loss", float("nan"))))
        self._times.append(time.perf_counter() - self._start)
        self.progress(f"training {self.label}", epoch + 1, self.trainer.recipe.epochs)

    @property
    def seconds(self) -> float:
        return float(np.median(self._times[1:] or self._times or [float("nan")]))


def outputs(model: keras.Model, x: Array) -> Array:
    """What the model computes in inference mode, the last output if there are several; all chunks of one size."""
    size = min(CHUNK, len(x))
    found = []
    for start in range(0, len(x), size):
        chunk = x[start : start + size]
        got = model.predict_on_batch(np.resize(chunk, (size, *chunk.shape[1:])) if len(chunk) < size else chunk)
        if isinstance(got, dict):
            got = list(got.values())[-1]
        found.append(got[: len(chunk)])
    return np.concatenate(found)


def carry(source: keras.Model, target: keras.Model) -> None:
    """Give the layers of `target` the weights of those of the same name in `source`."""
    known = {layer.name: layer for layer in source.layers}
    for layer in target.layers:
        if layer.weights and layer.name in known:
            layer.set_weights(known[layer.name].get_weights())
