"""Affine maps of the channels, and vectors for tokens."""

from __future__ import annotations

from pydantic import Field

from resspec.ops.base import Op, OpError, Weight, floating, known, with_bias
from resspec.ops.slots import Constraint, FieldActivation, Initializer, Positive, Regularizer
from resspec.sizes import Size, product
from resspec.tensor import TensorSpec


class Dense(Op):
    """Affine map of the last axis: `(..., c) -> (..., units)`."""

    kind = "dense"
    family = "dense"
    primary = "units"
    units: Positive
    activation: FieldActivation = None
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    activity_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    bias_constraint: Constraint = None

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        if not x.shape:
            raise OpError(f"`dense` needs an axis to map, got {x}", code="rank-mismatch", operand=0)
        floating(self, x)
        known(x.channels, "the size of the last axis")
        return x.with_shape(*x.spatial, self.units)

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        (x,) = inputs
        kernel = Weight("kernel", (known(x.channels, "the size of the last axis"), self.units))
        return with_bias(self.use_bias, kernel, self.units)

    def macs(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        return product(self.weights(*inputs)[0].size, *outputs[0].spatial)


class Embedding(Op):
    """A learned vector for every token: `(...)` of int -> `(..., output_dim)`.

    With `reverse` the way back, the product with every vector: `(..., output_dim) -> (..., input_dim)`. Under one
    `share` both ways use one table, as in language models.
    """

    kind = "embedding"
    family = "dense"
    input_dim: Positive
    """number of different tokens"""
    output_dim: Positive
    reverse: bool = Field(default=False, description="from vectors to scores of all tokens")
    embeddings_initializer: Initializer = "random_uniform"
    embeddings_regularizer: Regularizer = None
    embeddings_constraint: Constraint = None

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        if self.reverse:
            floating(self, x)
            if not x.shape or x.channels != self.output_dim:
                raise OpError(
                    f"`embedding` in reverse needs {self.output_dim} channels (`output_dim`), got {x}",
                    operand=0,
                )
            return x.with_shape(*x.spatial, self.input_dim)
        if "int" not in x.dtype:
            raise OpError(
                f"`embedding` needs tokens of an int dtype, got {x} of dtype `{x.dtype}`",
                code="dtype-mismatch",
                operand=0,
                help="declare the input as `{shape: [T], dtype: int32}`",
            )
        return TensorSpec((*x.shape, self.output_dim))

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        return (Weight("embeddings", (self.input_dim, self.output_dim)),)

    def sharing(self) -> Op:
        return self.model_copy(update={"reverse": False})

    def macs(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        return product(*outputs[0].shape, self.output_dim) if self.reverse else 0

    def flops(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        return super().flops(inputs, outputs) if self.reverse else 0


DENSE_OPS: tuple[type[Op], ...] = (Dense, Embedding)
