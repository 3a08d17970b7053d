"""ResNet v2 and DenseNet by hand, with Keras's functional API: what built models are held against.

Written as one would without resspec, with the settings of the specs: He's initial values (fan out),
PyTorch's batch normalization, padding by one or three where a stride needs it. Layers with weights
have the names that the specs give them, so weights can be carried over by name.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

Tensor = Any


def resnet_v2(
    units: tuple[int, ...] = (3, 24, 36, 3),
    *,
    bottleneck: bool = True,
    classes: int = 1000,
    shape: tuple[int, int, int] = (224, 224, 3),
) -> keras.Model:
    """Pre-activation ResNet; (3, 24, 36, 3) is ResNet-200, (3, 4, 6, 3) ResNet-50."""
    image = layers.Input(shape, name="image")
    x = _stem(image, 64)
    for stage, (count, width) in enumerate(zip(units, (64, 128, 256, 512), strict=True)):
        for unit in range(count):
            strides = 2 if stage > 0 and unit == 0 else 1
            x = _residual(x, width, strides, bottleneck, stage == unit == 0, f"stage{stage + 1}_unit{unit}")
    return keras.Model(image, _head(x, classes), name="resnet_v2")


def densenet(
    units: tuple[int, ...] = (6, 12, 48, 32),
    *,
    growth: int = 32,
    classes: int = 1000,
    shape: tuple[int, int, int] = (224, 224, 3),
) -> keras.Model:
    """DenseNet-BC; (6, 12, 48, 32) is DenseNet-201, (6, 12, 24, 16) DenseNet-121."""
    image = layers.Input(shape, name="image")
    x = _stem(image, 2 * growth)
    for block, count in enumerate(units, 1):
        for unit in range(1, count + 1):
            name = f"block{block}_unit{unit}"
            y = _conv(_bn_relu(x, f"{name}_pre"), 4 * growth, 1, f"{name}_reduce")
            y = _conv(_bn_relu(y, f"{name}_mid"), growth, 3, f"{name}_spatial")
            x = layers.Concatenate()([x, y])
        if block < len(units):
            name = f"block{block}_transition"
            x = _conv(_bn_relu(x, f"{name}_pre"), x.shape[-1] // 2, 1, f"{name}_compress")
            x = layers.AveragePooling2D(2)(x)
    return keras.Model(image, _head(x, classes), name="densenet")


def _residual(x: Tensor, width: int, strides: int, bottleneck: bool, first: bool, name: str) -> Tensor:
    out = 4 * width if bottleneck else width
    pre = x if first else _bn_relu(x, f"{name}_pre")
    y = pre
    if bottleneck:
        y = _bn_relu(_conv(y, width, 1, f"{name}_reduce"), f"{name}_mid")
    y = _bn_relu(_conv(y, width, 3, f"{name}_spatial", strides), f"{name}_post")
    y = _conv(y, out, 1 if bottleneck else 3, f"{name}_restore")
    if x.shape[-1] != out:
        x = _conv(pre, out, 1, f"{name}_shortcut", strides)
    return layers.Add()([y, x])


def _stem(x: Tensor, filters: int) -> Tensor:
    x = _bn_relu(_conv(x, filters, 7, "stem", strides=2), "stem_act")
    x = layers.ZeroPadding2D(1)(x)
    return layers.MaxPooling2D(3, strides=2)(x)


def _head(x: Tensor, classes: int) -> Tensor:
    x = layers.GlobalAveragePooling2D()(_bn_relu(x, "last_act"))
    return layers.Dense(classes, dtype="float32", name="logits")(x)


def _conv(x: Tensor, filters: int, size: int, name: str, strides: int = 1) -> Tensor:
    padding = "same" if size > 1 else "valid"
    if size > 1 and strides > 1:
        x, padding = layers.ZeroPadding2D(size // 2)(x), "valid"
    start = keras.initializers.VarianceScaling(2.0, mode="fan_out", distribution="untruncated_normal")
    return layers.Conv2D(
        filters, size, strides=strides, padding=padding, use_bias=False, kernel_initializer=start, name=name
    )(x)


def _bn_relu(x: Tensor, name: str) -> Tensor:
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)
    return layers.Activation("relu")(x)


UNITS = {
    "resnet_v2": {
        18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3),
        200: (3, 24, 36, 3),
    },
    "densenet": {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32), 264: (6, 12, 64, 48)},
}  # fmt: skip
"""spec -> depth -> units of every stage"""


def twin(spec: str, depth: int, **options: Any) -> keras.Model:
    """What a user writes instead of `resspec.build(spec, depth=depth)`."""
    units = UNITS[spec][depth]
    if spec == "densenet":
        return densenet(units, **options)
    return resnet_v2(units, bottleneck=depth >= 50, **options)


def carry_over(source: keras.Model, target: keras.Model) -> None:
    """Give `target` the weights of `source`, layer by layer, by name."""
    for layer in target.layers:
        if layer.weights:
            layer.set_weights(source.get_layer(layer.name).get_weights())
