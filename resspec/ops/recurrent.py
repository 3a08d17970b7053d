"""Recurrence over the first axis: `(t, c) -> (units)`, or `(t, units)` with `return_sequences`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from resspec.ops.base import Op, OpError, Outputs, Weight, known, per_axis, spatial_rank
from resspec.ops.slots import Constraint, FieldActivation, Initializer, PerAxis, Positive, Rate, Regularizer, Seed
from resspec.ops.windows import slide
from resspec.sizes import Size, product
from resspec.tensor import TensorSpec

STATES = {"lstm": ("hidden", "cell"), "gru": ("state",), "simple_rnn": ("state",), "conv_lstm": ("hidden", "cell")}
GATES = {"lstm": 4, "gru": 3, "simple_rnn": 1, "conv_lstm": 4}


class Recurrent(Op):
    """What recurrent ops share."""

    family = "recurrent"
    sees_all = True
    activation: FieldActivation = "tanh"
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    recurrent_initializer: Initializer = "orthogonal"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer = None
    recurrent_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    activity_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    recurrent_constraint: Constraint = None
    bias_constraint: Constraint = None
    dropout: Rate = Field(default=0.0, description="share of the inputs dropped in training")
    recurrent_dropout: Rate = Field(default=0.0, description="share of the state dropped in training")
    seed: Seed | None = None
    return_sequences: bool = Field(default=False, description="the output of every position, not of the last alone")
    return_state: bool = Field(default=False, description="the last state as further results")
    go_backwards: bool = Field(default=False, description="from the last position to the first")

    def result_names(self) -> tuple[str, ...]:
        return ("output", *STATES[self.kind]) if self.return_state else ()


class Cell(Recurrent):
    """What `lstm`, `gru` and `simple_rnn` share: a cell of some units; further inputs are its first state."""

    primary = "units"
    units: Positive
    unroll: bool = Field(default=False, description="a copy of the cell for every position, which needs a known length")

    def length(self, x: TensorSpec) -> Size:
        """The number of positions, checked."""
        if x.rank != 2:
            raise OpError(
                f"`{self.kind}` needs (positions, channels), got {x}",
                code="rank-mismatch",
                operand=0,
                help="insert `reshape` before it",
            )
        known(x.channels, "the number of channels")
        if self.unroll:
            known(x.shape[0], "the length of an unrolled sequence")
        return x.shape[0]

    def infer(self, *inputs: TensorSpec) -> Outputs:
        x, *first = inputs
        length = self.length(x)
        state = x.with_shape(self.units)
        if first and len(first) != len(STATES[self.kind]):
            names = " and ".join(f"`{name}`" for name in STATES[self.kind])
            raise OpError(
                f"the first state of `{self.kind}` is {names}, got {len(first)} inputs besides the sequence",
                code="bad-argument",
                operand=len(inputs) - 1,
            )
        for k, given in enumerate(first, 1):
            if given.shape != state.shape:
                raise OpError(f"the first state of `{self.kind}` has {state}, got {given}", operand=k)
        output = x.with_shape(length, self.units) if self.return_sequences else state
        return (output, *(state for _ in STATES[self.kind])) if self.return_state else output

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        channels = known(inputs[0].channels, "the number of channels")
        return cell_weights(self.kind, channels, self.units, self.use_bias, getattr(self, "reset_after", False))

    def macs(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        return product(inputs[0].shape[0], sum(w.size for w in self.weights(*inputs)[:2]))


def cell_weights(kind: str, channels: int, units: int, use_bias: bool, reset_after: bool) -> tuple[Weight, ...]:
    """Kernel, recurrent kernel and bias of a cell, its gates side by side; a GRU that resets after has two biases."""
    wide = GATES[kind] * units
    found = (
        Weight(f"{kind}_cell/kernel", (channels, wide)),
        Weight(f"{kind}_cell/recurrent_kernel", (units, wide)),
    )
    return (*found, Weight(f"{kind}_cell/bias", (2, wide) if reset_after else (wide,))) if use_bias else found


class LSTM(Cell):
    """Long short-term memory: (t, c) -> (units) or (t, units); results `output`, `hidden`, `cell`."""

    kind = "lstm"
    arity: ClassVar[tuple[int, int | None]] = (1, 3)
    recurrent_activation: FieldActivation = "sigmoid"
    unit_forget_bias: bool = Field(default=True, description="the bias of the forget gate starts at 1")


class GRU(Cell):
    """Gated recurrent unit: (t, c) -> (units) or (t, units); results `output`, `state`."""

    kind = "gru"
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    recurrent_activation: FieldActivation = "sigmoid"
    reset_after: bool = Field(
        default=True, description="the reset gate acts after the matrix product, with a bias more"
    )


class SimpleRNN(Cell):
    """A fully connected recurrence: (t, c) -> (units) or (t, units); results `output`, `state`."""

    kind = "simple_rnn"
    arity: ClassVar[tuple[int, int | None]] = (1, 2)


class Bidirectional(Op):
    """A recurrence in both directions: (t, c) -> (2*units) or (t, 2*units) with `merge_mode: concat`."""

    kind = "bidirectional"
    family = "recurrent"
    primary = "units"
    sees_all = True
    layer: Literal["lstm", "gru", "simple_rnn"] = "lstm"
    units: Positive = Field(description="units of each direction")
    merge_mode: Literal["concat", "sum", "mul", "ave"] = Field(
        default="concat", description="how the outputs of both directions become one"
    )
    activation: FieldActivation = "tanh"
    recurrent_activation: FieldActivation = Field(default="sigmoid", description="not for `simple_rnn`")
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    recurrent_initializer: Initializer = "orthogonal"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer = None
    recurrent_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    dropout: Rate = 0.0
    recurrent_dropout: Rate = 0.0
    seed: Seed | None = None
    return_sequences: bool = Field(default=False, description="the output of every position, not of the last alone")
    return_state: bool = Field(default=False, description="the last states of both directions as further results")
    reset_after: bool = Field(default=True, description="for `gru` alone, as there")

    def result_names(self) -> tuple[str, ...]:
        if not self.return_state:
            return ()
        states = STATES[self.layer]
        return ("output", *(f"forward_{s}" for s in states), *(f"backward_{s}" for s in states))

    def infer(self, *inputs: TensorSpec) -> Outputs:
        (x,) = inputs
        if x.rank != 2:
            raise OpError(
                f"`bidirectional` needs (positions, channels), got {x}",
                code="rank-mismatch",
                operand=0,
                help="insert `reshape` before it",
            )
        known(x.channels, "the number of channels")
        if self.layer == "simple_rnn" and self.recurrent_activation != "sigmoid":
            raise OpError(
                "`simple_rnn` has no `recurrent_activation`", code="bad-argument", argument="recurrent_activation"
            )
        if self.layer != "gru" and not self.reset_after:
            raise OpError(f"`{self.layer}` has no `reset_after`", code="bad-argument", argument="reset_after")
        width = self.units * (2 if self.merge_mode == "concat" else 1)
        output = x.with_shape(*x.shape[:1], width) if self.return_sequences else x.with_shape(width)
        states = (x.with_shape(self.units),) * (2 * len(STATES[self.layer]))
        return (output, *states) if self.return_state else output

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        channels = known(inputs[0].channels, "the number of channels")
        one = cell_weights(self.layer, channels, self.units, self.use_bias, self.layer == "gru" and self.reset_after)
        return tuple(
            Weight(f"{direction}_{self.layer}/{weight.name}", weight.shape)
            for direction in ("forward", "backward")
            for weight in one
        )

    def macs(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        kernels = (w.size for w in self.weights(*inputs) if w.name.endswith("kernel"))
        return product(inputs[0].shape[0], sum(kernels))


class ConvLSTM(Recurrent):
    """LSTM whose products are convolutions: (t, ..., c) -> (...', filters) or (t, ...', filters)."""

    kind = "conv_lstm"
    primary = "filters"
    filters: Positive
    kernel_size: PerAxis = 1
    strides: PerAxis = 1
    padding: Literal["same", "valid"] = "valid"
    dilation_rate: PerAxis = 1
    recurrent_activation: FieldActivation = "sigmoid"
    unit_forget_bias: bool = Field(default=True, description="the bias of the forget gate starts at 1")

    def space(self, x: TensorSpec) -> tuple[Size, ...]:
        """The spatial sizes that the window leaves; the first axis is time."""
        rank = spatial_rank(self, x, (2, 3, 4)) - 1
        strides = per_axis(self.strides, rank, "strides")
        dilation = per_axis(self.dilation_rate, rank, "dilation_rate")
        if max(strides) > 1 and max(dilation) > 1:
            raise OpError(
                "`strides` and `dilation_rate` cannot both exceed 1", code="bad-argument", argument="dilation_rate"
            )
        return slide(x.shape[1:-1], per_axis(self.kernel_size, rank, "kernel_size"), strides, self.padding, dilation)

    def infer(self, *inputs: TensorSpec) -> Outputs:
        (x,) = inputs
        space = self.space(x)
        known(x.channels, "the number of channels")
        state = x.with_shape(*space, self.filters)
        output = x.with_shape(x.shape[0], *state.shape) if self.return_sequences else state
        return (output, state, state) if self.return_state else output

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        (x,) = inputs
        kernel = per_axis(self.kernel_size, x.rank - 2, "kernel_size")
        wide = 4 * self.filters
        found = (
            Weight("conv_lstm_cell/kernel", (*kernel, known(x.channels, "the number of channels"), wide)),
            Weight("conv_lstm_cell/recurrent_kernel", (*kernel, self.filters, wide)),
        )
        return (*found, Weight("conv_lstm_cell/bias", (wide,))) if self.use_bias else found

    def macs(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        (x,) = inputs
        return product(x.shape[0], *self.space(x), sum(w.size for w in self.weights(x)[:2]))


RECURRENT_OPS: tuple[type[Op], ...] = (LSTM, GRU, SimpleRNN, Bidirectional, ConvLSTM)
