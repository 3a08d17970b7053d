"""Affine maps and embeddings in Keras."""

from __future__ import annotations

from typing import Any

import keras

from resspec.keras_backend.lower.conv import weight
from resspec.keras_backend.site import Lowering, Site, Table
from resspec.ops.dense import Dense, Embedding


def dense(site: Site, op: Dense, x: Any) -> Any:
    return site.layer(
        keras.layers.Dense,
        units=op.units,
        activation=op.activation,
        use_bias=op.use_bias,
        activity_regularizer=site.regularizer(op.activity_regularizer),
        **weight(site, op, "kernel", "bias"),
    )(x)


def embedding(site: Site, op: Embedding, x: Any) -> Any:
    layer = site.layer(
        keras.layers.ReversibleEmbedding if op.reverse or site.shared else keras.layers.Embedding,
        input_dim=op.input_dim,
        output_dim=op.output_dim,
        **weight(site, op, "embeddings"),
    )
    return layer(x, reverse=True) if op.reverse else layer(x)


DENSE: Table = {Dense: Lowering(dense, "last"), Embedding: Lowering(embedding, "last")}
