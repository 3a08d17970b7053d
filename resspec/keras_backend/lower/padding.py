"""Explicit padding: the same on every backend, and `same` where that is the same thing."""

from __future__ import annotations

from typing import Any

import keras

from resspec.keras_backend.site import Site
from resspec.ops.windows import Pads
from resspec.sizes import Size

PerAxis = tuple[int, ...]


def padded(site: Site, op: Any, x: Any, *, suffix: str = "pad") -> tuple[Any, str]:
    """The input of a convolution, padded with zeros, and the word that Keras's layer is to be given."""
    pads = op.pads(site.rank)
    if isinstance(pads, str):
        return x, pads
    if reads_same(site, pads, *op.window(site.inputs[0])):
        return x, "same"
    return zero_padding(site, pads, suffix)(x), "valid"


def reads_same(site: Site, pads: Pads, kernel: PerAxis, strides: PerAxis, dilation: PerAxis) -> bool:
    """Whether explicit padding is `same` along every axis, and for every call of a shared layer."""
    if site.shared and max(strides) > 1:  # then it depends on the size, and the calls may differ in it
        return False
    return all(map(is_same, site.inputs[0].spatial, kernel, strides, dilation, pads))


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


def zero_padding(site: Site, pads: Pads, suffix: str = "") -> Any:
    """A layer that adds zeros; one axis has no `data_format` in the same way as the others."""
    padding: Any = pads[0] if len(pads) == 1 else pads
    return site.nd("ZeroPadding", suffix, padding=padding, data_format=site.data_format)


def cropped(site: Site, pads: Pads, x: Any, suffix: str = "") -> Any:
    """Rows taken off; Keras's layer for one axis knows channels last only."""
    if site.rank > 1:
        return site.nd("Cropping", suffix, cropping=pads, data_format=site.data_format)(x)
    if site.channel_axis == -1:
        return site.nd("Cropping", suffix, cropping=pads[0])(x)
    x = site.layer(keras.layers.Permute, f"{suffix}-in", dims=(2, 1))(x)
    x = site.nd("Cropping", f"{suffix}-rows", cropping=pads[0])(x)
    return site.layer(keras.layers.Permute, suffix, dims=(2, 1))(x)


def batched(site: Site, pads: Pads) -> list[tuple[int, int]]:
    """Padding of the spatial axes as `keras.ops.pad` wants it: a pair for every axis of a batch."""
    none = (0, 0)
    last = site.data_format == "channels_last"
    return [none, *pads, none] if last else [none, none, *pads]
