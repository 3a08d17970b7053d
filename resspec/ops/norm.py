"""Normalizations: the shape stays, the numbers get a common mean and spread."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from resspec.ops.axes import axis_indices
from resspec.ops.base import Op, OpError, Weight, floating, known
from resspec.ops.slots import Constraint, Initializer, NonNegative, Positive, Rate, Regularizer, Whole
from resspec.tensor import TensorSpec


class Normalization(Op):
    """What the normalizations share: a learned factor `gamma` and shift `beta`."""

    family = "norm"
    epsilon: NonNegative = Field(default=1e-3, description="added to the variance")
    center: bool = Field(default=True, description="whether a learned `beta` is added")
    scale: bool = Field(default=True, description="whether a learned `gamma` multiplies")
    beta_initializer: Initializer = "zeros"
    gamma_initializer: Initializer = "ones"
    beta_regularizer: Regularizer = None
    gamma_regularizer: Regularizer = None
    beta_constraint: Constraint = None
    gamma_constraint: Constraint = None

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        floating(self, x)
        if not x.shape:
            raise OpError(f"`{self.kind}` needs an axis to normalize, got {x}", code="rank-mismatch", operand=0)
        self.weights(x)
        return x

    def affine(self, *shape: int) -> tuple[Weight, ...]:
        """`gamma` and `beta`, as far as they are wanted."""
        return (Weight("gamma", shape),) * self.scale + (Weight("beta", shape),) * self.center

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        return self.affine(known(inputs[0].channels, "the number of channels"))


class BatchNorm(Normalization):
    """Normalization of every channel over the batch: `(..., c) -> (..., c)`."""

    kind = "batch_norm"
    momentum: Rate = Field(default=0.99, description="share of the old moving mean and variance at every step")
    moving_mean_initializer: Initializer = "zeros"
    moving_variance_initializer: Initializer = "ones"
    synchronized: bool = Field(default=False, description="over all devices; TensorFlow only")

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        channels = known(inputs[0].channels, "the number of channels")
        return (
            *self.affine(channels),
            Weight("moving_mean", (channels,), trainable=False),
            Weight("moving_variance", (channels,), trainable=False),
        )


class LayerNorm(Normalization):
    """Normalization of every example over one or several axes: `(..., c) -> (..., c)`."""

    kind = "layer_norm"
    primary = "axis"
    axis: Whole | tuple[Whole, ...] = Field(default=-1, description="axes counted without the batch")

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        return self.affine(*_sizes(self, inputs[0]))

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return {**super().canonical(*inputs), "axis": list(normalized_axes(self, inputs[0]))}


class GroupNorm(Normalization):
    """Normalization over the positions and a group of channels: `(..., c) -> (..., c)`."""

    kind = "group_norm"
    primary = "groups"
    groups: Positive = Field(default=32, description="must divide the channels")

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        super().infer(x)
        channels = known(x.channels, "the number of channels")
        if channels % self.groups:
            raise OpError(
                f"`groups` must divide the {channels} channels, got {self.groups}",
                code="bad-argument",
                argument="groups",
            )
        return x


class InstanceNorm(Normalization):
    """Normalization of every channel of every example over its positions: `(..., c) -> (..., c)`."""

    kind = "instance_norm"

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        if not x.spatial:
            raise OpError(
                f"`instance_norm` needs positions to normalize over, got {x}",
                code="rank-mismatch",
                operand=0,
                help="use `layer_norm` or `batch_norm`",
            )
        return super().infer(x)


class RmsNorm(Op):
    """Division by the root mean square, times a learned `scale`: `(..., c) -> (..., c)`."""

    kind = "rms_norm"
    family = "norm"
    primary = "axis"
    axis: Whole | tuple[Whole, ...] = Field(default=-1, description="axes counted without the batch")
    epsilon: NonNegative = Field(default=1e-6, description="added to the mean square")

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        floating(self, x)
        self.weights(x)
        return x

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        return (Weight("scale", _sizes(self, inputs[0])),)

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return {**super().canonical(*inputs), "axis": list(normalized_axes(self, inputs[0]))}


def normalized_axes(op: LayerNorm | RmsNorm, x: TensorSpec) -> tuple[int, ...]:
    """Indices into the shape of one example, in rising order."""
    found = axis_indices(op, len(x.shape), op.axis)
    if not found:
        raise OpError("`axis` names no axis", code="bad-argument", argument="axis")
    return found


def _sizes(op: LayerNorm | RmsNorm, x: TensorSpec) -> tuple[int, ...]:
    """The sizes of the normalized axes, which the weights have too."""
    return tuple(known(x.shape[i], "the size of a normalized axis") for i in normalized_axes(op, x))


NORM_OPS: tuple[type[Op], ...] = (BatchNorm, LayerNorm, GroupNorm, InstanceNorm, RmsNorm)
