"""Merges in Keras. Ranks are equal, and so are sizes unless the op says that axes of size 1 are stretched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from resspec.keras_backend.site import Lowering, Site, Table
from resspec.ops import merge


def batch_axis(site: Site, axis: int) -> int:
    """Axis `axis` of one example (counted from the front) in the batched tensor under the data format."""
    rank = len(site.inputs[0].shape)
    if site.channel_axis == -1:
        return axis + 1
    return 1 if axis == rank - 1 else axis + 2


def elementwise(name: str) -> Lowering:
    def rule(site: Site, op: merge.Merge, *inputs: Any) -> Any:
        if len(inputs) == 1:
            return site.layer(keras.layers.Identity)(inputs[0])
        return site.layer(getattr(keras.layers, name))(list(inputs))

    return Lowering(rule, "any")


def concat(site: Site, op: merge.Concat, *inputs: Any) -> Any:
    if len(inputs) == 1:
        return site.layer(keras.layers.Identity)(inputs[0])
    axis = op.axis % site.inputs[0].rank
    if op.broadcast:
        inputs = tuple(stretched(site, axis, inputs, k) for k in range(len(inputs)))
    return site.layer(keras.layers.Concatenate, axis=batch_axis(site, axis))(list(inputs))


def stretched(site: Site, free: int, inputs: Sequence[Any], k: int) -> Any:
    """Input `k` with its axes of size 1 as long as those of the others: zeros of their sizes are added, which may be
    unknown until the network runs."""
    found, known = inputs[k], list(site.inputs[k].shape)
    for other, spec in enumerate(site.inputs):
        longer = [axis for axis, size in enumerate(spec.shape) if axis != free and known[axis] == 1 != size]
        if longer:
            thin = site.operation(
                keras.ops.take, inputs[other], [0], axis=batch_axis(site, free), suffix=f"{k}-{other}"
            )
            zeros = site.operation(keras.ops.zeros_like, thin, suffix=f"{k}-{other}-zeros")
            found = site.operation(keras.ops.add, found, zeros, suffix=f"{k}-{other}-sum")
            for axis in longer:
                known[axis] = spec.shape[axis]
    return found


def dot(site: Site, op: merge.Dot, left: Any, right: Any) -> Any:
    a, b = op.summed(*site.inputs)
    return site.layer(keras.layers.Dot, axes=(a + 1, b + 1), normalize=op.normalize)([left, right])


def matmul(site: Site, op: merge.Matmul, left: Any, right: Any) -> Any:
    if op.transpose_a:
        left = site.operation(keras.ops.swapaxes, left, -1, -2, suffix="a")
    if op.transpose_b:
        right = site.operation(keras.ops.swapaxes, right, -1, -2, suffix="b")
    return site.operation(keras.ops.matmul, left, right)


MERGE: Table = {
    merge.Add: elementwise("Add"),
    merge.Multiply: elementwise("Multiply"),
    merge.Average: elementwise("Average"),
    merge.Maximum: elementwise("Maximum"),
    merge.Minimum: elementwise("Minimum"),
    merge.Subtract: elementwise("Subtract"),
    merge.Concat: Lowering(concat, "spatial"),
    merge.Dot: Lowering(dot, "last"),
    merge.Matmul: Lowering(matmul, "last"),
}
