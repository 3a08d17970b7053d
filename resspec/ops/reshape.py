"""Ops that move, pick or sum up elements along axes; none has weights.

Axes are counted without the batch (`axes.py`), except in `permute`, which keeps Keras's 1-based `dims`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field

from resspec import limits
from resspec.domain import AtLeast, Multiple, Requirement
from resspec.ops.axes import axis_index, axis_indices, replaced
from resspec.ops.base import Op, OpError
from resspec.ops.slots import Positive, Whole
from resspec.sizes import Periodic, Product, Size, SizeError, divide_exactly, product
from resspec.tensor import TensorSpec

Axis = Annotated[Whole, Field(description="counted without the batch; -1 is the channels")]
Axes = Annotated[
    Whole | tuple[Whole, ...] | None, Field(description="one or several, counted without the batch; null for all")
]
FIXED_BEFORE = "give the input numbers, or bring it to a fixed size before: `adaptive_avg_pool: [7, 7]`"
Target = Annotated[int, Field(ge=-1, le=limits.DIMENSION)]


class Movement(Op):
    """What these ops share: they compute nothing."""

    family = "reshape"

    def flops(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        return 0


class Along(Movement):
    """Movement along one axis, the channels unless said otherwise."""

    axis: Axis = -1

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return {**super().canonical(*inputs), "axis": self.axis % inputs[0].rank}


class Identity(Movement):
    """The input as it is: (...) -> (...)."""

    kind = "identity"

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        return inputs[0]


class Flatten(Movement):
    """All axes as one: (h, w, c) -> (h*w*c)."""

    kind = "flatten"

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        return inputs[0].with_shape(inputs[0].elements)


class Reshape(Movement):
    """The same elements in another shape: (...) -> target_shape, where one -1 stands for what is left."""

    kind = "reshape"
    primary = "target_shape"
    target_shape: tuple[Target, ...] = Field(
        max_length=limits.RANK, description="shape without the batch; one size may be -1, which is computed"
    )

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        elements, target = x.elements, self.target_shape
        if target.count(-1) > 1:
            raise OpError("`target_shape` may hold one -1 only", code="bad-argument", argument="target_shape")
        if 0 in target:
            raise OpError("`target_shape` cannot hold 0", code="bad-argument", argument="target_shape")
        rest = product(*(size for size in target if size != -1))
        if -1 not in target:
            if rest != elements:
                what = f"the {elements} elements of {x}" if x.known else x
                raise OpError(
                    f"`reshape` cannot bring {what} into {_text(target)}, which holds {rest}",
                    code="shape-mismatch" if x.known else "unknown-size",
                    argument="target_shape",
                    help=FIXED_BEFORE
                    if isinstance(elements, Product)
                    else "write -1 for one size, which is then computed",
                )
            return x.with_shape(*target)
        assert isinstance(rest, int)
        try:
            left = elements // rest if isinstance(elements, Periodic) else divide_exactly(elements, rest)
        except SizeError as error:
            varies = f"whether its elements are a multiple of {rest} depends on several sizes of the input"
            raise OpError(
                f"`reshape` cannot bring {x} into {_text(target)}: {error if x.known else varies}",
                code="shape-mismatch" if x.known else "unknown-size",
                argument="target_shape",
                help=f"choose sizes whose product divides {elements}" if x.known else FIXED_BEFORE,
            ) from None
        return x.with_shape(*(left if size == -1 else size for size in target))

    def requires(self, *inputs: TensorSpec) -> Iterable[Requirement]:
        rest = product(*(size for size in self.target_shape if size != -1))
        assert isinstance(rest, int)
        elements = inputs[0].elements
        return [Multiple(elements, rest)] if isinstance(elements, Periodic) and rest > 1 else []

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        shape = self.infer(*inputs).shape
        return {"target_shape": [size if isinstance(size, int) else -1 for size in shape]}


def _text(target: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, target))})"


class Permute(Movement):
    """Axes in another order; `dims` count from 1 as in Keras: [2, 1] is (a, b) -> (b, a)."""

    kind = "permute"
    primary = "dims"
    dims: tuple[Positive, ...] = Field(description="the axes in their new order, counted from 1 (the batch is 0)")

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        if sorted(self.dims) != list(range(1, x.rank + 1)):
            raise OpError(
                f"`dims` must hold each of 1 to {x.rank} once for {x}, got {_text(self.dims)}",
                code="bad-argument",
                argument="dims",
            )
        return x.with_shape(*(x.shape[axis - 1] for axis in self.dims))


class Squeeze(Movement):
    """Axes of size 1 removed: (1, 1, c) -> (c) for axis [0, 1]."""

    kind = "squeeze"
    primary = "axis"
    axis: Annotated[
        Whole | tuple[Whole, ...] | None,
        Field(description="one or several, counted without the batch; null for all whose size is known to be 1"),
    ] = None

    def removed(self, x: TensorSpec) -> tuple[int, ...]:
        """The axes that go."""
        if self.axis is None:
            return tuple(axis for axis, size in enumerate(x.shape) if size == 1)
        return axis_indices(self, x.rank, self.axis)

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        removed = self.removed(x)
        for axis in removed:
            if x.shape[axis] != 1:
                raise OpError(
                    f"`squeeze` removes axes of size 1, axis {axis} of {x} has {x.shape[axis]}",
                    code="shape-mismatch" if isinstance(x.shape[axis], int) else "unknown-size",
                    argument="axis",
                )
        return x.with_shape(*(size for axis, size in enumerate(x.shape) if axis not in removed))

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return {"axis": list(self.removed(inputs[0]))}


class ExpandDims(Movement):
    """A new axis of size 1: (a, b) -> (a, 1, b) for axis 1."""

    kind = "expand_dims"
    primary = "axis"
    axis: Whole = Field(description="where the new axis stands in the result; -1 is the last")

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        axis = axis_index(self, x.rank + 1, self.axis)
        return x.with_shape(*x.shape[:axis], 1, *x.shape[axis:])

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return {"axis": self.axis % (inputs[0].rank + 1)}


class RepeatVector(Movement):
    """A vector n times: (c) -> (n, c)."""

    kind = "repeat_vector"
    primary = "n"
    n: Positive

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        if x.rank != 1:
            raise OpError(f"`repeat_vector` needs 1 axis, got {x}", code="rank-mismatch", operand=0)
        return x.with_shape(self.n, x.shape[0])


class Split(Along):
    """Consecutive parts along an axis: (..., a + b) -> (..., a), (..., b); results `part0`, `part1`, ..."""

    kind = "split"
    primary = "sections"
    sections: Annotated[int, Field(ge=1, le=limits.LIST_ITEMS)] | tuple[Positive, ...] = Field(
        description="the number of equal parts, or the size of each part"
    )

    def result_names(self) -> tuple[str, ...]:
        count = self.sections if isinstance(self.sections, int) else len(self.sections)
        return tuple(f"part{k}" for k in range(count))

    def infer(self, *inputs: TensorSpec) -> tuple[TensorSpec, ...]:
        (x,) = inputs
        axis = axis_index(self, x.rank, self.axis)
        size = x.shape[axis]
        if isinstance(self.sections, int):
            if isinstance(size, int) and size % self.sections:
                raise OpError(
                    f"`split` cannot cut axis {axis} of {x} into {self.sections} equal parts", argument="sections"
                )
            try:
                part = size // self.sections if isinstance(size, Periodic) else divide_exactly(size, self.sections)
            except SizeError as error:
                raise OpError(str(error), code="unknown-size", operand=0) from None
            return (replaced(x, axis, part),) * self.sections
        if size != sum(self.sections):
            raise OpError(
                f"the parts of `split` sum to {sum(self.sections)}, axis {axis} of {x} has {size}",
                code="shape-mismatch" if isinstance(size, int) else "unknown-size",
                argument="sections",
            )
        return tuple(replaced(x, axis, part) for part in self.sections)

    def requires(self, *inputs: TensorSpec) -> Iterable[Requirement]:
        size = inputs[0].shape[self.axis % inputs[0].rank]
        if isinstance(self.sections, int) and self.sections > 1 and isinstance(size, Periodic):
            return [Multiple(size, self.sections)]
        return []

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        axis = self.axis % inputs[0].rank
        parts = [part.shape[axis] for part in self.infer(*inputs)]
        return {"axis": axis, "sections": parts if all(isinstance(p, int) for p in parts) else len(parts)}


class Slice(Along):
    """A part of one axis, as Python's start:stop:step: (..., n) -> (..., ceil((stop - start)/step))."""

    kind = "slice"
    start: Whole = Field(default=0, description="first position; negative counts from the end")
    stop: Whole | None = Field(default=None, description="position after the last; negative counts from the end")
    step: Positive = 1

    def bounds(self, size: Size) -> tuple[Size, Size]:
        """First position and the one after the last, both counted from the front."""
        start = self.start if self.start >= 0 else size + self.start
        if self.stop is None:
            return start, size
        return start, self.stop if self.stop >= 0 else size + self.stop

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        axis = axis_index(self, x.rank, self.axis)
        size = x.shape[axis]
        try:
            start, stop = self.bounds(size)
            length = stop - start
            if isinstance(size, int):
                assert isinstance(start, int)
                assert isinstance(stop, int)
                if start < 0 or stop > size:
                    raise OpError(
                        f"`slice` reaches beyond axis {axis} of {x}",
                        code="bad-argument",
                        argument="start" if start < 0 else "stop",
                    )
            if isinstance(length, int) and length < 1:
                raise OpError(f"`slice` leaves nothing of axis {axis} of {x}", code="empty-tensor", argument="stop")
            return replaced(x, axis, (length + (self.step - 1)) // self.step)
        except (SizeError, TypeError):
            raise OpError(
                f"`slice` cannot be followed along axis {axis} of {x}", code="unknown-size", operand=0
            ) from None

    def requires(self, *inputs: TensorSpec) -> Iterable[Requirement]:
        size = inputs[0].shape[self.axis % inputs[0].rank]
        if not isinstance(size, Periodic):
            return []
        start, stop = self.bounds(size)
        found = [AtLeast(size, max(-self.start, self.start + 1, abs(self.stop or 0)))]
        length = stop - start
        return found if isinstance(length, int) else [*found, AtLeast(length, 1)]

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        axis = self.axis % inputs[0].rank
        size = inputs[0].shape[axis]
        if not isinstance(size, int):
            return super().canonical(*inputs)
        start, stop = self.bounds(size)
        return {"axis": axis, "start": start, "stop": stop, "step": self.step}


class Gather(Along):
    """Positions of one axis, in the order given: (..., n) -> (..., len(indices)); one number drops the axis."""

    kind = "gather"
    primary = "indices"
    indices: Whole | Annotated[tuple[Whole, ...], Field(min_length=1, max_length=limits.LIST_ITEMS)] = Field(
        description="positions from 0, negative from the end; a list keeps the axis, one number drops it"
    )

    def positions(self, size: Size) -> tuple[int, ...]:
        """The positions counted from the front."""
        found = (self.indices,) if isinstance(self.indices, int) else self.indices
        if not isinstance(size, int):
            if min(found) < 0:
                raise OpError(
                    f"`indices` cannot count from the end of a size of `{size}`",
                    code="unknown-size",
                    argument="indices",
                )
            return found
        for index in found:
            if not -size <= index < size:
                raise OpError(f"there is no position {index} among {size}", code="bad-argument", argument="indices")
        return tuple(index % size for index in found)

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        axis = axis_index(self, x.rank, self.axis)
        found = self.positions(x.shape[axis])
        return replaced(x, axis) if isinstance(self.indices, int) else replaced(x, axis, len(found))

    def requires(self, *inputs: TensorSpec) -> Iterable[Requirement]:
        size = inputs[0].shape[self.axis % inputs[0].rank]
        return [AtLeast(size, max(self.positions(size)) + 1)] if isinstance(size, Periodic) else []

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        axis = self.axis % inputs[0].rank
        found = self.positions(inputs[0].shape[axis])
        return {"axis": axis, "indices": found[0] if isinstance(self.indices, int) else list(found)}


class Roll(Movement):
    """Positions moved on, those pushed out come in at the other end: (...) -> (...). Swin's shifted windows."""

    kind = "roll"
    primary = "shift"
    shift: Whole | tuple[Whole, ...] = Field(description="by how many positions, one number or one an axis")
    axis: Whole | tuple[Whole, ...] = Field(default=0, description="one or several, counted without the batch")

    def moves(self, x: TensorSpec) -> tuple[tuple[int, int], ...]:
        """(axis, shift) in ascending order of axes."""
        axes = (self.axis,) if isinstance(self.axis, int) else self.axis
        shifts = (self.shift,) * len(axes) if isinstance(self.shift, int) else self.shift
        if len(shifts) != len(axes):
            raise OpError(
                f"`shift` has {len(shifts)} numbers, `axis` has {len(axes)}", code="bad-argument", argument="shift"
            )
        axis_indices(self, x.rank, axes)
        return tuple(sorted((axis % x.rank, shift) for axis, shift in zip(axes, shifts)))

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        self.moves(inputs[0])
        return inputs[0]

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        moves = self.moves(inputs[0])
        return {"axis": [axis for axis, _ in moves], "shift": [shift for _, shift in moves]}


class Reverse(Movement):
    """Axes read backwards: (...) -> (...)."""

    kind = "reverse"
    primary = "axis"
    axis: Whole | tuple[Whole, ...] = Field(default=0, description="one or several, counted without the batch")

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        axis_indices(self, inputs[0].rank, self.axis)
        return inputs[0]

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return {"axis": list(axis_indices(self, inputs[0].rank, self.axis))}


class Reduction(Op):
    """What sums over axes share."""

    family = "reshape"
    primary = "axis"
    axis: Axes = None
    keepdims: bool = Field(default=False, description="keep the axes that were summed over, with size 1")

    @property
    def sees_all(self) -> bool:  # type: ignore[override]
        """Unless it sums over the channels alone."""
        return self.axis != -1

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        (x,) = inputs
        gone = axis_indices(self, x.rank, self.axis)
        if self.keepdims:
            return x.with_shape(*(1 if axis in gone else size for axis, size in enumerate(x.shape)))
        return x.with_shape(*(size for axis, size in enumerate(x.shape) if axis not in gone))

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return {**super().canonical(*inputs), "axis": list(axis_indices(self, inputs[0].rank, self.axis))}


class Mean(Reduction):
    """Mean over axes: (h, w, c) -> (c) for axis [0, 1]; of integers it is float32."""

    kind = "mean"

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        x = super().infer(*inputs)
        return x if "float" in x.dtype else TensorSpec(x.shape, "float32")


class Sum(Reduction):
    """Sum over axes: (h, w, c) -> (c) for axis [0, 1]."""

    kind = "sum"


RESHAPE_OPS: tuple[type[Op], ...] = (
    Identity, Flatten, Reshape, Permute, Squeeze, ExpandDims, RepeatVector, Split, Slice, Gather, Roll, Reverse,
    Mean, Sum,
)  # fmt: skip
