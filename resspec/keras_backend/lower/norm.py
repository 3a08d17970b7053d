"""Normalizations in Keras."""

from __future__ import annotations

from typing import Any

import keras

from resspec.keras_backend.lower.conv import weight
from resspec.keras_backend.site import Lowering, Site, Table
from resspec.ops.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, Normalization, RmsNorm


def common(site: Site, op: Normalization) -> dict[str, Any]:
    return {"epsilon": op.epsilon, "center": op.center, "scale": op.scale, **weight(site, op, "beta", "gamma")}


def axes(site: Site, indices: tuple[int, ...]) -> int | list[int]:
    """Axes of a batch, in rising order, in which Keras shapes the weights; the last one is -1."""
    return -1 if indices == (len(site.inputs[0].shape) - 1,) else [i + 1 for i in indices]


def batch_norm(site: Site, op: BatchNorm, x: Any) -> Any:
    return site.layer(
        keras.layers.BatchNormalization,
        axis=site.channel_axis,
        momentum=op.momentum,
        synchronized=op.synchronized,
        moving_mean_initializer=site.initializer("moving_mean", op.moving_mean_initializer),
        moving_variance_initializer=site.initializer("moving_variance", op.moving_variance_initializer),
        **common(site, op),
    )(x)


def layer_norm(site: Site, op: LayerNorm, x: Any) -> Any:
    return site.layer(keras.layers.LayerNormalization, axis=axes(site, op.axes(site.inputs[0])), **common(site, op))(x)


def group_norm(site: Site, op: GroupNorm, x: Any) -> Any:
    return site.layer(keras.layers.GroupNormalization, groups=op.groups, axis=site.channel_axis, **common(site, op))(x)


def instance_norm(site: Site, op: InstanceNorm, x: Any) -> Any:
    return site.layer(keras.layers.GroupNormalization, groups=-1, axis=site.channel_axis, **common(site, op))(x)


def rms_norm(site: Site, op: RmsNorm, x: Any) -> Any:
    return site.layer(keras.layers.RMSNormalization, axis=axes(site, op.axes(site.inputs[0])), epsilon=op.epsilon)(x)


NORM: Table = {
    BatchNorm: Lowering(batch_norm, "spatial"),
    LayerNorm: Lowering(layer_norm, "last"),
    GroupNorm: Lowering(group_norm, "spatial"),
    InstanceNorm: Lowering(instance_norm, "spatial"),
    RmsNorm: Lowering(rms_norm, "last"),
}
