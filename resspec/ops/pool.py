"""Pooling: one number for a window of positions, channel by channel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import Field

from resspec.domain import Multiple, Requirement
from resspec.ops.base import Op, OpError, Reach, floating, known, per_axis, spatial_rank
from resspec.ops.slots import Padding, PerAxis
from resspec.ops.windows import Pads, explicit_pads, slide
from resspec.sizes import Periodic
from resspec.tensor import TensorSpec


class Pooling(Op):
    """What the poolings share: a window that slides over the spatial axes."""

    family = "pool"
    primary = "pool_size"
    pool_size: PerAxis = 2
    strides: PerAxis | None = Field(default=None, description="null is the pool size")
    padding: Padding = "valid"

    def window(self, x: TensorSpec) -> tuple[tuple[int, ...], tuple[int, ...], Pads | str]:
        """Size, strides and padding along every axis."""
        rank = spatial_rank(self, x)
        size = per_axis(self.pool_size, rank, "pool_size")
        strides = size if self.strides is None else per_axis(self.strides, rank, "strides")
        return size, strides, explicit_pads(self.padding, rank)

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        floating(self, x)
        size, strides, pads = self.window(x)
        if not isinstance(pads, str) and any(max(pad) >= k for pad, k in zip(pads, size, strict=True)):
            raise OpError(
                f"`padding` must be smaller than `pool_size` {list(size)}, or a window sees nothing else",
                code="bad-argument",
                argument="padding",
            )
        return x.with_shape(*slide(x.spatial, size, strides, pads, (1,) * len(size)), x.channels)

    def requires(self, *inputs: TensorSpec) -> Iterable[Requirement]:
        """Windows side by side without padding cover the whole input."""
        (x,) = inputs
        size, strides, pads = self.window(x)
        if pads == "valid":
            for axis, k, s in zip(x.spatial, size, strides, strict=True):
                if k == s > 1 and isinstance(axis, Periodic):
                    yield Multiple(axis, s)

    def reach(self, inputs: tuple[TensorSpec, ...]) -> Reach | None:
        size, strides, _ = self.window(inputs[0])
        return Reach(size, tuple((s, 1) for s in strides))

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        size, strides, pads = self.window(inputs[0])
        return {"pool_size": list(size), "strides": list(strides), "padding": pads}


class MaxPool(Pooling):
    """The largest number of every window: `(..., c) -> (...', c)`; 1D, 2D or 3D by its input."""

    kind = "max_pool"
    padding: Padding = Field(
        default="valid", description="`same`, `valid`, or rows of minus infinity to add at every side"
    )


class AvgPool(Pooling):
    """The mean of every window: `(..., c) -> (...', c)`; 1D, 2D or 3D by its input.

    `same` leaves the padding out of the mean, numbers add zeros that count in it.
    """

    kind = "avg_pool"
    padding: Padding = Field(default="valid", description="`same`, `valid`, or zeros to add at every side")


class GlobalPooling(Op):
    """What the global poolings share: one number a channel, `(..., c) -> (c)`."""

    family = "pool"
    sees_all = True
    keepdims: bool = Field(default=False, description="whether the spatial axes stay, with size 1")

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        floating(self, x)
        rank = spatial_rank(self, x)
        return x.with_shape(*(1,) * (rank if self.keepdims else 0), x.channels)


class GlobalAvgPool(GlobalPooling):
    """The mean of every channel: `(..., c) -> (c)`."""

    kind = "global_avg_pool"


class GlobalMaxPool(GlobalPooling):
    """The largest number of every channel: `(..., c) -> (c)`."""

    kind = "global_max_pool"


class AdaptivePooling(Op):
    """What the adaptive poolings share: windows that spread evenly, `(..., c) -> (*output_size, c)`."""

    family = "pool"
    primary = "output_size"
    sees_all = True
    output_size: PerAxis

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        floating(self, x)
        sizes = per_axis(self.output_size, spatial_rank(self, x), "output_size")
        if max(sizes) > 1:  # one number a channel is a global pooling, which takes any size
            numbers = [known(size, "the size of an adaptive pooling's input") for size in x.spatial]
            if min(numbers) == 1 and any(n % size for n, size in zip(numbers, sizes, strict=True)):
                raise OpError(
                    f"windows of different sizes need two positions along every axis, got {x}",
                    operand=0,
                    help="use an `output_size` that divides the input, or `upsample`",
                )
        return x.with_shape(*sizes, x.channels)

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return {"output_size": list(per_axis(self.output_size, len(inputs[0].spatial), "output_size"))}


class AdaptiveAvgPool(AdaptivePooling):
    """Means of evenly spread windows: `(..., c) -> (*output_size, c)`."""

    kind = "adaptive_avg_pool"


class AdaptiveMaxPool(AdaptivePooling):
    """Largest numbers of evenly spread windows: `(..., c) -> (*output_size, c)`."""

    kind = "adaptive_max_pool"


POOL_OPS: tuple[type[Op], ...] = (
    MaxPool,
    AvgPool,
    GlobalAvgPool,
    GlobalMaxPool,
    AdaptiveAvgPool,
    AdaptiveMaxPool,
)
