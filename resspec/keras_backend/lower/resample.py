"""Up-sampling, resizing, cropping and padding in Keras."""

from __future__ import annotations

from typing import Any

import keras

from resspec.keras_backend.lower.padding import batched, cropped, zero_padding
from resspec.keras_backend.site import Lowering, Site, Table
from resspec.ops.base import per_axis
from resspec.ops.resample import Crop, Pad, PadChannels, PixelShuffle, Resize, SpaceToDepth, Upsample


def upsample(site: Site, op: Upsample, x: Any) -> Any:
    size = per_axis(op.size, site.rank, "size")
    if site.rank == 1:  # Keras's layer knows channels last only
        if site.channel_axis != -1:
            return site.operation(keras.ops.repeat, x, size[0], axis=2)
        return site.layer(keras.layers.UpSampling1D, size=size[0])(x)
    more = {"interpolation": op.interpolation} if site.rank == 2 else {}
    return site.nd("UpSampling", size=size, data_format=site.data_format, **more)(x)


def resize(site: Site, op: Resize, x: Any) -> Any:
    return site.operation(
        keras.ops.image.resize,
        x,
        per_axis(op.size, site.rank, "size"),
        interpolation=op.interpolation,
        data_format=site.data_format,
    )


def pixel_shuffle(site: Site, op: PixelShuffle, x: Any) -> Any:
    return site.operation(keras.ops.depth_to_space, x, op.block_size, data_format="channels_last")


def space_to_depth(site: Site, op: SpaceToDepth, x: Any) -> Any:
    return site.operation(keras.ops.space_to_depth, x, op.block_size, data_format="channels_last")


def crop(site: Site, op: Crop, x: Any) -> Any:
    return cropped(site, op.pairs(site.inputs[0]), x)


def pad(site: Site, op: Pad, x: Any) -> Any:
    pairs = op.pairs(site.inputs[0])
    if op.mode != "constant":
        return site.operation(keras.ops.pad, x, pad_width=batched(site, pairs), mode=op.mode)
    if op.value:
        return site.operation(keras.ops.pad, x, pad_width=batched(site, pairs), constant_values=op.value)
    return zero_padding(site, pairs)(x)


def pad_channels(site: Site, op: PadChannels, x: Any) -> Any:
    widths = [(0, 0)] * (len(site.inputs[0].shape) + 1)
    widths[site.channel_axis] = (op.before, op.after)
    return site.operation(keras.ops.pad, x, pad_width=tuple(widths))


RESAMPLE: Table = {
    Upsample: Lowering(upsample, "spatial"),
    Resize: Lowering(resize, "spatial"),
    # under channels first Keras orders the channels of a block in another way
    PixelShuffle: Lowering(pixel_shuffle, "last"),
    SpaceToDepth: Lowering(space_to_depth, "last"),
    Crop: Lowering(crop, "spatial"),
    Pad: Lowering(pad, "spatial"),
    PadChannels: Lowering(pad_channels, "spatial"),
}
