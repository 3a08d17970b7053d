"""How the probes' own ops are computed. Imports Keras."""

from __future__ import annotations

from typing import Any

import keras

from resspec.keras_backend.site import Lowering, Site, Table
from resspec.probes.gates import Gate


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
