"""Learned and fixed tensors that meet the data without a product of matrices."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

from pydantic import Field

from resspec import limits
from resspec.domain import AtMost, Requirement
from resspec.ops.base import Op, OpError, Weight, known
from resspec.ops.slots import Constraint, Initializer, InitializerConfig, Positive, Real, Regularizer
from resspec.sizes import Periodic, Size
from resspec.tensor import TensorSpec

SMALL = InitializerConfig(name="truncated_normal", stddev=0.02)


class Parameter(Op):
    """A learned tensor, the same for every example: (...) -> shape. Its input only says how many examples there are."""

    kind = "parameter"
    family = "other"
    primary = "shape"
    shape: tuple[Positive, ...] = Field(
        min_length=1, max_length=limits.RANK, description="shape without the batch, as [1, 768] for a class token"
    )
    initializer: Initializer = SMALL
    regularizer: Regularizer = None
    constraint: Constraint = None

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        return TensorSpec(self.shape)

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        return (Weight("kernel", (1, *self.shape)),)

    def flops(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        return 0


class Constant(Op):
    """A fixed tensor, the same for every example: (...) -> shape. Its input only says how many examples there are."""

    kind = "constant"
    family = "other"
    primary = "shape"
    shape: tuple[Positive, ...] = Field(min_length=1, max_length=limits.RANK, description="shape without the batch")
    value: Real | tuple[Real, ...] = Field(
        default=0.0, description="one number for all elements, or one for each, row by row"
    )

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        elements = prod(self.shape)
        if isinstance(self.value, tuple) and len(self.value) != elements:
            raise OpError(
                f"`value` has {len(self.value)} numbers, a tensor of {TensorSpec(self.shape)} holds {elements}",
                code="bad-argument",
                argument="value",
            )
        return TensorSpec(self.shape)

    def flops(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        return 0


class PositionEmbedding(Op):
    """A learned vector for every position, added: (t, c) -> (t, c), as in ViT, BERT and GPT."""

    kind = "position_embedding"
    family = "other"
    primary = "input_dim"
    input_dim: Positive | None = Field(
        default=None, description="the greatest number of positions; null is the input's, which must then be known"
    )
    embeddings_initializer: Initializer = SMALL
    embeddings_regularizer: Regularizer = None
    embeddings_constraint: Constraint = None

    def positions(self, x: TensorSpec) -> int:
        """Rows of the table."""
        if self.input_dim is not None:
            return self.input_dim
        return known(x.shape[0], "the number of positions (where `input_dim` does not give it)")

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        if x.rank != 2 or "float" not in x.dtype:
            raise OpError(
                f"`position_embedding` needs (positions, channels), got {x} of {x.dtype}",
                code="rank-mismatch",
                operand=0,
                help="bring images into (positions, channels) by `reshape: [-1, channels]`",
            )
        known(x.channels, "the number of channels")
        rows, length = self.positions(x), x.shape[0]
        if isinstance(length, int) and length > rows:
            raise OpError(
                f"`input_dim` allows {rows} positions, the input has {length}",
                code="bad-argument",
                argument="input_dim",
            )
        return x

    def requires(self, *inputs: TensorSpec) -> Iterable[Requirement]:
        (x,) = inputs
        return [AtMost(x.shape[0], self.positions(x))] if isinstance(x.shape[0], Periodic) else []

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        (x,) = inputs
        return (Weight("embeddings", (self.positions(x), known(x.channels, "the number of channels"))),)

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return {**super().canonical(*inputs), "input_dim": self.positions(inputs[0])}


class LayerScale(Op):
    """A learned factor for every channel: (..., c) -> (..., c), as in CaiT and ConvNeXt."""

    kind = "layer_scale"
    family = "other"
    primary = "init_values"
    init_values: Real = Field(default=1e-5, description="what every factor starts with")
    regularizer: Regularizer = None
    constraint: Constraint = None

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        if not x.rank:
            raise OpError(f"`layer_scale` needs an axis of channels, got {x}", code="rank-mismatch", operand=0)
        known(x.channels, "the number of channels")
        return x

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        return (Weight("kernel", (known(inputs[0].channels, "the number of channels"),)),)


class Scale(Op):
    """A fixed factor: (...) -> (...)."""

    kind = "scale"
    family = "other"
    primary = "factor"
    factor: Real

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        return inputs[0]


PARAMETER_OPS: tuple[type[Op], ...] = (Parameter, Constant, PositionEmbedding, LayerScale, Scale)
