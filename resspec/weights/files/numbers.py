"""Numbers as they lie in files: their types, and stretches of bytes as arrays."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy

from resspec.weights.files.refusal import reading

Reader = Callable[[], numpy.ndarray]

DTYPES = {
    **{name: name for name in ("float16", "float32", "float64", "bool")},
    **{f"{kind}{bits}": f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
    "bfloat16": "uint16",
}
"""the numbers that are read, and the type of NumPy that holds their bits"""


def size_of(dtype: str, shape: tuple[int, ...]) -> int:
    """Bytes of an array."""
    return math.prod(shape) * numpy.dtype(DTYPES[dtype]).itemsize


def stretch(file: IO[bytes], start: int, count: int) -> numpy.ndarray:
    """`count` bytes of an open file. Raises ValueError if it ends before."""
    found = numpy.empty(count, "uint8")
    view, done = memoryview(found.data), 0
    while done < count:
        read = os.preadv(file.fileno(), [view[done : done + (1 << 30)]], start + done)
        if not read:
            raise ValueError("it ends too early")
        done += read
    return found


def array_of(bits: numpy.ndarray, dtype: str, order: str = "<") -> numpy.ndarray:
    """Bytes in an order as a flat array in the machine's own; bfloat16 as float32."""
    given = numpy.dtype(DTYPES[dtype]).newbyteorder(order)  # type: ignore[arg-type]  # `<` or `>`
    found = bits.view(given).astype(given.newbyteorder("="), copy=False)
    return widened(found) if dtype == "bfloat16" else found


def widened(bits: numpy.ndarray) -> numpy.ndarray:
    """The float32 numbers whose upper halves are `bits`: bfloat16."""
    return (bits.astype("uint32") << 16).view("float32")


def lying(path: Path, file: IO[bytes], start: int, dtype: str, shape: tuple[int, ...]) -> Reader:
    """Reads an array of little-endian numbers, row after row, from a place in an open file."""

    def read() -> numpy.ndarray:
        with reading(path):
            return array_of(stretch(file, start, size_of(dtype, shape)), dtype).reshape(shape)

    return read
