"""Convolutions in Keras."""

from __future__ import annotations

from typing import Any

import keras

from resspec.keras_backend.site import Lowering, Site, Table
from resspec.keras_backend.lower.padding import padded
from resspec.ops.conv import Conv, Convolution


def kernel(site: Site, op: Any, weight: str = "kernel") -> dict[str, Any]:
    """Initializer, regularizer and constraint of a weight as Keras arguments."""
    return {
        f"{weight}_initializer": site.initializer(weight, getattr(op, f"{weight}_initializer")),
        f"{weight}_regularizer": site.regularizer(getattr(op, f"{weight}_regularizer")),
        f"{weight}_constraint": site.constraint(getattr(op, f"{weight}_constraint")),
    }


def common(site: Site, op: Convolution) -> dict[str, Any]:
    return {
        "strides": op.strides,
        "dilation_rate": op.dilation_rate,
        "activation": op.activation,
        "use_bias": op.use_bias,
        "activity_regularizer": site.regularizer(op.activity_regularizer),
        "data_format": site.data_format,
        **kernel(site, op, "bias"),
    }


def conv(site: Site, op: Conv, x: Any) -> Any:
    x, word = padded(site, op, x)
    return site.nd(
        "Conv",
        filters=op.filters,
        kernel_size=op.kernel_size,
        groups=op.groups,
        padding=word,
        **common(site, op),
        **kernel(site, op),
    )(x)


CONV: Table = {Conv: Lowering(conv, "spatial")}
