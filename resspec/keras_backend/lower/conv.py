"""Convolutions in Keras."""

from __future__ import annotations

from typing import Any

import keras

from resspec.keras_backend.lower.padding import cropped, padded
from resspec.keras_backend.site import Lowering, Site, Table
from resspec.ops.conv import Conv, Convolution, ConvTranspose, DepthwiseConv, SeparableConv

ALONG_CHANNELS = ("softmax", "log_softmax")
"""activations that Keras takes along the last axis, wherever the channels lie"""


def weight(site: Site, op: Any, *names: str) -> dict[str, Any]:
    """Initializer, regularizer and constraint of weights as Keras arguments."""
    found: dict[str, Any] = {}
    for name in names:
        found[f"{name}_initializer"] = site.initializer(name, getattr(op, f"{name}_initializer"))
        found[f"{name}_regularizer"] = site.regularizer(getattr(op, f"{name}_regularizer"))
        found[f"{name}_constraint"] = site.constraint(getattr(op, f"{name}_constraint"))
    return found


def convolution(site: Site, op: Convolution, x: Any, kind: str, *weights: str, **arguments: Any) -> Any:
    """The layer of class `kind` (for the rank of the input) on x, with what all convolutions have in common."""
    apart = site.channel_axis != -1 and op.activation in ALONG_CHANNELS
    y = site.layer(
        getattr(keras.layers, kind.format(rank=site.rank)),
        kernel_size=op.kernel_size,
        strides=op.strides,
        dilation_rate=op.dilation_rate,
        activation=None if apart else op.activation,
        use_bias=op.use_bias,
        activity_regularizer=site.regularizer(op.activity_regularizer),
        data_format=site.data_format,
        **weight(site, op, *weights, "bias"),
        **arguments,
    )(x)
    if not apart:
        return y
    y = site.layer(keras.layers.Softmax, "activation", axis=site.channel_axis)(y)
    return site.operation(keras.ops.log, y, suffix="log") if op.activation == "log_softmax" else y


def conv(site: Site, op: Conv, x: Any) -> Any:
    x, word = padded(site, op, x)
    return convolution(site, op, x, "Conv{rank}D", "kernel", filters=op.filters, groups=op.groups, padding=word)


def conv_transpose(site: Site, op: ConvTranspose, x: Any) -> Any:
    """Numbers as padding are a `valid` layer and a cropping, or `same` where that is the same thing."""
    kernel, strides, dilation = op.window(site.inputs[0])
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    pads, extra = op.pads(site.rank), op.extra(site.rank)
    word, crops = pads, None
    if not isinstance(pads, str):
        assert extra is not None
        # what `same` takes off: span - strides rows, the smaller half before
        if all(
            span >= stride and pad == ((span - stride) // 2, (span - stride + 1) // 2 + more)
            for span, stride, pad, more in zip(spans, strides, pads, extra, strict=True)
        ):
            word, extra = "same", None
        else:
            word, crops = "valid", pads if any(map(any, pads)) else None
            if not any(extra) and all(span >= stride for span, stride in zip(spans, strides, strict=True)):
                extra = None
    y = convolution(
        site, op, x, "Conv{rank}DTranspose", "kernel", filters=op.filters, padding=word, output_padding=extra
    )
    return y if crops is None else cropped(site, crops, y, "crop")


def depthwise_conv(site: Site, op: DepthwiseConv, x: Any) -> Any:
    x, word = padded(site, op, x)
    return convolution(
        site, op, x, "DepthwiseConv{rank}D", "depthwise", padding=word, depth_multiplier=op.depth_multiplier
    )


def separable_conv(site: Site, op: SeparableConv, x: Any) -> Any:
    x, word = padded(site, op, x)
    return convolution(
        site,
        op,
        x,
        "SeparableConv{rank}D",
        "depthwise",
        "pointwise",
        filters=op.filters,
        padding=word,
        depth_multiplier=op.depth_multiplier,
    )


CONV: Table = {
    Conv: Lowering(conv, "spatial"),
    ConvTranspose: Lowering(conv_transpose, "spatial"),
    DepthwiseConv: Lowering(depthwise_conv, "spatial"),
    SeparableConv: Lowering(separable_conv, "spatial"),
}
