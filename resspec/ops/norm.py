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

    def axes(self, x: TensorSpec) -> tuple[int, ...]:
        return normalized_axes(self, self.axis, x)

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        return self.affine(*sizes(inputs[0], self.axes(inputs[0])))

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return {**super().canonical(*inputs), "axis": list(self.axes(inputs[0]))}


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

    def axes(self, x: TensorSpec) -> tuple[int, ...]:
        """Indices of the axes; only the last ones, since Keras multiplies by `scale` as it stands."""
        found = normalized_axes(self, self.axis, x)
        if found[-1] - found[0] != len(found) - 1 or found[-1] != len(x.shape) - 1:
            raise OpError(
                f"`rms_norm` works over the last axes, got `axis` {self.axis} on {x}",
                code="bad-argument",
                argument="axis",
                help="insert `permute` before and after it, or use `layer_norm`",
            )
        return found

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        return (Weight("scale", sizes(inputs[0], self.axes(inputs[0]))),)

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return {**super().canonical(*inputs), "axis": list(self.axes(inputs[0]))}


def normalized_axes(op: Op, axis: int | tuple[int, ...], x: TensorSpec) -> tuple[int, ...]:
    """Indices into the shape of one example, in rising order."""
    found = axis_indices(op, len(x.shape), axis)
    if not found:
        raise OpError("`axis` names no axis", code="bad-argument", argument="axis")
    return found


def sizes(x: TensorSpec, axes: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes of the normalized axes, which the weights have too."""
    return tuple(known(x.shape[i], "the size of a normalized axis") for i in axes)


NORM_OPS: tuple[type[Op], ...] = (BatchNorm, LayerNorm, GroupNorm, InstanceNorm, RmsNorm)
