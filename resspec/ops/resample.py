"""Ops that change the number of positions without weights: larger, smaller, cut, padded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field

from resspec.domain import AtLeast, Multiple, Requirement
from resspec.ops.base import Op, OpError, Reach, known, per_axis, spatial_rank
from resspec.ops.slots import Count, PerAxis, Positive, Real, Side
from resspec.ops.windows import Pads, moved, side_pairs
from resspec.sizes import Periodic, Product, Size
from resspec.tensor import TensorSpec


class Upsample(Op):
    """Every position repeated, or blended with its neighbours: `(n..., c) -> (n*size..., c)`."""

    kind = "upsample"
    family = "resample"
    primary = "size"
    size: PerAxis = 2
    interpolation: Literal["nearest", "bilinear", "bicubic"] = Field(
        default="nearest", description="images take all, other inputs `nearest` only"
    )

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        rank = spatial_rank(self, x)
        if self.interpolation != "nearest" and rank != 2:
            raise OpError(
                f"`interpolation: {self.interpolation}` needs an image (height, width, channels), got {x}",
                code="bad-argument",
                argument="interpolation",
            )
        factors = per_axis(self.size, rank, "size")
        return x.with_shape(*(moved(n, f) for n, f in zip(x.spatial, factors, strict=True)), x.channels)

    def reach(self, inputs: tuple[TensorSpec, ...]) -> Reach | None:
        factors = per_axis(self.size, len(inputs[0].spatial), "size")
        span = {"nearest": 1, "bilinear": 2, "bicubic": 4}[self.interpolation]
        return Reach(tuple(span if f > 1 else 1 for f in factors), tuple((1, f) for f in factors))

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        factors = per_axis(self.size, len(inputs[0].spatial), "size")
        return {"size": list(factors), "interpolation": self.interpolation}


class Resize(Op):
    """An image of a given size: `(h, w, c) -> (*size, c)`; pixel centres are half integers, no antialiasing."""

    kind = "resize"
    family = "resample"
    primary = "size"
    size: PerAxis
    interpolation: Literal["nearest", "bilinear", "bicubic"] = "bilinear"

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        return x.with_shape(*per_axis(self.size, spatial_rank(self, x, (2,)), "size"), x.channels)

    def reach(self, inputs: tuple[TensorSpec, ...]) -> Reach | None:
        (x,) = inputs
        span = {"nearest": 1, "bilinear": 2, "bicubic": 4}[self.interpolation]
        sizes = per_axis(self.size, len(x.spatial), "size")
        return Reach(
            (span,) * len(sizes),
            tuple((n, size) if isinstance(n, int) else (1, 1) for n, size in zip(x.spatial, sizes, strict=True)),
        )

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        sizes = per_axis(self.size, len(inputs[0].spatial), "size")
        return {"size": list(sizes), "interpolation": self.interpolation}


class Moving(Op):
    """Ops that only move data and cost nothing."""

    family = "resample"

    def flops(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        return 0


class PixelShuffle(Moving):
    """Channels to positions: `(h, w, c*b*b) -> (h*b, w*b, c)`; channel (i*b + j)*c + k goes to (i, j) of its block."""

    kind = "pixel_shuffle"
    primary = "block_size"
    block_size: Positive = Field(default=2, ge=2)

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        spatial_rank(self, x, (2,))
        channels, block = known(x.channels, "the number of channels"), self.block_size
        if channels % block**2:
            raise OpError(
                f"the channels must be a multiple of {block**2} (`block_size` squared), got {channels}",
                operand=0,
                argument="block_size",
            )
        return x.with_shape(*(moved(n, block) for n in x.spatial), channels // block**2)

    def reach(self, inputs: tuple[TensorSpec, ...]) -> Reach | None:
        return Reach((1, 1), ((1, self.block_size),) * 2)


class SpaceToDepth(Moving):
    """Positions to channels, the reverse of `pixel_shuffle`: `(h*b, w*b, c) -> (h, w, c*b*b)`."""

    kind = "space_to_depth"
    primary = "block_size"
    block_size: Positive = Field(default=2, ge=2)

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        spatial_rank(self, x, (2,))
        channels, block = known(x.channels, "the number of channels"), self.block_size
        for size in x.spatial:
            if isinstance(size, Product):
                raise OpError(f"an axis of size `{size}` cannot be split", code="unknown-size", operand=0)
            if isinstance(size, int) and size % block:
                raise OpError(
                    f"height and width must be multiples of `block_size` {block}, got {x}",
                    operand=0,
                    help="insert `pad` or `crop` before it",
                )
        return x.with_shape(*(n // block for n in x.spatial), channels * block**2)

    def requires(self, *inputs: TensorSpec) -> Iterable[Requirement]:
        for size in inputs[0].spatial:
            if isinstance(size, Periodic):
                yield Multiple(size, self.block_size)

    def reach(self, inputs: tuple[TensorSpec, ...]) -> Reach | None:
        return Reach((self.block_size,) * 2, ((self.block_size, 1),) * 2)


class Crop(Moving):
    """Rows taken off at every side: `(n..., c) -> (n - before - after..., c)`; 1D, 2D or 3D by its input."""

    kind = "crop"
    primary = "cropping"
    cropping: Side

    def pairs(self, x: TensorSpec) -> Pads:
        return side_pairs(self.cropping, spatial_rank(self, x), "cropping")

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        spatial = tuple(moved(n, 1, -sum(pair)) for n, pair in zip(x.spatial, self.pairs(x), strict=True))
        if any(isinstance(n, int) and n < 1 for n in spatial):
            raise OpError(
                f"nothing is left of {x}", code="empty-tensor", operand=0, argument="cropping", help="crop less"
            )
        return x.with_shape(*spatial, x.channels)

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return {"cropping": [list(pair) for pair in self.pairs(inputs[0])]}


class Pad(Moving):
    """Rows added at every side: `(n..., c) -> (n + before + after..., c)`; 1D, 2D or 3D by its input."""

    kind = "pad"
    primary = "padding"
    padding: Side
    mode: Literal["constant", "reflect", "symmetric"] = Field(
        default="constant", description="`reflect` mirrors without the edge row, `symmetric` with it"
    )
    value: Real = Field(default=0.0, description="what `mode: constant` fills with")

    def pairs(self, x: TensorSpec) -> Pads:
        return side_pairs(self.padding, spatial_rank(self, x))

    def least(self, pair: tuple[int, int]) -> int:
        """The smallest size that can be mirrored so far."""
        return 1 if self.mode == "constant" else max(pair) + (self.mode == "reflect")

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        pairs = self.pairs(x)
        for size, pair in zip(x.spatial, pairs, strict=True):
            if isinstance(size, int) and size < self.least(pair):
                raise OpError(
                    f"`mode: {self.mode}` cannot add {max(pair)} to a size of {size}",
                    code="bad-argument",
                    argument="padding",
                )
        return x.with_shape(*(moved(n, 1, sum(pair)) for n, pair in zip(x.spatial, pairs, strict=True)), x.channels)

    def requires(self, *inputs: TensorSpec) -> Iterable[Requirement]:
        (x,) = inputs
        for size, pair in zip(x.spatial, self.pairs(x), strict=True):
            if isinstance(size, Periodic) and self.least(pair) > 1:
                yield AtLeast(size, self.least(pair))

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        found = super().canonical(*inputs)
        if self.mode != "constant":
            found.pop("value", None)
        return {**found, "padding": [list(pair) for pair in self.pairs(inputs[0])]}


class PadChannels(Moving):
    """Zero channels: `(..., c) -> (..., before + c + after)`.

    With a strided identity the shortcut without parameters of He et al. 2015 (option A).
    """

    kind = "pad_channels"
    primary = "after"
    after: Count = 0
    before: Count = 0

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        if not x.shape:
            raise OpError(f"`pad_channels` needs an axis of channels, got {x}", code="rank-mismatch", operand=0)
        return x.with_shape(*x.spatial, x.channels + (self.before + self.after))


RESAMPLE_OPS: tuple[type[Op], ...] = (Upsample, Resize, PixelShuffle, SpaceToDepth, Crop, Pad, PadChannels)
