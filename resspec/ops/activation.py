"""Activations: a function of every element, or of the elements along one axis."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import Field

from resspec.ops.axes import axis_indices
from resspec.ops.base import Op, OpError, Weight, floating
from resspec.ops.slots import ActivationName, Constraint, Initializer, NonNegative, Real, Regularizer, Whole
from resspec.sizes import SizeError, divide_exactly
from resspec.tensor import TensorSpec


class Elementwise(Op):
    """What the activations share: the shape stays."""

    family = "activation"

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        floating(self, inputs[0])
        return inputs[0]


class Relu(Elementwise):
    """max(x, 0); above `threshold` up to `max_value`, below it negative_slope*(x - threshold)."""

    kind = "relu"
    max_value: NonNegative | None = Field(default=None, description="null is no bound")
    negative_slope: NonNegative = 0.0
    threshold: NonNegative = 0.0


class Relu6(Elementwise):
    """min(max(x, 0), 6)."""

    kind = "relu6"


class LeakyRelu(Elementwise):
    """x where positive, else negative_slope*x."""

    kind = "leaky_relu"
    primary = "negative_slope"
    negative_slope: NonNegative = Field(default=0.3, description="Keras's default; PyTorch's is 0.01")


class Prelu(Elementwise):
    """x where positive, else alpha*x with a learned alpha for every element outside `shared_axes`."""

    kind = "prelu"
    alpha_initializer: Initializer = "zeros"
    alpha_regularizer: Regularizer = None
    alpha_constraint: Constraint = None
    shared_axes: Whole | tuple[Whole, ...] | None = Field(
        default=None,
        description="axes with one alpha, counted from 1 (the batch is 0): `[1, 2]` gives an image one a channel",
    )

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        x = super().infer(*inputs)
        self.weights(x)
        return x

    def shared(self, x: TensorSpec) -> tuple[int, ...]:
        """Indices of the shared axes in the shape of one example."""
        axes = (self.shared_axes,) if isinstance(self.shared_axes, int) else self.shared_axes or ()
        if 0 in axes:
            raise OpError("`shared_axes` counts from 1, 0 is the batch", code="bad-argument", argument="shared_axes")
        return axis_indices(self, len(x.shape), tuple(a - (a > 0) for a in axes), "shared_axes")

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        (x,) = inputs
        shared = self.shared(x)
        shape = [1 if i in shared else size for i, size in enumerate(x.shape)]
        numbers = [size for size in shape if isinstance(size, int)]
        if len(numbers) < len(shape):
            raise OpError(
                f"`prelu` learns one number for every element of {x}, whose size is unknown",
                code="unknown-size",
                argument="shared_axes",
                help=f"write `shared_axes: {list(range(1, len(x.shape)))}` for one number a channel",
            )
        return (Weight("alpha", tuple(numbers)),)

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return {**super().canonical(*inputs), "shared_axes": [i + 1 for i in self.shared(inputs[0])]}


class Elu(Elementwise):
    """x where positive, else alpha*(exp(x) - 1)."""

    kind = "elu"
    primary = "alpha"
    alpha: Real = 1.0


class Selu(Elementwise):
    """The self-normalizing `elu`: scale*elu(x, alpha) with fixed numbers."""

    kind = "selu"


class Celu(Elementwise):
    """max(x, 0) + min(0, alpha*(exp(x/alpha) - 1))."""

    kind = "celu"
    primary = "alpha"
    alpha: Real = 1.0

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        if self.alpha == 0:
            raise OpError("`alpha` must not be 0", code="bad-argument", argument="alpha")
        return super().infer(*inputs)


class Gelu(Elementwise):
    """x times the normal distribution function of x."""

    kind = "gelu"
    approximate: bool = Field(default=False, description="by a tanh, as in GPT-2")


class Silu(Elementwise):
    """x*sigmoid(x), also known as swish."""

    kind = "silu"


class Mish(Elementwise):
    """x*tanh(softplus(x))."""

    kind = "mish"


class Sigmoid(Elementwise):
    """1/(1 + exp(-x))."""

    kind = "sigmoid"


class LogSigmoid(Elementwise):
    """log(sigmoid(x))."""

    kind = "log_sigmoid"


class HardSigmoid(Elementwise):
    """relu6(x + 3)/6."""

    kind = "hard_sigmoid"


class HardSwish(Elementwise):
    """x*relu6(x + 3)/6, also known as hard_silu."""

    kind = "hard_swish"


class HardTanh(Elementwise):
    """x, held between -1 and 1."""

    kind = "hard_tanh"


class Tanh(Elementwise):
    """The hyperbolic tangent."""

    kind = "tanh"


class Softplus(Elementwise):
    """log(exp(x) + 1)."""

    kind = "softplus"


class Softsign(Elementwise):
    """x/(abs(x) + 1)."""

    kind = "softsign"


class Exponential(Elementwise):
    """exp(x)."""

    kind = "exponential"


class Linear(Elementwise):
    """x itself."""

    kind = "linear"


class Abs(Elementwise):
    """The absolute value: x where positive, else -x."""

    kind = "abs"


class Softmax(Elementwise):
    """exp(x), divided by its sum along `axis`."""

    kind = "softmax"
    primary = "axis"
    axis: Whole | tuple[Whole, ...] = Field(default=-1, description="axes counted without the batch")

    def axes(self, x: TensorSpec) -> tuple[int, ...]:
        found = axis_indices(self, len(x.shape), self.axis)
        if not found:
            raise OpError("`axis` names no axis", code="bad-argument", argument="axis")
        return found

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        self.axes(inputs[0])
        return super().infer(*inputs)

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return {"axis": list(self.axes(inputs[0]))}


class LogSoftmax(Softmax):
    """log(softmax(x)) along `axis`."""

    kind = "log_softmax"
    axis: Whole = Field(default=-1, description="axis counted without the batch")


class Glu(Op):
    """The first half of the channels, times the sigmoid of the second: `(..., 2c) -> (..., c)`."""

    kind = "glu"
    family = "activation"

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        floating(self, x)
        if not x.shape:
            raise OpError(f"`glu` needs channels, got {x}", code="rank-mismatch", operand=0)
        try:
            return x.with_shape(*x.spatial, divide_exactly(x.channels, 2))
        except SizeError:
            raise OpError(f"`glu` needs an even number of channels, got {x}", operand=0) from None


class Activation(Elementwise):
    """The activation of a given name: `activation: $act`."""

    kind = "activation"
    primary = "function"
    function: ActivationName

    def simplified(self) -> Op:
        return named(self.function)

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return self.simplified().canonical(*inputs)

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        found = self.simplified().infer(*inputs)
        assert isinstance(found, TensorSpec)
        return found


PLAIN: tuple[type[Elementwise], ...] = (
    Selu, Silu, Mish, Sigmoid, LogSigmoid, HardSigmoid, HardSwish, HardTanh, Tanh, Softplus, Softsign, Exponential,
    Linear,
)  # fmt: skip
"""activations without arguments, whose kind is the name that Keras knows"""

WITH_DEFAULTS: tuple[type[Op], ...] = (*PLAIN, Relu, Relu6, Elu, Celu, Gelu, Softmax, LogSoftmax)
BY_NAME: dict[str, type[Op]] = {op.kind: op for op in WITH_DEFAULTS}


@cache
def named(name: str) -> Op:
    """What `activation: <name>` stands for."""
    if name == "leaky_relu":
        return LeakyRelu(negative_slope=0.2)  # of the function; the layer's default is 0.3
    return BY_NAME[{"hard_silu": "hard_swish", "swish": "silu"}.get(name, name)]()


ACTIVATION_OPS: tuple[type[Op], ...] = (
    Activation, Relu, Relu6, LeakyRelu, Prelu, Elu, Celu, Gelu, *PLAIN, Abs, Softmax, LogSoftmax, Glu,
)  # fmt: skip
