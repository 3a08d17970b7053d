"""Weights for another number of input channels or classes, where the caller asks for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from resspec.ops.base import Weight
from resspec.weights import pattern

if TYPE_CHECKING:
    import numpy as np

How = Literal["channels", "fresh"]
"""`channels`: the kernel for another number of input channels, so that a grey image gives the same response;
`fresh`: initial values, for a head of other classes"""

WAYS: tuple[How, ...] = get_args(How)


def asked(adapts: Mapping[str, How], path: str) -> How | None:
    """How the weights of a node are to be adapted; the first pattern that fits its path, or that of a step above it."""
    return next((how for name, how in adapts.items() if pattern.below(name).fullmatch(path)), None)


def for_channels(weights: Sequence[Weight], elements: int) -> list[Weight]:
    """`weights` with a kernel `(..., channels, filters)` of as many channels as `elements` make."""
    found = []
    for weight in weights:
        *window, _, filters = (1, *weight.shape) if len(weight.shape) == 1 else weight.shape
        rest = math.prod(window) * filters
        fits = weight.name == "kernel" and elements % rest == 0
        found.append(replace(weight, shape=(*window, elements // rest, filters)) if fits else weight)
    return found


def channels(kernel: np.ndarray[Any, Any], wanted: int) -> np.ndarray[Any, Any]:
    """A kernel `(..., channels, filters)` for `wanted` channels.

    For one channel the sum over all; for others the channels again and again, scaled so that their sum stays:
    an image with equal channels then gives what it gave before.
    """
    import numpy as np

    given = kernel.shape[-2]
    order = np.arange(wanted) % given
    times = np.bincount(order, minlength=given)
    if wanted < given:
        mean = kernel.sum(axis=-2, keepdims=True) / wanted
        return np.asarray(np.repeat(mean, wanted, axis=-2))
    return np.asarray(kernel[..., order, :] / times[order][:, None])
