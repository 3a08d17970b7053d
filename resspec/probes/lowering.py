"""How the probes' own ops are computed. Imports Keras."""

from __future__ import annotations

from typing import Any

import keras

from resspec.keras_backend.site import Lowering, Site, Table
from resspec.probes.gates import Gate
from resspec.probes.norms import GhostNorm


class GateLayer(keras.layers.Layer):  # type: ignore[misc]
    """`x` forward, its gradient times one column of the gates backward."""

    def __init__(self, unit: int, **more: Any) -> None:
        super().__init__(**more)
        self.unit = unit

    def call(self, inputs: Any) -> Any:
        x, gates = inputs
        gate = keras.ops.reshape(gates[:, self.unit], (-1, *[1] * (len(x.shape) - 1)))
        return gate * x + (1 - gate) * keras.ops.stop_gradient(x)

    def compute_output_shape(self, shapes: Any) -> Any:
        return shapes[0]


def _gate(site: Site, op: Gate, x: Any, gates: Any) -> Any:
    return site.layer(GateLayer, unit=op.unit)([x, gates])


GATE: Table = {Gate: Lowering(_gate, "any")}


class GhostLayer(keras.layers.Layer):  # type: ignore[misc]
    """Every `size` examples normalized by their own statistics; a smaller batch as a whole."""

    def __init__(self, size: int, epsilon: float, **more: Any) -> None:
        super().__init__(**more)
        self.size, self.epsilon = size, epsilon

    def call(self, x: Any) -> Any:
        shape = tuple(x.shape)
        parts = keras.ops.reshape(x, (max(1, shape[0] // self.size), -1, *shape[1:]))
        axes = tuple(range(1, len(parts.shape) - 1))
        mean, variance = keras.ops.moments(parts, axes=axes, keepdims=True)
        return keras.ops.reshape((parts - mean) / keras.ops.sqrt(variance + self.epsilon), shape)

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


def _ghost(site: Site, op: GhostNorm, x: Any) -> Any:
    return site.layer(GhostLayer, size=op.size, epsilon=op.epsilon)(x)


GHOST: Table = {GhostNorm: Lowering(_ghost, "any")}
