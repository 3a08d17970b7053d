"""Sliding windows along several axes: explicit padding and the sizes that come out."""

from __future__ import annotations

from resspec.ops.base import OpError
from resspec.sizes import Product, Size, SizeError, same_window, window

Pads = tuple[tuple[int, int], ...]
"""(before, after) for every spatial axis"""


def side_pairs(padding: int | tuple[int | tuple[int, int], ...], rank: int, argument: str = "padding") -> Pads:
    """1, [1, 2] and [[0, 1], [1, 2]] as pairs (before, after) an axis."""
    if isinstance(padding, int):
        return ((padding, padding),) * rank
    pairs = tuple((side, side) if isinstance(side, int) else side for side in padding)
    if len(pairs) == 1:
        return pairs * rank
    if len(pairs) != rank:
        raise OpError(
            f"`{argument}` has {len(pairs)} entries, the input has {rank} spatial axes",
            code="rank-mismatch",
            argument=argument,
            help="write one number, one an axis, or a pair `[before, after]` an axis",
        )
    return pairs


def explicit_pads(padding: object, rank: int, argument: str = "padding") -> Pads | str:
    """`same`, `valid` and `causal` as they are; numbers as pairs an axis.

    Padding of nothing is `valid`, so that both ways to write it are one.
    """
    if isinstance(padding, str):
        return padding
    assert isinstance(padding, (int, tuple))
    pairs = side_pairs(padding, rank, argument)
    return "valid" if not any(map(any, pairs)) else pairs


def moved(size: Size, factor: int, shift: int = 0) -> Size:
    """factor * size + shift; `OpError` where that cannot be followed."""
    if not isinstance(size, Product):
        return size * factor + shift if isinstance(size, int) else size.map_affine(factor, shift)
    if shift:
        raise OpError(f"an axis of size `{size}` cannot be cut or padded", code="unknown-size", operand=0)
    return size * factor


def slide(
    sizes: tuple[Size, ...],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    pads: Pads | str,
    dilation: tuple[int, ...],
) -> tuple[Size, ...]:
    """The number of window positions along every axis; `OpError` where the window does not fit."""
    found = []
    for axis, size in enumerate(sizes):
        span = dilation[axis] * (kernel[axis] - 1) + 1
        try:
            if pads in ("same", "causal"):
                out = same_window(size, strides[axis])
            else:
                before, after = (0, 0) if isinstance(pads, str) else pads[axis]
                out = window(size, kernel[axis], strides[axis], before, after, dilation[axis])
        except SizeError as error:
            raise OpError(str(error), code="unknown-size", operand=0) from None
        if isinstance(out, int) and out < 1:
            raise OpError(
                f"a window of {span} does not fit into a size of {size}",
                code="empty-tensor",
                operand=0,
                help="use a smaller `kernel_size`, `padding: same`, or a larger input",
            )
        found.append(out)
    return tuple(found)
