"""Preprocessing that is part of the network: fixed numbers, no weights, (...) -> (...)."""

from __future__ import annotations

from pydantic import Field

from resspec.ops.base import Op, OpError, known
from resspec.ops.slots import NonNegative, Real
from resspec.tensor import TensorSpec


class Preprocess(Op):
    """What these ops share: one number for all channels, or one a channel; integers become float32."""

    family = "preprocess"

    def checked(self, x: TensorSpec, *names: str) -> TensorSpec:
        for name in names:
            value = getattr(self, name)
            if isinstance(value, tuple):
                channels = known(x.channels, "the number of channels") if x.rank else 0
                if len(value) != channels:
                    raise OpError(f"`{name}` has {len(value)} numbers, {x} has {channels} channels", argument=name)
        return TensorSpec(x.shape, x.dtype if "float" in x.dtype else "float32")


class Rescale(Preprocess):
    """A fixed factor and shift, x * scale + offset: (..., c) -> (..., c)."""

    kind = "rescale"
    primary = "scale"
    scale: Real | tuple[Real, ...] = Field(description="factor, one number or one a channel")
    offset: Real | tuple[Real, ...] = Field(default=0.0, description="added after, one number or one a channel")

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        return self.checked(inputs[0], "scale", "offset")


class Normalization(Preprocess):
    """Fixed mean and variance taken out, (x - mean) / sqrt(variance): (..., c) -> (..., c)."""

    kind = "normalization"
    mean: Real | tuple[Real, ...] = Field(description="one number or one a channel")
    variance: NonNegative | tuple[NonNegative, ...] = Field(description="the deviation squared; one or one a channel")
    invert: bool = Field(default=False, description="the way back: x * sqrt(variance) + mean")

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        if isinstance(self.mean, tuple) != isinstance(self.variance, tuple):
            raise OpError(
                "`mean` and `variance` must both be one number or both one a channel",
                code="bad-argument",
                argument="variance",
            )
        return self.checked(inputs[0], "mean", "variance")


PREPROCESS_OPS: tuple[type[Op], ...] = (Rescale, Normalization)
