"""What every op has in common: typed arguments, and rules for shapes, weights and cost.

An op is a frozen pydantic model. Its fields are the arguments that a spec may write, its methods
say what is always true of it. How an op is computed (Keras), drawn or printed is not said here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from resspec.domain import Requirement
from resspec.sizes import Size, SizeError, product
from resspec.tensor import TensorSpec

Family = Literal[
    "input", "conv", "dense", "norm", "pool", "activation", "merge", "reshape", "resample",
    "regularization", "attention", "recurrent", "preprocess", "other",
]  # fmt: skip

Outputs = TensorSpec | tuple[TensorSpec, ...]


class OpError(Exception):
    """An op refuses its inputs or arguments. The expander turns it into a finding with a place.

    `argument` names the field to point at, `operand` the index of the input to point at.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "shape-mismatch",
        help: str | None = None,
        argument: str | None = None,
        operand: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.code, self.help = message, code, help
        self.argument, self.operand = argument, operand


@dataclass(frozen=True, slots=True)
class Weight:
    """A variable of a layer: its Keras name, shape, and whether training changes it."""

    name: str
    shape: tuple[int, ...]
    trainable: bool = True
    dtype: str = "float32"

    @property
    def size(self) -> int:
        total = 1
        for axis in self.shape:
            total *= axis
        return total


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one output position looks along each spatial axis: for the receptive field.

    `span` is the window in input positions, `stride` the input positions between two output
    positions as a fraction (numerator, denominator); up-sampling by 2 has (1, 2).
    """

    span: tuple[int, ...]
    stride: tuple[tuple[int, int], ...]


class Op(BaseModel):
    """Base of all ops. Subclasses set `kind`, `family`, and `primary` (the field a lone scalar fills)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True, allow_inf_nan=False)

    kind: ClassVar[str]
    family: ClassVar[Family]
    primary: ClassVar[str | None] = None
    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    """least and most number of inputs; None for any number"""
    results: ClassVar[tuple[str, ...]] = ()
    """names of the outputs of an op that has several; they may depend on the arguments (`result_names`)"""
    sees_all: ClassVar[bool] = False
    """whether every output position depends on every input position (global pooling, attention, recurrence)"""

    def infer(self, *inputs: TensorSpec) -> Outputs:
        """Shapes out of shapes; `OpError` if the op cannot take these inputs."""
        raise NotImplementedError(type(self).__name__)  # abstract: every op in OPS overrides it

    def result_names(self) -> tuple[str, ...]:
        """Names of the outputs, in order; empty for a single output."""
        return self.results

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        """The variables that the op needs for these inputs, in Keras's order and with Keras's names."""
        return ()

    def requires(self, *inputs: TensorSpec) -> Iterable[Requirement]:
        """What must hold of unknown sizes so that `infer` is right. Known sizes are checked by `infer`."""
        return ()

    def macs(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        """Multiply-accumulates per example of convolution and dense products; 0 for other ops."""
        return 0

    def products(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        """Multiply-accumulates that count as FLOPs (x 2) without being `macs`: attention scores, matmul."""
        return 0

    def flops(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        """FLOPs per example: 2 per product, or one per output element where there is no product.

        Ops that only move data (reshape, split, crop) override this with 0.
        """
        macs = self.macs(inputs, outputs)
        more = self.products(inputs, outputs)
        if macs == 0 and more == 0:
            return total(spec.elements for spec in outputs)
        return total((macs * 2, more * 2))

    def reach(self, inputs: tuple[TensorSpec, ...]) -> Reach | None:
        """The window of the op, or None if an output position sees its own input position only."""
        return None

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        """Arguments in their normal form for these inputs (`3` and `[3, 3]` are one): the digest's view."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def sharing(self) -> Op:
        """What must be equal of ops that share weights; the op itself, but for arguments that use them differently."""
        return self

    def simplified(self) -> Op:
        """The op that this one is just another way to write; itself in general."""
        return self


def total(sizes: Iterable[Size]) -> Size:
    """The sum of sizes. Unknown sizes of different kinds cannot be added; then `SizeError`."""
    result: Size = 0
    for size in sizes:
        try:
            result = size if result == 0 else result if size == 0 else result + size
        except TypeError:
            raise SizeError(f"the sum of `{result}` and `{size}` cannot be followed") from None
    return result


def known(size: Size, what: str, *, operand: int | None = 0) -> int:
    """`size` as a number; weights and reshapes cannot follow an unknown one."""
    if not isinstance(size, int):
        raise OpError(
            f"{what} must be known, got `{size}`",
            code="unknown-size",
            operand=operand,
            help="give the input numbers along this axis, or pool over it before (`global_avg_pool`)",
        )
    return size


def spatial_rank(op: Op, x: TensorSpec, allowed: Iterable[int] = (1, 2, 3)) -> int:
    """Number of axes besides channels, checked against what the op supports."""
    rank = len(x.shape) - 1
    allowed = tuple(allowed)
    if rank not in allowed:
        axes = " or ".join(str(r + 1) for r in allowed)
        raise OpError(
            f"`{op.kind}` needs {axes} axes (channels last, the batch left out), got {x}",
            code="rank-mismatch",
            operand=0,
            help="insert `reshape` before it" if rank >= 0 else None,
        )
    return rank


def per_axis(value: int | tuple[int, ...], rank: int, argument: str) -> tuple[int, ...]:
    """One number for every spatial axis: `3` is `(3, 3)` on an image."""
    if isinstance(value, int):
        return (value,) * rank
    if len(value) == 1:
        return value * rank
    if len(value) != rank:
        raise OpError(
            f"`{argument}` has {len(value)} numbers, the input has {rank} spatial axes",
            code="rank-mismatch",
            argument=argument,
            help="give one number for every axis, or a single one for all of them",
        )
    return value


def floating(op: Op, x: TensorSpec) -> None:
    """Refuse tokens and other whole numbers where the op needs real ones."""
    if "float" not in x.dtype:
        raise OpError(
            f"`{op.kind}` needs real numbers, got {x} of dtype `{x.dtype}`",
            code="dtype-mismatch",
            operand=0,
            help="put `embedding` before it, or give the input a float dtype",
        )


def with_bias(use_bias: bool, kernel: Weight, *shape: int) -> tuple[Weight, ...]:
    """The kernel, and a bias of the given shape if there is one."""
    return (kernel, Weight("bias", shape)) if use_bias else (kernel,)


def elements(specs: Iterable[TensorSpec]) -> Iterator[Size]:
    for spec in specs:
        yield product(*spec.shape)
