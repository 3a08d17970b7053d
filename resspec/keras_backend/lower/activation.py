"""Activations in Keras."""

from __future__ import annotations

from typing import Any

import keras

from resspec.keras_backend.lower.conv import weight
from resspec.keras_backend.lower.norm import axes
from resspec.keras_backend.site import Lowering, Site, Table
from resspec.ops.activation import (
    PLAIN,
    Abs,
    Activation,
    Celu,
    Elementwise,
    Elu,
    Gelu,
    Glu,
    LeakyRelu,
    LogSoftmax,
    Prelu,
    Relu,
    Relu6,
    Softmax,
)


def plain(site: Site, op: Elementwise, x: Any) -> Any:
    return site.layer(keras.layers.Activation, activation=op.kind)(x)


def activation(site: Site, op: Activation, x: Any) -> Any:
    simple = op.simplified()
    return ACTIVATION[type(simple)].rule(site, simple, x)


def relu(site: Site, op: Relu, x: Any) -> Any:
    if op == Relu():
        return site.layer(keras.layers.Activation, activation="relu")(x)
    return site.layer(
        keras.layers.ReLU, max_value=op.max_value, negative_slope=op.negative_slope, threshold=op.threshold
    )(x)


def leaky_relu(site: Site, op: LeakyRelu, x: Any) -> Any:
    return site.layer(keras.layers.LeakyReLU, negative_slope=op.negative_slope)(x)


def prelu(site: Site, op: Prelu, x: Any) -> Any:
    shared = [i + 1 for i in op.shared(site.inputs[0])] or None
    return site.layer(keras.layers.PReLU, shared_axes=shared, **weight(site, op, "alpha"))(x)


def elu(site: Site, op: Elu, x: Any) -> Any:
    return site.layer(keras.layers.ELU, alpha=op.alpha)(x)


def celu(site: Site, op: Celu, x: Any) -> Any:
    return site.operation(keras.ops.celu, x, alpha=op.alpha)


def gelu(site: Site, op: Gelu, x: Any) -> Any:
    if op.approximate:
        return site.operation(keras.ops.gelu, x, approximate=True)
    return site.layer(keras.layers.Activation, activation="gelu")(x)


def absolute(site: Site, op: Abs, x: Any) -> Any:
    return site.operation(keras.ops.absolute, x)


def softmax(site: Site, op: Softmax, x: Any) -> Any:
    return site.layer(keras.layers.Softmax, axis=axes(site, op.axes(site.inputs[0])))(x)


def log_softmax(site: Site, op: LogSoftmax, x: Any) -> Any:
    return site.operation(keras.ops.log_softmax, x, axis=op.axes(site.inputs[0])[0] + 1)


def glu(site: Site, op: Glu, x: Any) -> Any:
    return site.operation(keras.ops.glu, x, axis=site.channel_axis)


ACTIVATION: Table = {
    **{op: Lowering(plain, "any") for op in PLAIN},
    Relu6: Lowering(plain, "any"),
    Activation: Lowering(activation, "last"),
    Relu: Lowering(relu, "any"),
    LeakyRelu: Lowering(leaky_relu, "any"),
    Prelu: Lowering(prelu, "last"),
    Elu: Lowering(elu, "any"),
    Celu: Lowering(celu, "any"),
    Gelu: Lowering(gelu, "any"),
    Abs: Lowering(absolute, "any"),
    Softmax: Lowering(softmax, "last"),
    LogSoftmax: Lowering(log_softmax, "last"),
    Glu: Lowering(glu, "spatial"),
}
