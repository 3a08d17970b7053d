"""Learned and fixed tensors out of built-in layers, so that a saved model needs nothing else to load."""

from __future__ import annotations

import operator
from math import prod
from typing import Any

import keras
import numpy as np

from resspec.keras_backend.site import Lowering, Site, Table
from resspec.ops import parameter as par

LETTERS = "cdefghijkl"


def one(site: Site, x: Any) -> Any:
    """A 1 for every example."""
    flat = site.layer(keras.layers.Flatten, "flat", data_format="channels_last")(x)
    first = site.operation(keras.ops.take, flat, [0], axis=1, suffix="first")
    return site.operation(keras.ops.ones_like, first, dtype="float32", suffix="one")


def parameter(site: Site, op: par.Parameter, x: Any) -> Any:
    """An einsum of a one per example with a kernel of shape (1, *shape), which is the parameter."""
    axes = LETTERS[: len(op.shape)]
    return site.layer(
        keras.layers.EinsumDense,
        equation=f"ab,b{axes}->a{axes}",
        output_shape=op.shape,
        kernel_initializer=site.initializer("kernel", op.initializer),
        kernel_regularizer=site.regularizer(op.regularizer),
        kernel_constraint=site.constraint(op.constraint),
    )(one(site, x))


def constant(site: Site, op: par.Constant, x: Any) -> Any:
    ones = site.operation(keras.ops.repeat, one(site, x), prod(op.shape), axis=1, suffix="all")
    value = np.asarray([op.value], "float32") if isinstance(op.value, tuple) else op.value
    filled = site.operation(keras.ops.multiply, ones, value, suffix="filled")
    return site.layer(keras.layers.Reshape, target_shape=op.shape)(filled)


def position_embedding(site: Site, op: par.PositionEmbedding, x: Any) -> Any:
    """Positions are counted in the graph, so that they fit sequences of any length."""
    column = site.operation(operator.getitem, x, (slice(None), slice(None), 0), suffix="column")
    ones = site.operation(keras.ops.ones_like, column, dtype="int32", suffix="ones")
    count = site.operation(keras.ops.cumsum, ones, axis=1, suffix="count")
    positions = site.operation(keras.ops.subtract, count, 1, suffix="positions")
    table = site.layer(
        keras.layers.Embedding,
        input_dim=op.positions(site.inputs[0]),
        output_dim=site.inputs[0].channels,
        embeddings_initializer=site.initializer("embeddings", op.embeddings_initializer),
        embeddings_regularizer=site.regularizer(op.embeddings_regularizer),
        embeddings_constraint=site.constraint(op.embeddings_constraint),
    )(positions)
    return site.layer(keras.layers.Add, "add")([x, table])


def layer_scale(site: Site, op: par.LayerScale, x: Any) -> Any:
    """An einsum with a vector, which is a product channel by channel."""
    axes = LETTERS[: site.inputs[0].rank]
    return site.layer(
        keras.layers.EinsumDense,
        equation=f"a{axes},{axes[-1]}->a{axes}",
        output_shape=tuple(size if isinstance(size, int) else None for size in site.inputs[0].shape),
        kernel_initializer=keras.initializers.Constant(op.init_values),
        kernel_regularizer=site.regularizer(op.regularizer),
        kernel_constraint=site.constraint(op.constraint),
    )(x)


def scale(site: Site, op: par.Scale, x: Any) -> Any:
    return site.operation(keras.ops.multiply, x, op.factor)


PARAMETER: Table = {
    par.Parameter: Lowering(parameter, "last"),
    par.Constant: Lowering(constant, "last"),
    par.PositionEmbedding: Lowering(position_embedding, "last"),
    par.LayerScale: Lowering(layer_scale, "last"),
    par.Scale: Lowering(scale, "any"),
}
