"""Convolutions: `(..., c) -> (...', filters)` over one, two or three spatial axes."""

from __future__ import annotations

from math import gcd
from typing import Any, ClassVar

from pydantic import Field

from resspec.ops.base import Op, OpError, Reach, Weight, floating, known, per_axis, spatial_rank, with_bias
from resspec.ops.slots import (
    CausalPadding,
    Constraint,
    Count,
    FieldActivation,
    Initializer,
    Padding,
    PerAxis,
    Positive,
    Regularizer,
)
from resspec.ops.windows import Pads, explicit_pads, moved, side_pairs, slide
from resspec.sizes import Size, product
from resspec.tensor import TensorSpec


class Convolution(Op):
    """What the convolutions share: a window that slides over the spatial axes."""

    family = "conv"
    kernel_size: PerAxis
    strides: PerAxis = 1
    padding: CausalPadding = Field(
        default="valid", description="`same`, `valid`, `causal` (one spatial axis only), or zeros to add at every side"
    )
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

    def window(self, x: TensorSpec) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Kernel size, strides and dilation along every axis."""
        floating(self, x)
        rank = spatial_rank(self, x, self.spatial_ranks)
        strides = per_axis(self.strides, rank, "strides")
        dilation = per_axis(self.dilation_rate, rank, "dilation_rate")
        if max(strides) > 1 and max(dilation) > 1:
            raise OpError(
                "`strides` and `dilation_rate` cannot both exceed 1", code="bad-argument", argument="dilation_rate"
            )
        return per_axis(self.kernel_size, rank, "kernel_size"), strides, dilation

    def slide(self, x: TensorSpec) -> tuple[Size, ...]:
        """The spatial sizes that the window leaves."""
        kernel, strides, dilation = self.window(x)
        return slide(x.spatial, kernel, strides, self.pads(len(kernel)), dilation)

    def reach(self, inputs: tuple[TensorSpec, ...]) -> Reach | None:
        kernel, strides, dilation = self.window(inputs[0])
        return Reach(
            tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)), tuple((s, 1) for s in strides)
        )

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        kernel, strides, dilation = self.window(inputs[0])
        found = super().canonical(*inputs)
        found |= {"kernel_size": list(kernel), "strides": list(strides), "dilation_rate": list(dilation)}
        pads = self.pads(len(kernel))
        if pads == "same" and set(strides) == {1} and self.kind != "conv_transpose":
            # `same` in other words: half of what the window overlaps, the larger half after
            spans = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
            pads = tuple((span // 2, span - span // 2) for span in spans) if any(spans) else "valid"
        found["padding"] = pads
        return found


def _told(whole: int) -> str:
    """The divisors of a number, the largest eight of them."""
    return ", ".join(str(n) for n in [n for n in range(1, min(whole, 4096) + 1) if whole % n == 0][-8:])


class Conv(Convolution):
    """Convolution `(..., c) -> (...', filters)`; 1D, 2D or 3D by its input."""

    kind = "conv"
    primary = "filters"
    filters: Positive
    kernel_size: PerAxis = 1
    groups: Positive = Field(default=1, description="parts of the channels that do not see each other")
    kernel_initializer: Initializer = "glorot_uniform"
    kernel_regularizer: Regularizer = None
    kernel_constraint: Constraint = None

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        if self.padding == "causal" and len(x.spatial) > 1:
            raise OpError(
                f"`padding: causal` needs one spatial axis, got {x}",
                code="bad-argument",
                argument="padding",
                help="write the padding as a pair `[before, after]` an axis",
            )
        spatial = self.slide(x)
        channels = known(x.channels, "the number of channels")
        if channels % self.groups or self.filters % self.groups:
            raise OpError(
                f"`groups` must divide the {channels} channels and the {self.filters} filters, got {self.groups}",
                code="bad-argument",
                argument="groups",
                help=f"`groups` may be {_told(gcd(channels, self.filters))}",
            )
        return x.with_shape(*spatial, self.filters)

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        (x,) = inputs
        kernel = per_axis(self.kernel_size, len(x.spatial), "kernel_size")
        shape = (*kernel, known(x.channels, "the number of channels") // self.groups, self.filters)
        return with_bias(self.use_bias, Weight("kernel", shape), self.filters)

    def macs(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        return product(self.weights(*inputs)[0].size, *outputs[0].spatial)


class ConvTranspose(Convolution):
    """Transposed convolution `(..., c) -> (...', filters)`, which enlarges by its strides.

    With a span k = dilation_rate*(kernel_size-1)+1: `valid` gives (n-1)*strides + max(k, strides), `same`
    gives n*strides, numbers p give (n-1)*strides + k - 2p + output_padding, as in PyTorch.
    """

    kind = "conv_transpose"
    primary = "filters"
    filters: Positive
    kernel_size: PerAxis = 1
    padding: Padding = Field(default="valid", description="`same`, `valid`, or rows to take off at every side")
    output_padding: Count | tuple[Count, ...] | None = Field(
        default=None, description="rows added after the last one, fewer than the strides"
    )
    kernel_initializer: Initializer = "glorot_uniform"
    kernel_regularizer: Regularizer = None
    kernel_constraint: Constraint = None

    def pads(self, rank: int) -> Pads | str:
        """Numbers as pairs; nothing is not `valid` here, which fills up to the strides."""
        return self.padding if isinstance(self.padding, str) else side_pairs(self.padding, rank)

    def extra(self, rank: int) -> tuple[int, ...] | None:
        """`output_padding` along every axis; None leaves it to the padding, where numbers mean 0."""
        if self.output_padding is None:
            return None if isinstance(self.padding, str) else (0,) * rank
        return per_axis(self.output_padding, rank, "output_padding")

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        known(x.channels, "the number of channels")
        kernel, strides, dilation = self.window(x)
        rank = len(kernel)
        pads, extra = self.pads(rank), self.extra(rank)
        if extra is not None and any(more >= s for more, s in zip(extra, strides, strict=True)):
            raise OpError(
                f"`output_padding` must be less than `strides`, got {list(extra)} and {list(strides)}",
                code="bad-argument",
                argument="output_padding",
            )
        spatial = []
        for axis, size in enumerate(x.spatial):
            span, stride = dilation[axis] * (kernel[axis] - 1) + 1, strides[axis]
            if pads == "same" and extra is not None and span % 2 == 0 and extra[axis] == 0:
                raise OpError(
                    f"`padding: same` with an even window of {span} needs an `output_padding` of at least 1",
                    code="bad-argument",
                    argument="output_padding",
                    help=f"leave `output_padding` out: the output then has {stride} times the size of the input",
                )
            if pads == "same":
                shift = 0 if extra is None else span % 2 + extra[axis] - stride
            elif pads == "valid":
                shift = (max(span, stride) if extra is None else span + extra[axis]) - stride
            else:
                assert extra is not None
                shift = span + extra[axis] - stride - sum(pads[axis])  # type: ignore[arg-type]
            out = moved(size, stride, shift)
            if isinstance(out, int) and out < 1:
                raise OpError(
                    f"nothing is left of a size of {size}", code="empty-tensor", operand=0, help="use less `padding`"
                )
            spatial.append(out)
        return x.with_shape(*spatial, self.filters)

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        (x,) = inputs
        kernel = per_axis(self.kernel_size, len(x.spatial), "kernel_size")
        shape = (*kernel, self.filters, known(x.channels, "the number of channels"))
        return with_bias(self.use_bias, Weight("kernel", shape), self.filters)

    def macs(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        return product(self.weights(*inputs)[0].size, *inputs[0].spatial)

    def reach(self, inputs: tuple[TensorSpec, ...]) -> Reach | None:
        kernel, strides, dilation = self.window(inputs[0])
        spans = tuple(-(-(d * (k - 1) + 1) // s) for k, s, d in zip(kernel, strides, dilation, strict=True))
        return Reach(spans, tuple((1, s) for s in strides))

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        found = super().canonical(*inputs)
        rank = len(inputs[0].spatial)
        found["output_padding"] = self.extra(rank)
        return found


class Depthwise(Convolution):
    """What depthwise and separable convolutions share: every channel has its own filters."""

    spatial_ranks = (1, 2)
    kernel_size: PerAxis = 1
    padding: Padding = Field(default="valid", description="`same`, `valid`, or zeros to add at every side")
    depth_multiplier: Positive = Field(default=1, description="filters for every channel")
    depthwise_initializer: Initializer = "glorot_uniform"
    depthwise_regularizer: Regularizer = None
    depthwise_constraint: Constraint = None

    def window(self, x: TensorSpec) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        kernel, strides, dilation = super().window(x)
        if len(set(strides)) > 1:
            raise OpError(
                f"`{self.kind}` needs equal strides along its axes, got {list(strides)}",
                code="bad-argument",
                argument="strides",
                help="TensorFlow has no such kernel; use `conv` with `groups`",
            )
        return kernel, strides, dilation

    def depthwise_kernel(self, x: TensorSpec) -> tuple[int, ...]:
        kernel = per_axis(self.kernel_size, len(x.spatial), "kernel_size")
        return (*kernel, known(x.channels, "the number of channels"), self.depth_multiplier)


class DepthwiseConv(Depthwise):
    """Convolution of every channel by itself: `(..., c) -> (...', c*depth_multiplier)`; 1D or 2D."""

    kind = "depthwise_conv"
    primary = "kernel_size"

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        channels = known(x.channels, "the number of channels")
        return x.with_shape(*self.slide(x), channels * self.depth_multiplier)

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        shape = self.depthwise_kernel(inputs[0])
        return with_bias(self.use_bias, Weight("kernel", shape), shape[-2] * shape[-1])

    def macs(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        return product(self.weights(*inputs)[0].size, *outputs[0].spatial)


class SeparableConv(Depthwise):
    """Depthwise convolution, then one of size 1 over the channels: `(..., c) -> (...', filters)`; 1D or 2D."""

    kind = "separable_conv"
    primary = "filters"
    filters: Positive
    pointwise_initializer: Initializer = "glorot_uniform"
    pointwise_regularizer: Regularizer = None
    pointwise_constraint: Constraint = None

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        known(x.channels, "the number of channels")
        return x.with_shape(*self.slide(x), self.filters)

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        (x,) = inputs
        depthwise = self.depthwise_kernel(x)
        pointwise = (1,) * len(x.spatial) + (depthwise[-2] * depthwise[-1], self.filters)
        return (
            Weight("depthwise_kernel", depthwise),
            *with_bias(self.use_bias, Weight("pointwise_kernel", pointwise), self.filters),
        )

    def macs(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        depthwise, pointwise = self.weights(*inputs)[:2]
        return product(depthwise.size + pointwise.size, *outputs[0].spatial)


CONV_OPS: tuple[type[Op], ...] = (Conv, ConvTranspose, DepthwiseConv, SeparableConv)
