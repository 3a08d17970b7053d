"""The networks of keras.applications."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import keras
from references.base import Reference


def application(name: str, **settings: Any) -> Callable[[tuple[int, ...], int], Any]:
    """The network called `name` there, with random weights, giving logits."""

    def build(shape: tuple[int, ...], classes: int) -> Any:
        function = getattr(keras.applications, name)
        return function(weights=None, input_shape=shape, classes=classes, classifier_activation=None, **settings)

    return build


def held(
    spec: str, name: str, *sizes: int, params: Mapping[str, Any] = MappingProxyType({}), **settings: Any
) -> Reference:
    given = ", ".join(f"{key}={value}" for key, value in settings.items())
    label = f"keras.applications.{name}" + (f"({given})" if given else "")
    return Reference(spec, "keras", application(name, **settings), sizes, dict(params), label)


REFERENCES: list[Reference] = []

REFERENCES += [
    held("vgg@vgg16", "VGG16", 32, 47, 64),
    held("vgg@vgg19", "VGG19", 32, 47, 64),
    held("resnet@resnet50_keras", "ResNet50", 32, 47, 64),
    held("resnet@resnet101_keras", "ResNet101", 32, 47, 64),
    held("resnet@resnet152_keras", "ResNet152", 32, 47, 64),
    held("densenet@densenet121_keras", "DenseNet121", 32, 47, 64),
    held("densenet@densenet169_keras", "DenseNet169", 32, 47, 64),
    held("densenet@densenet201_keras", "DenseNet201", 32, 47, 64),
    held("resnet_v2_keras@resnet50_v2_keras", "ResNet50V2", 32, 47, 64),
    held("resnet_v2_keras@resnet101_v2_keras", "ResNet101V2", 32, 47, 64),
    held("resnet_v2_keras@resnet152_v2_keras", "ResNet152V2", 32, 47, 64),
    held("xception", "Xception", 71, 84, 96),
    held("inception_v3", "InceptionV3", 75, 88, 99),
    held("inception_resnet_v2", "InceptionResNetV2", 75, 88, 99),
    held("nasnet@nasnet_mobile", "NASNetMobile", 32, 47, 64),
    held("nasnet@nasnet_large", "NASNetLarge", 32, 47, 64),
]

REFERENCES += [
    held("mobilenet@mobilenet_1", "MobileNet", 32, 47, 64),
    held("mobilenet@mobilenet_075", "MobileNet", 32, 47, 64, alpha=0.75),
    held("mobilenet@mobilenet_050", "MobileNet", 32, 47, 64, alpha=0.5),
    held("mobilenet@mobilenet_025", "MobileNet", 32, 47, 64, alpha=0.25),
    held("mobilenet_v2@mobilenet_v2", "MobileNetV2", 32, 47, 64),
    held("mobilenet_v2@mobilenet_v2_035", "MobileNetV2", 32, 47, 64, alpha=0.35),
    held("mobilenet_v2@mobilenet_v2_050", "MobileNetV2", 32, 47, 64, alpha=0.5),
    held("mobilenet_v2@mobilenet_v2_075", "MobileNetV2", 32, 47, 64, alpha=0.75),
    held("mobilenet_v2@mobilenet_v2_130", "MobileNetV2", 32, 47, 64, alpha=1.3),
    held("mobilenet_v2@mobilenet_v2_140", "MobileNetV2", 32, 47, 64, alpha=1.4),
    held("mobilenet_v3@mobilenet_v3_small", "MobileNetV3Small", 32, 47, 64),
    held("mobilenet_v3@mobilenet_v3_small_075", "MobileNetV3Small", 32, 47, 64, alpha=0.75),
    held("mobilenet_v3@mobilenet_v3_small_minimalistic", "MobileNetV3Small", 32, 47, 64, minimalistic=True),
    held("mobilenet_v3@mobilenet_v3_large", "MobileNetV3Large", 32, 47, 64),
    held("mobilenet_v3@mobilenet_v3_large_075", "MobileNetV3Large", 32, 47, 64, alpha=0.75),
    held("mobilenet_v3@mobilenet_v3_large_minimalistic", "MobileNetV3Large", 32, 47, 64, minimalistic=True),
]

REFERENCES += [
    held(f"efficientnet@efficientnet_b{k}", f"EfficientNetB{k}", 47, 64, 75, params={"imagenet": False})
    for k in range(8)
]
REFERENCES += [
    held(f"efficientnet_v2@efficientnet_v2_{size}", f"EfficientNetV2{size.upper()}", 47, 64, 75)
    for size in ("b0", "b1", "b2", "b3", "s", "m", "l")
]
REFERENCES += [
    held(f"convnext@convnext_{size.lower()}", f"ConvNeXt{size}", 32, 47, 64)
    for size in ("Tiny", "Small", "Base", "Large", "XLarge")
]
