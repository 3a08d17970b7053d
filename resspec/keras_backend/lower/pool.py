"""Pooling in Keras."""

from __future__ import annotations

import math
from typing import Any

import keras

from resspec.keras_backend.lower.padding import batched, reads_same, zero_padding
from resspec.keras_backend.site import Lowering, Site, Table
from resspec.ops.base import per_axis
from resspec.ops.pool import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AdaptivePooling,
    AvgPool,
    GlobalAvgPool,
    GlobalMaxPool,
    GlobalPooling,
    MaxPool,
    Pooling,
)


def pooling(site: Site, op: Pooling, x: Any, kind: str, padding: Any) -> Any:
    return site.nd(kind, pool_size=op.pool_size, strides=op.strides, padding=padding, data_format=site.data_format)(x)


def max_pool(site: Site, op: MaxPool, x: Any) -> Any:
    """Keras fills `same` with minus infinity too, so that explicit padding may be `same`."""
    size, strides, pads = op.window(site.inputs[0])
    if isinstance(pads, str):
        word = pads
    elif reads_same(site, pads, size, strides, (1,) * len(size)):
        word = "same"
    else:
        pad = {"pad_width": batched(site, pads), "constant_values": -math.inf}
        x, word = site.operation(keras.ops.pad, x, suffix="pad", **pad), "valid"
    return pooling(site, op, x, "MaxPooling", word)


def avg_pool(site: Site, op: AvgPool, x: Any) -> Any:
    """Zeros count in the mean, under `same` nothing outside does: explicit padding is never `same`."""
    _, _, pads = op.window(site.inputs[0])
    if isinstance(pads, str):
        return pooling(site, op, x, "AveragePooling", pads)
    return pooling(site, op, zero_padding(site, pads, "pad")(x), "AveragePooling", "valid")


def global_pooling(kind: str) -> Any:
    def rule(site: Site, op: GlobalPooling, x: Any) -> Any:
        return site.nd(kind, keepdims=op.keepdims, data_format=site.data_format)(x)

    return rule


def adaptive_pooling(kind: str) -> Any:
    """A global or a plain pooling where the windows are even; they take unknown sizes and any Keras."""

    def rule(site: Site, op: AdaptivePooling, x: Any) -> Any:
        spatial = site.inputs[0].spatial
        sizes = per_axis(op.output_size, len(spatial), "output_size")
        if max(sizes) == 1:
            return site.nd(f"Global{kind}", keepdims=True, data_format=site.data_format)(x)
        numbers = [n for n in spatial if isinstance(n, int)]
        if all(n % size == 0 for n, size in zip(numbers, sizes, strict=True)):
            windows = tuple(n // size for n, size in zip(numbers, sizes, strict=True))
            return site.nd(kind, pool_size=windows, data_format=site.data_format)(x)
        if min(sizes) > 1:
            return site.nd(f"Adaptive{kind}", output_size=sizes, data_format=site.data_format)(x)
        # Keras's adaptive layer ends the process on TensorFlow where a window is as large as the input
        kept = tuple(n if size == 1 else size for n, size in zip(numbers, sizes, strict=True))
        whole = tuple(n if size == 1 else 1 for n, size in zip(numbers, sizes, strict=True))
        x = site.nd(f"Adaptive{kind}", "spread", output_size=kept, data_format=site.data_format)(x)
        return site.nd(kind, pool_size=whole, data_format=site.data_format)(x)

    return rule


POOL: Table = {
    MaxPool: Lowering(max_pool, "spatial"),
    AvgPool: Lowering(avg_pool, "spatial"),
    GlobalAvgPool: Lowering(global_pooling("GlobalAveragePooling"), "spatial"),
    GlobalMaxPool: Lowering(global_pooling("GlobalMaxPooling"), "spatial"),
    AdaptiveAvgPool: Lowering(adaptive_pooling("AveragePooling"), "spatial"),
    AdaptiveMaxPool: Lowering(adaptive_pooling("MaxPooling"), "spatial"),
}
