"""How arrays lie in files of another library, as data: shapes are known before anything is read."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

Shape = tuple[int, ...]
Order = tuple[Shape, ...]
"""parts of a vector of ours: `(n,)` as it is, a picture `(*window, c)` that the file has channels first"""


def bare(shape: Shape) -> Shape:
    """A shape without its axes of size 1: a 1x1 convolution is a matrix, `(1, 197, 768)` a table."""
    return tuple(size for size in shape if size != 1)


@dataclass(frozen=True, slots=True)
class Layout:
    """From an array of shape `source` to one of shape `ours`: rows of it, cut into parts, in another order.

    A matrix whose axes are `exchanged` lies in the file as `(n, m)` where `source` is `(m, n)`.
    The elements along each axis are put into our order where they are `shuffled`.
    `rows` are taken of the first axis; what is left is reshaped to `split`; its first axis is put into the
    order `take`, its axes into `order`; then it is reshaped to `ours`.
    """

    ours: Shape
    source: Shape
    rows: tuple[int, int] | None = None
    split: Shape | None = None
    take: tuple[int, ...] | None = None
    order: tuple[int, ...] | None = None
    exchanged: bool = False
    shuffled: tuple[Order, ...] = ()

    @property
    def stored(self) -> Shape:
        """The shape in the file."""
        return self.source[::-1] if self.exchanged else self.source

    def fits(self, shape: Shape) -> bool:
        """Whether an array of `shape` can be read so, cut into parts already or not; axes of size 1 do not matter."""
        return bare(shape) == bare(self.stored) or (
            self.split is not None and self.rows is None and not self.exchanged and bare(shape) == bare(self.split)
        )

    def read(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """`array` as ours."""
        found = array.reshape(self.stored)
        if self.exchanged:
            found = found.T
        for axis, parts in enumerate(self.shuffled):
            if not plain(parts):
                found = found.take(_places(parts), axis)
        if self.rows is not None:
            found = found[self.rows[0] : self.rows[1]]
        if self.split is not None:
            found = found.reshape(self.split)
        if self.take is not None:
            found = found[list(self.take)]
        if self.order is not None:
            found = found.transpose(self.order)
        return found.reshape(self.ours)


def same(shape: Shape) -> Layout:
    return Layout(shape, shape)


def turned(shape: Shape, order: tuple[int, ...]) -> Layout:
    """Ours is theirs with its axes in this `order`."""
    source = [0] * len(shape)
    for ours, theirs in enumerate(order):
        source[theirs] = shape[ours]
    return Layout(shape, tuple(source), order=order)


def transposed(lies: Layout) -> Layout:
    """The same of a matrix whose two axes are exchanged in the file; anything but a matrix is as it was."""
    return replace(lies, exchanged=True) if len(lies.source) == 2 else lies


def kernel(shape: Shape) -> Layout:
    """`(*window, in, out)` of `(out, in, *window)`; in a transposed convolution both have `in` and `out` exchanged."""
    rank = len(shape) - 2
    return turned(shape, (*range(2, rank + 2), 1, 0))


def depthwise(shape: Shape) -> Layout:
    """`(*window, c, m)` of `(c*m, 1, *window)`."""
    *window, channels, multiplier = shape
    axes = range(2, len(window) + 2)
    return Layout(
        shape, (channels * multiplier, 1, *window), split=(channels, multiplier, *window), order=(*axes, 0, 1)
    )


def matrix(shape: Shape, entering: Order = (), leaving: Order = ()) -> Layout:
    """`(in, out)` of `(out, in)`, for vectors of these orders.

    Where one picture enters, the file may hold the matrix as the kernel of a convolution over all of it.
    """
    inputs, outputs = shape
    if plain(leaving) and len(entering) == 1 and not plain(entering):
        *window, channels = entering[0]
        axes = range(2, len(window) + 2)
        return Layout(shape, (outputs, inputs), split=(outputs, channels, *window), order=(*axes, 1, 0))
    return replace(turned(shape, (1, 0)), shuffled=(leaving, entering))


def vector(shape: Shape, order: Order) -> Layout:
    """One number for each element of a vector of this order."""
    return replace(same(shape), shuffled=(order,))


def plain(order: Order) -> bool:
    """Whether ours is that of the file."""
    return all(len(bare(part)) < 2 for part in order)


def _places(order: Order) -> np.ndarray[Any, Any]:
    """For each element of ours its place in the file."""
    import numpy as np

    found, start = [], 0
    for part in order:
        size = math.prod(part)
        theirs = np.arange(start, start + size).reshape(part[-1], *part[:-1])
        found.append(np.moveaxis(theirs, 0, -1).ravel())
        start += size
    return np.concatenate(found)


def projection(shape: Shape, part: int = 0, parts: int = 1) -> Layout:
    """`(in, heads, dim)` of rows of `(parts*heads*dim, in)`, or a bias `(heads, dim)` of a vector."""
    outputs = math.prod(shape[-2:])
    rows = (part * outputs, (part + 1) * outputs) if parts > 1 else None
    if len(shape) == 2:
        return Layout(shape, (parts * outputs,), rows)
    return Layout(shape, (parts * outputs, shape[0]), rows, order=(1, 0))


def joined(shape: Shape) -> Layout:
    """`(heads, dim, out)` of `(out, heads*dim)`."""
    heads, size, outputs = shape
    return Layout(shape, (outputs, heads * size), order=(1, 0))


def gates(shape: Shape, order: tuple[int, ...]) -> Layout:
    """`(in, gates*units)` of `(gates*units, in)`, or a bias, its gates in another order."""
    count = len(order)
    wide = shape[-1]
    if len(shape) == 1:
        return Layout(shape, shape, split=(count, wide // count), take=order)
    # rows first, so that the gates are blocks of the first axis; then (gates, units, in) -> (in, gates, units)
    split = (count, wide // count, shape[0])
    return Layout(shape, (wide, shape[0]), split=split, take=order, order=(2, 0, 1))
