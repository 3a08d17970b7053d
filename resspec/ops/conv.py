"""Convolutions: `(..., c) -> (...', filters)` over one, two or three spatial axes."""

from __future__ import annotations

from typing import Any, ClassVar

from resspec.ops.base import Op, OpError, Reach, Weight, known, per_axis, spatial_rank, with_bias
from resspec.ops.slots import (
    Constraint,
    FieldActivation,
    Initializer,
    Padding,
    PerAxis,
    Positive,
    Regularizer,
)
from resspec.ops.windows import Pads, explicit_pads, slide
from resspec.tensor import Size, TensorSpec, product


class Convolution(Op):
    """What the convolutions share: a window that slides over the spatial axes."""

    family = "conv"
    kernel_size: PerAxis
    strides: PerAxis = 1
    padding: Padding = "valid"
    dilation_rate: PerAxis = 1
    activation: FieldActivation = None
    use_bias: bool = True
    bias_initializer: Initializer = "zeros"
    bias_regularizer: Regularizer = None
    bias_constraint: Constraint = None
    activity_regularizer: Regularizer = None
    spatial_ranks: ClassVar[tuple[int, ...]] = (1, 2, 3)

    def pads(self, rank: int) -> Pads | str:
        """Explicit padding as pairs an axis, or the word `same` or `valid`."""
        return explicit_pads(self.padding, rank)

    def slide(self, x: TensorSpec) -> tuple[Size, ...]:
        """The spatial sizes that the window leaves."""
        rank = spatial_rank(self, x, self.spatial_ranks)
        strides = per_axis(self.strides, rank, "strides")
        dilation = per_axis(self.dilation_rate, rank, "dilation_rate")
        if max(strides) > 1 and max(dilation) > 1:
            raise OpError(
                "`strides` and `dilation_rate` cannot both exceed 1", code="bad-argument", argument="dilation_rate"
            )
        return slide(x.spatial, per_axis(self.kernel_size, rank, "kernel_size"), strides, self.pads(rank), dilation)

    def reach(self, inputs: tuple[TensorSpec, ...]) -> Reach | None:
        rank = len(inputs[0].spatial)
        kernel = per_axis(self.kernel_size, rank, "kernel_size")
        dilation = per_axis(self.dilation_rate, rank, "dilation_rate")
        strides = per_axis(self.strides, rank, "strides")
        return Reach(
            tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)), tuple((s, 1) for s in strides)
        )

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        rank = len(inputs[0].spatial)
        found = super().canonical(*inputs)
        for name in ("kernel_size", "strides", "dilation_rate"):
            value = per_axis(getattr(self, name), rank, name)
            found[name] = list(value)
        found["padding"] = self.pads(rank)
        return found


class Conv(Convolution):
    """Convolution `(..., c) -> (...', filters)`; 1D, 2D or 3D by its input."""

    kind = "conv"
    primary = "filters"
    filters: Positive
    kernel_size: PerAxis = 1
    groups: Positive = 1
    kernel_initializer: Initializer = "glorot_uniform"
    kernel_regularizer: Regularizer = None
    kernel_constraint: Constraint = None

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        spatial = self.slide(x)
        channels = known(x.channels, "the number of channels")
        if channels % self.groups or self.filters % self.groups:
            raise OpError(
                f"`groups` must divide the {channels} channels and the {self.filters} filters, got {self.groups}",
                code="bad-argument",
                argument="groups",
            )
        return x.with_shape(*spatial, self.filters)

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        (x,) = inputs
        kernel = per_axis(self.kernel_size, len(x.spatial), "kernel_size")
        shape = (*kernel, known(x.channels, "the number of channels") // self.groups, self.filters)
        return with_bias(self.use_bias, Weight("kernel", shape), self.filters)

    def macs(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        return product(self.weights(*inputs)[0].size, *outputs[0].spatial)


