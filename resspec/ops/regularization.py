"""Noise and penalties that act in training only; at inference the input passes through: (...) -> (...)."""

from __future__ import annotations

from pydantic import Field

from resspec.ops.base import Op, spatial_rank
from resspec.ops.slots import NonNegative, Rate, Seed
from resspec.sizes import Size
from resspec.tensor import TensorSpec


class Regularization(Op):
    """What these ops share: shape and numbers stay as they are at inference."""

    family = "regularization"

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        return inputs[0]

    def flops(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        return 0


class RateOp(Regularization):
    """What the dropouts share."""

    primary = "rate"
    rate: Rate = Field(description="share of what is dropped in training")
    seed: Seed | None = Field(default=None, description="fixes the noise; by default it follows the build's seed")


class Dropout(RateOp):
    """Single elements set to 0, the others scaled up: (...) -> (...)."""

    kind = "dropout"


class SpatialDropout(RateOp):
    """Whole channels set to 0, over one, two or three spatial axes: (..., c) -> (..., c)."""

    kind = "spatial_dropout"

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        spatial_rank(self, inputs[0])
        return inputs[0]


class StochasticDepth(RateOp):
    """Whole examples set to 0, the others scaled up by 1/(1 - rate): (...) -> (...); ends a residual branch."""

    kind = "stochastic_depth"


class GaussianDropout(RateOp):
    """Multiplied by noise of mean 1 and standard deviation sqrt(rate/(1 - rate)): (...) -> (...)."""

    kind = "gaussian_dropout"


class AlphaDropout(RateOp):
    """Dropout that keeps mean and variance, for `selu` networks: (...) -> (...)."""

    kind = "alpha_dropout"


class GaussianNoise(Regularization):
    """Normal noise added: (...) -> (...)."""

    kind = "gaussian_noise"
    primary = "stddev"
    stddev: float = Field(ge=0, le=1, description="standard deviation of the noise")
    seed: Seed | None = None


class ActivityRegularization(Regularization):
    """A penalty on the values that pass through: (...) -> (...)."""

    kind = "activity_regularization"
    l1: NonNegative = 0.0
    l2: NonNegative = 0.0


REGULARIZATION_OPS: tuple[type[Op], ...] = (
    Dropout, SpatialDropout, StochasticDepth, GaussianDropout, AlphaDropout, GaussianNoise, ActivityRegularization,
)  # fmt: skip
