"""A trained network whose blocks can be taken out and swapped without building it again. Imports Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from resspec.probes.blocks import Block, alike, gated
from resspec.probes.training import Trainer, carry, outputs

Array = np.ndarray[Any, Any]


class Patient:
    """The network with a gate at each of its blocks, and the examples on which its error is measured."""

    def __init__(self, trainer: Trainer, blocks: Sequence[Block], sample: int) -> None:
        self.network, self.blocks, self.task = trainer.network, list(blocks), trainer.task
        changed, gates = gated(trainer.network, blocks)
        self.model: keras.Model = changed.to_keras(initialize=False)
        self.model.compile(jit_compile="auto" if trainer.recipe.jit else False)
        self.x, self.y = trainer.data.x[:sample], trainer.data.y[:sample]
        self._gates = [[self.model.get_layer(name).weights[0] for name in names] for names in gates]
        names = trainer.network.layer_names
        self._layers = [[names[i] for i in block.inside if trainer.network.weights[i]] for block in blocks]

    def admit(self, trainer: Trainer) -> None:
        """Take over the weights of the trained network, all blocks in place."""
        carry(trainer.model, self.model)
        for k in range(len(self.blocks)):
            self._set(k, True)

    def error(self) -> float:
        return self.task.error(outputs(self.model, self.x), self.y)

    def without(self, some: Sequence[int]) -> float:
        """The error without some of the blocks."""
        for k in some:
            self._set(k, False)
        found = self.error()
        for k in some:
            self._set(k, True)
        return found

    def swapped(self, pairs: Sequence[tuple[int, int]]) -> float:
        """The error with blocks in each other's places, one pair after the other."""
        for a, b in pairs:
            self._swap(a, b)
        found = self.error()
        for a, b in reversed(pairs):
            self._swap(a, b)
        return found

    def pairs(self, count: int, random: np.random.Generator) -> list[tuple[int, int]] | None:
        """`count` random pairs of blocks that can take each other's place; None if no two can."""
        possible = [
            (a, b)
            for a in range(len(self.blocks))
            for b in range(a + 1, len(self.blocks))
            if self._kinds[a] == self._kinds[b]
        ]
        if not possible:
            return None
        return [possible[int(k)] for k in random.integers(0, len(possible), count)]

    @property
    def _kinds(self) -> list[int]:
        """For each block the first one that it is like."""
        if not hasattr(self, "_known"):
            self._known: list[int] = []
            for k, block in enumerate(self.blocks):
                same = (j for j in range(k) if self._known[j] == j and alike(self.network, self.blocks[j], block))
                self._known.append(next(same, k))
        return self._known

    def _set(self, k: int, here: bool) -> None:
        block, gates = self.blocks[k], self._gates[k]
        if block.add is not None:
            for gate in gates:
                gate.assign(np.full(gate.shape, float(here), "float32"))
            return
        through, around = gates
        through.assign(np.full(through.shape, float(here), "float32"))
        around.assign(np.full(around.shape, float(not here), "float32"))

    def _swap(self, a: int, b: int) -> None:
        for one, other in zip(self._layers[a], self._layers[b], strict=True):
            first, second = self.model.get_layer(one), self.model.get_layer(other)
            kept = first.get_weights()
            first.set_weights(second.get_weights())
            second.set_weights(kept)
