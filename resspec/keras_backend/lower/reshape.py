"""Reshapes, slices and sums in Keras. Axis 0 of a batched tensor is the batch, so axes move up by one."""

from __future__ import annotations

import operator
from typing import Any

import keras

from resspec.keras_backend.site import Lowering, Site, Table
from resspec.ops import reshape
from resspec.ops.axes import axis_indices


def identity(site: Site, op: reshape.Identity, x: Any) -> Any:
    return site.layer(keras.layers.Identity)(x)


def flatten(site: Site, op: reshape.Flatten, x: Any) -> Any:
    return site.layer(keras.layers.Flatten, data_format="channels_last")(x)


def reshaped(site: Site, op: reshape.Reshape, x: Any) -> Any:
    return site.layer(keras.layers.Reshape, target_shape=op.target_shape)(x)


def permute(site: Site, op: reshape.Permute, x: Any) -> Any:
    return site.layer(keras.layers.Permute, dims=op.dims)(x)


def squeeze(site: Site, op: reshape.Squeeze, x: Any) -> Any:
    removed = op.removed(site.inputs[0])
    if not removed:
        return site.layer(keras.layers.Identity)(x)
    if all(x.shape[axis + 1] is not None for axis in removed):
        return site.operation(keras.ops.squeeze, x, axis=tuple(axis + 1 for axis in removed))
    for k, axis in enumerate(sorted(removed, reverse=True)):  # of size 1, which Keras does not know: a slice of unknown
        x = site.operation(keras.ops.take, x, 0, axis=axis + 1, suffix=f"{k}" if k < len(removed) - 1 else "")
    return x


def expand_dims(site: Site, op: reshape.ExpandDims, x: Any) -> Any:
    return site.operation(keras.ops.expand_dims, x, axis=op.axis % (site.inputs[0].rank + 1) + 1)


def repeat_vector(site: Site, op: reshape.RepeatVector, x: Any) -> Any:
    return site.layer(keras.layers.RepeatVector, n=op.n)(x)


def split(site: Site, op: reshape.Split, x: Any) -> Any:
    axis = op.axis % site.inputs[0].rank + 1
    if isinstance(op.sections, int):
        return tuple(site.operation(keras.ops.split, x, op.sections, axis=axis))
    cuts = [sum(op.sections[:k]) for k in range(1, len(op.sections))]
    return tuple(site.operation(keras.ops.split, x, cuts, axis=axis)) if cuts else (identity(site, op, x),)  # type: ignore[arg-type]


def part(site: Site, op: reshape.Slice, x: Any) -> Any:
    axis = op.axis % site.inputs[0].rank + 1
    key = (*[slice(None)] * axis, slice(op.start, op.stop, op.step))
    return site.operation(operator.getitem, x, key)


def gather(site: Site, op: reshape.Gather, x: Any) -> Any:
    axis = op.axis % site.inputs[0].rank
    found = op.positions(site.inputs[0].shape[axis])
    indices = found[0] if isinstance(op.indices, int) else list(found)
    return site.operation(keras.ops.take, x, indices, axis=axis + 1)


def roll(site: Site, op: reshape.Roll, x: Any) -> Any:
    moves = op.moves(site.inputs[0])
    shifts, axes = tuple(shift for _, shift in moves), tuple(axis + 1 for axis, _ in moves)
    return site.operation(keras.ops.roll, x, shifts, axis=axes)


def reverse(site: Site, op: reshape.Reverse, x: Any) -> Any:
    axes = axis_indices(op, site.inputs[0].rank, op.axis)
    return site.operation(keras.ops.flip, x, axis=tuple(axis + 1 for axis in axes))


def reduction(name: str) -> Lowering:
    def rule(site: Site, op: reshape.Reduction, x: Any) -> Any:
        axes = tuple(axis + 1 for axis in axis_indices(op, site.inputs[0].rank, op.axis))
        return site.operation(getattr(keras.ops, name), x, axis=axes, keepdims=op.keepdims)

    return Lowering(rule, "last")


RESHAPE: Table = {
    reshape.Identity: Lowering(identity, "any"),
    reshape.Flatten: Lowering(flatten, "last"),
    reshape.Reshape: Lowering(reshaped, "last"),
    reshape.Permute: Lowering(permute, "last"),
    reshape.Squeeze: Lowering(squeeze, "last"),
    reshape.ExpandDims: Lowering(expand_dims, "last"),
    reshape.RepeatVector: Lowering(repeat_vector, "last"),
    reshape.Split: Lowering(split, "last"),
    reshape.Slice: Lowering(part, "last"),
    reshape.Gather: Lowering(gather, "last"),
    reshape.Roll: Lowering(roll, "last"),
    reshape.Reverse: Lowering(reverse, "last"),
    reshape.Mean: reduction("mean"),
    reshape.Sum: reduction("sum"),
}
