"""Explicit padding: the same on every backend, and `same` where that is the same thing."""

from __future__ import annotations

from typing import Any

import keras

from resspec.keras_backend.site import Site
from resspec.ops.base import per_axis
from resspec.tensor import Size


def padded(site: Site, op: Any, x: Any, *, suffix: str = "pad") -> tuple[Any, str]:
    """The padded input of a window op with zeros, and the word that Keras's layer is to be given."""
    rank = site.rank
    pads = op.pads(rank)
    if isinstance(pads, str):
        return x, pads
    kernel = per_axis(op.kernel_size, rank, "kernel_size")
    strides = per_axis(op.strides, rank, "strides")
    dilation = per_axis(op.dilation_rate, rank, "dilation_rate")
    if all(map(is_same, site.inputs[0].spatial, kernel, strides, dilation, pads)):
        return x, "same"
    return zero_padding(site, pads, suffix)(x), "valid"


def is_same(size: Size, kernel: int, stride: int, dilation: int, pad: tuple[int, int]) -> bool:
    """Whether `pad` reads the same window positions as `same`, for every value that `size` may take.

    `same` pads max((ceil(n/s) - 1)*s + span - n, 0) in total, the smaller half before. What an
    explicit padding adds after the last window does not matter.
    """
    span = dilation * (kernel - 1) + 1
    if stride == 1:
        return pad == ((span - 1) // 2, span // 2)
    if not isinstance(size, int):
        return False
    total = max((-(-size // stride) - 1) * stride + span - size, 0)
    positions = (size + sum(pad) - span) // stride + 1
    return pad[0] == total // 2 and positions == -(-size // stride)


def zero_padding(site: Site, pads: tuple[tuple[int, int], ...], suffix: str) -> Any:
    """A layer that adds zeros; one axis has no `data_format` in the same way as the others."""
    padding: Any = pads[0] if len(pads) == 1 else pads
    return site.nd("ZeroPadding", suffix, padding=padding, data_format=site.data_format)
