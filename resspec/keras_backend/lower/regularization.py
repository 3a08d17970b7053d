"""Noise and penalties in Keras; their seeds follow the build's seed and the node's path."""

from __future__ import annotations

from typing import Any

import keras

from resspec.keras_backend.site import Lowering, Site, Table
from resspec.ops import regularization as reg


def seeded(name: str, argument: str = "rate") -> Lowering:
    def rule(site: Site, op: Any, x: Any) -> Any:
        value = {argument: getattr(op, argument)}
        return site.layer(getattr(keras.layers, name), **value, seed=site.seed("noise", op.seed))(x)

    return Lowering(rule, "any")


def spatial_dropout(site: Site, op: reg.SpatialDropout, x: Any) -> Any:
    arguments: dict[str, Any] = {"rate": op.rate, "seed": site.seed("noise", op.seed)}
    if site.rank > 1:
        return site.nd("SpatialDropout", **arguments, data_format=site.data_format)(x)
    if site.channel_axis == -1:
        return site.nd("SpatialDropout", **arguments)(x)
    # SpatialDropout1D knows channels last alone
    return site.layer(keras.layers.Dropout, **arguments, noise_shape=(None, None, 1))(x)


def stochastic_depth(site: Site, op: reg.StochasticDepth, x: Any) -> Any:
    shape = (None, *(1 for _ in site.inputs[0].shape))
    return site.layer(keras.layers.Dropout, rate=op.rate, noise_shape=shape, seed=site.seed("noise", op.seed))(x)


def activity(site: Site, op: reg.ActivityRegularization, x: Any) -> Any:
    return site.layer(keras.layers.ActivityRegularization, l1=op.l1, l2=op.l2)(x)


REGULARIZATION: Table = {
    reg.Dropout: seeded("Dropout"),
    reg.SpatialDropout: Lowering(spatial_dropout, "spatial"),
    reg.StochasticDepth: Lowering(stochastic_depth, "any"),
    reg.GaussianDropout: seeded("GaussianDropout"),
    reg.AlphaDropout: seeded("AlphaDropout"),
    reg.GaussianNoise: seeded("GaussianNoise", "stddev"),
    reg.ActivityRegularization: Lowering(activity, "any"),
}
