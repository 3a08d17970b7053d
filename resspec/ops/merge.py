"""Merges: several tensors into one. Strict: nothing is broadcast, cropped or repaired unless the spec says so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import Field

from resspec.domain import Equal, Requirement
from resspec.ops.axes import axis_index, common_dtype, differ, joined, more_specific
from resspec.ops.base import Op, OpError
from resspec.ops.slots import Whole
from resspec.sizes import Shape, Size, product
from resspec.tensor import TensorSpec

MEND = "write `align: crop`, `pad` or `resize` to mend sizes, `project: auto` to mend channels"


class Merge(Op):
    """What merges share: any number of inputs that must fit each other."""

    family = "merge"
    arity: ClassVar[tuple[int, int | None]] = (1, None)

    def checked(self, inputs: tuple[TensorSpec, ...], free: int | None = None) -> Shape:
        """The shape that all inputs agree on, apart from axis `free`; `OpError` names the odd one."""
        first = inputs[0]
        shape = list(first.shape)
        for k, x in enumerate(inputs):
            if x.rank != first.rank or any(
                differ(a, b) for axis, (a, b) in enumerate(zip(shape, x.shape)) if axis != free
            ):
                what = "equal shapes" if free is None else f"equal sizes besides axis {free}"
                raise OpError(f"`{self.kind}` needs {what}, got {first} and {x}", operand=k, help=MEND)
            shape = [more_specific(a, b) for a, b in zip(shape, x.shape)]
        return tuple(shape)

    def stretched(self, inputs: tuple[TensorSpec, ...], free: int | None = None) -> Shape:
        """The shape that all inputs agree on, axes of size 1 stretched, apart from axis `free`."""
        rank = max(x.rank for x in inputs)
        shape: list[Size] = [1] * rank
        for k, x in enumerate(inputs):
            if x.rank != rank or any(
                size != 1 and want != 1 and differ(want, size)
                for axis, (want, size) in enumerate(zip(shape, x.shape))
                if axis != free
            ):
                raise OpError(
                    f"`{self.kind}` can stretch axes of size 1 only, got {inputs[0]} and {x}",
                    operand=k,
                    help="`global_avg_pool: {keepdims: true}` keeps the axes that are to be stretched",
                )
            shape = [b if a == 1 else a if b == 1 else more_specific(a, b) for a, b in zip(shape, x.shape)]
        return tuple(shape)

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        return TensorSpec(self.checked(inputs), common_dtype(*inputs))

    def requires(self, *inputs: TensorSpec) -> Iterable[Requirement]:
        return list(equalities(inputs, None))


def stretching(inputs: tuple[TensorSpec, ...], shape: Shape, free: int | None = None) -> Iterable[Requirement]:
    """`Equal` for every size that is not stretched to `shape`, axis `free` left out."""
    for x in inputs:
        for axis, (want, size) in enumerate(zip(shape, x.shape)):
            if axis != free and size not in (1, want):
                yield Equal(want, size)


def equalities(inputs: tuple[TensorSpec, ...], free: int | None) -> Iterable[Requirement]:
    """`Equal` for every pair of sizes that may differ, axis `free` left out."""
    for x in inputs[1:]:
        for axis, (left, right) in enumerate(zip(inputs[0].shape, x.shape)):
            if axis != free and left != right:
                yield Equal(left, right)


class Elementwise(Merge):
    """A merge that computes every element from the elements at the same place."""

    broadcast: bool = Field(default=False, description="an axis of size 1 is stretched to the others' size")

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        if not self.broadcast:
            return super().infer(*inputs)
        return TensorSpec(self.stretched(inputs), common_dtype(*inputs))

    def requires(self, *inputs: TensorSpec) -> Iterable[Requirement]:
        if not self.broadcast:
            return super().requires(*inputs)
        return list(stretching(inputs, self.stretched(inputs)))


class Add(Elementwise):
    """Sum of tensors of one shape: (...), (...), ... -> (...)."""

    kind = "add"


class Multiply(Elementwise):
    """Elementwise product of tensors of one shape: (...), (...), ... -> (...)."""

    kind = "multiply"


class Average(Elementwise):
    """Mean of tensors of one shape: (...), (...), ... -> (...)."""

    kind = "average"


class Maximum(Elementwise):
    """Elementwise maximum of tensors of one shape: (...), (...), ... -> (...)."""

    kind = "maximum"


class Minimum(Elementwise):
    """Elementwise minimum of tensors of one shape: (...), (...), ... -> (...)."""

    kind = "minimum"


class Subtract(Elementwise):
    """The first input minus the second: (...), (...) -> (...)."""

    kind = "subtract"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)


class Concat(Merge):
    """Inputs one after the other along an axis: (..., a), (..., b), ... -> (..., a + b + ...)."""

    kind = "concat"
    axis: Whole = Field(default=-1, description="counted without the batch; -1 is the channels")
    broadcast: bool = Field(default=False, description="any other axis of size 1 is stretched to the others' size")

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        axis = axis_index(self, inputs[0].rank, self.axis)
        shape = list(self.stretched(inputs, axis) if self.broadcast else self.checked(inputs, axis))
        shape[axis] = joined(x.shape[axis] for x in inputs)
        return TensorSpec(tuple(shape), common_dtype(*inputs))

    def requires(self, *inputs: TensorSpec) -> Iterable[Requirement]:
        axis = self.axis % inputs[0].rank
        if not self.broadcast:
            return list(equalities(inputs, axis))
        return list(stretching(inputs, self.stretched(inputs, axis), axis))

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return {"axis": self.axis % inputs[0].rank}

    def flops(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        return 0


class Dot(Merge):
    """Scalar products along one axis of each: (..., n, ...), (..., n, ...) -> the remaining axes of both."""

    kind = "dot"
    primary = "axes"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    axes: Whole | tuple[Whole, Whole] = Field(
        default=-1, description="the axis of each input that is summed over, counted without the batch"
    )
    normalize: bool = Field(default=False, description="scale to length 1 before, which gives the cosine")

    def summed(self, left: TensorSpec, right: TensorSpec) -> tuple[int, int]:
        """The axis of each input that is summed over."""
        a, b = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        return axis_index(self, left.rank, a, "axes"), axis_index(self, right.rank, b, "axes")

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        left, right = inputs
        for k, x in enumerate(inputs):
            if not 1 <= x.rank <= 2:
                raise OpError(f"`dot` needs 1 or 2 axes, got {x}", code="rank-mismatch", operand=k, help=MATMUL)
        a, b = self.summed(left, right)
        if differ(left.shape[a], right.shape[b]):
            raise OpError(
                f"`dot` sums over axes of equal size, got {left.shape[a]} of {left} and {right.shape[b]} of {right}",
                operand=1,
            )
        shape = (*left.shape[:a], *left.shape[a + 1 :], *right.shape[:b], *right.shape[b + 1 :])
        return TensorSpec(shape or (1,), common_dtype(*inputs))

    def requires(self, *inputs: TensorSpec) -> Iterable[Requirement]:
        a, b = self.summed(*inputs)
        left, right = inputs[0].shape[a], inputs[1].shape[b]
        return [] if left == right else [Equal(left, right)]

    def products(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        a, b = self.summed(*inputs)
        return product(outputs[0].elements, more_specific(inputs[0].shape[a], inputs[1].shape[b]))

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return {**super().canonical(*inputs), "axes": list(self.summed(*inputs))}


MATMUL = "use `matmul` for matrix products over more axes"


class Matmul(Merge):
    """Matrix product of the last two axes: (..., m, k), (..., k, n) -> (..., m, n)."""

    kind = "matmul"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    transpose_a: bool = Field(default=False, description="swap the last two axes of the first input before")
    transpose_b: bool = Field(default=False, description="swap the last two axes of the second input before")

    def operands(self, *inputs: TensorSpec) -> tuple[Shape, Shape]:
        """The shapes of both matrices after transposing."""
        a, b = (x.shape for x in inputs)
        return (
            (*a[:-2], a[-1], a[-2]) if self.transpose_a else a,
            (*b[:-2], b[-1], b[-2]) if self.transpose_b else b,
        )

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        for k, x in enumerate(inputs):
            if x.rank < 2 or x.rank != inputs[0].rank:
                raise OpError(
                    f"`matmul` needs two inputs of 2 or more axes each, as many in both, got {inputs[0]} and {x}",
                    code="rank-mismatch",
                    operand=k,
                    help="insert `reshape` or `expand_dims` before it",
                )
        a, b = self.operands(*inputs)
        if differ(a[-1], b[-2]) or any(differ(m, n) for m, n in zip(a[:-2], b[:-2])):
            raise OpError(
                f"`matmul` needs (..., m, k) and (..., k, n), got {inputs[0]} and {inputs[1]}"
                + (" before transposing" if self.transpose_a or self.transpose_b else ""),
                operand=1,
                help="swap axes by `transpose_a` or `transpose_b`",
            )
        lead = (more_specific(m, n) for m, n in zip(a[:-2], b[:-2]))
        return TensorSpec((*lead, a[-2], b[-1]), common_dtype(*inputs))

    def requires(self, *inputs: TensorSpec) -> Iterable[Requirement]:
        a, b = self.operands(*inputs)
        pairs = [(a[-1], b[-2]), *zip(a[:-2], b[:-2])]
        return [Equal(left, right) for left, right in pairs if left != right]

    def products(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        a, b = self.operands(*inputs)
        return product(outputs[0].elements, more_specific(a[-1], b[-2]))


MERGE_OPS: tuple[type[Op], ...] = (Add, Multiply, Average, Maximum, Minimum, Subtract, Concat, Dot, Matmul)
