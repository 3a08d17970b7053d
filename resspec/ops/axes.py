"""Axes of one example, and sizes that must agree.

Axes are counted without the batch, as in shapes: axis 0 is the first after the batch, and negative
ones count from the end, so that -1 is the channels on inputs of any rank.
"""

from __future__ import annotations

from collections.abc import Iterable

from resspec.ops.base import Op, OpError, total
from resspec.sizes import Periodic, Size, SizeError
from resspec.tensor import TensorSpec


def axis_index(op: Op, rank: int, axis: int, argument: str = "axis") -> int:
    """`axis` counted from the front, checked against the rank."""
    if not -rank <= axis < rank:
        axes = f"axes {-rank} to {rank - 1}" if rank else "no axes"
        raise OpError(
            f"`{op.kind}` has no axis {axis}, its input has {axes} (the batch left out)",
            code="bad-argument",
            argument=argument,
        )
    return axis % rank


def axis_indices(op: Op, rank: int, axes: int | tuple[int, ...] | None, argument: str = "axis") -> tuple[int, ...]:
    """Several axes counted from the front, in ascending order; None for all of them."""
    if axes is None:
        return tuple(range(rank))
    found = [axis_index(op, rank, axis, argument) for axis in ((axes,) if isinstance(axes, int) else axes)]
    if len(set(found)) != len(found):
        raise OpError(f"`{argument}` names an axis twice", code="bad-argument", argument=argument)
    return tuple(sorted(found))


def replaced(x: TensorSpec, axis: int, *sizes: Size) -> TensorSpec:
    """`x` with one axis replaced by others: by one of another size, by none, by several."""
    return x.with_shape(*x.shape[:axis], *sizes, *x.shape[axis + 1 :])


def differ(left: Size, right: Size) -> bool:
    """Whether two sizes are unequal for every value of the unknowns, or cannot be compared at all."""
    if left == right:
        return False
    if isinstance(left, Periodic) and isinstance(right, Periodic) and left.unknown != right.unknown:
        return False  # that they are equal says how the unknowns depend on each other
    if not isinstance(left, Periodic) and not isinstance(right, Periodic):
        return True
    try:
        difference = left - right
    except (SizeError, TypeError):
        return True
    return isinstance(difference, int) and difference != 0


def more_specific(left: Size, right: Size) -> Size:
    """Of two sizes that must be equal the one that says more: a number, then the simpler formula."""
    if isinstance(left, int) or not isinstance(right, int | Periodic):
        return left
    if isinstance(right, int) or not isinstance(left, Periodic):
        return right
    return right if right.period < left.period else left


def common_dtype(*inputs: TensorSpec) -> str:
    """The dtype of a merge: floats win over integers, the first input's otherwise."""
    return next((x.dtype for x in inputs if "float" in x.dtype), inputs[0].dtype)


def joined(sizes: Iterable[Size]) -> Size:
    """The sum of sizes along one axis; `OpError` where two unknowns would mix."""
    try:
        return total(sizes)
    except (SizeError, TypeError) as error:
        raise OpError(f"the sizes along this axis cannot be added: {error}", code="unknown-size") from None
