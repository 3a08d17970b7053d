"""Fixed preprocessing in Keras: the numbers stand in the layers' configurations, so that they load anywhere."""

from __future__ import annotations

from typing import Any

import keras

from resspec.keras_backend.site import Lowering, Site, Table
from resspec.ops import preprocess


def plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def rescale(site: Site, op: preprocess.Rescale, x: Any) -> Any:
    return site.layer(keras.layers.Rescaling, scale=plain(op.scale), offset=plain(op.offset))(x)


def normalization(site: Site, op: preprocess.Normalization, x: Any) -> Any:
    axis = -1 if isinstance(op.mean, tuple) else None
    mean, variance = plain(op.mean), plain(op.variance)
    return site.layer(keras.layers.Normalization, axis=axis, mean=mean, variance=variance, invert=op.invert)(x)


PREPROCESS: Table = {
    preprocess.Rescale: Lowering(rescale, "last"),
    preprocess.Normalization: Lowering(normalization, "last"),
}
