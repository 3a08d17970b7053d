"""Merges in Keras. Ranks are equal, and so are sizes unless the op says that axes of size 1 are stretched."""

from __future__ import annotations

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
    axis = batch_axis(site, op.axis % site.inputs[0].rank)
    return site.layer(keras.layers.Concatenate, axis=axis)(list(inputs))


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
