"""Outputs of small networks on the backend that KERAS_BACKEND names: `backend_worker.py OUT.npz small|more`.

Weights depend on their path only, moving statistics included, and inputs on the network's name, so
that two backends compute the same thing or disagree.
"""

from __future__ import annotations

import sys
import zlib
from typing import Any

import numpy as np

import resspec

SMALL = [
    ("resnet@resnet18", {"image": [64, 64, 3]}, {}),
    ("resnet@resnet50", {"image": [64, 64, 3]}, {}),
    ("resnet_v2@resnet50_v2", {"image": [64, 64, 3]}, {}),
    ("resnet_cifar@resnet20", {"image": [16, 16, 3]}, {}),
    ("resnet_cifar@plain20", {"image": [17, 17, 3]}, {}),
    ("densenet@densenet121", {"image": [64, 64, 3]}, {}),
    ("densenet_cifar", {"image": [16, 16, 3]}, {}),
    ("unet@unet", {"image": [92, 92, 1]}, {"depth": 3, "base": 8}),
    ("unet@unet_same", {"image": [32, 48, 1]}, {"depth": 3, "base": 8}),
    ("unet@unet3d", {"image": [92, 92, 100, 3]}, {"base": 4}),
    ("hourglass", {"image": [64, 64, 3]}, {"stacks": 1, "width": 32}),
    ("vgg@vgg16", {"image": [32, 32, 3]}, {}),
    ("alexnet", {"image": [67, 67, 3]}, {}),
    # residual
    ("resnet_cifar@relu_preact110", {"image": [16, 16, 3]}, {"depth": 14, "shortcut": "B"}),
    ("resnext", {"image": [32, 32, 3]}, {}),
    ("resnext_cifar", {"image": [16, 16, 3]}, {"group_width": 4}),
    ("wide_resnet", {"image": [32, 32, 3]}, {"widen": 1}),
    ("wide_resnet_cifar", {"image": [16, 16, 3]}, {"depth": 10, "widen": 2}),
    ("se_resnet@se_resnet18", {"image": [37, 37, 3]}, {}),
    ("resnet_d@resnet18d", {"image": [37, 37, 3]}, {}),
    # encoder-decoders
    ("attention_unet@r2_attention_unet", {"image": [32, 48, 3]}, {"base": 4}),
    ("deeplab", {"image": [32, 48, 3]}, {}),
    ("fpn", {"image": [32, 64, 3]}, {"depth": 18, "width": 8}),
    ("hrnet", {"image": [32, 32, 3]}, {"width": 4, "classes": 10}),
    ("linknet", {"image": [32, 64, 3]}, {}),
    ("pspnet", {"image": [65, 65, 3]}, {}),
    ("resunet@resunet", {"image": [16, 24, 3]}, {"base": 8}),
    ("unet_efficientnet", {"image": [32, 64, 3]}, {}),
    ("unet_resnet@unet_resnet18", {"image": [32, 64, 3]}, {}),
    ("unetpp@unetpp_ds", {"image": [16, 32, 3]}, {"base": 4}),
]
"""(spec, inputs, params), at a size that takes seconds"""

MORE = [
    ("convnext", {"image": [32, 32, 3]}, {}),
    ("dcgan_discriminator", {"image": [64, 64, 3]}, {}),
    ("dcgan_generator", {"noise": [100]}, {}),
    ("efficientnet", {"image": [33, 33, 3]}, {}),
    ("efficientnet_v2", {"image": [33, 33, 3]}, {}),
    ("gpt2", {"text": [16]}, {"tokens": 50, "context": 16}),
    ("inception_resnet_v2", {"image": [75, 75, 3]}, {}),
    ("inception_v3", {"image": [75, 75, 3]}, {}),
    ("lstm_tagger", {"tokens": [12]}, {}),
    ("mlp_mixer@mixer_s32", {"image": [64, 64, 3]}, {}),
    ("mobilenet@mobilenet_025", {"image": [32, 32, 3]}, {}),
    ("mobilenet_v2@mobilenet_v2_035", {"image": [32, 32, 3]}, {}),
    ("mobilenet_v3", {"image": [32, 32, 3]}, {}),
    ("pointnet", {"points": [64, 3]}, {}),
    ("resnet_v2_keras", {"image": [32, 32, 3]}, {}),
    ("siamese", {"left": [105, 105, 1], "right": [105, 105, 1]}, {}),
    ("swin", {"image": [64, 64, 3]}, {}),
    ("tcn", {"sequence": [64, 1]}, {}),
    ("vit", {"image": [32, 32, 3]}, {}),
    ("xception", {"image": [71, 71, 3]}, {}),
]
"""those that take longer to compile, and are held against other libraries besides"""


def generator(text: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(text.encode()))


def value(path: str, shape: tuple[int, ...]) -> np.ndarray:
    """A weight that keeps activations near one: kernels by their fan-in, statistics and scales around one."""
    noise = generator(path).standard_normal(shape)
    if path.endswith(("gamma", "moving_variance")):
        return 1 + 0.2 * np.clip(noise, -2, 2)
    if len(shape) < 2:
        return 0.1 * noise
    return noise * np.sqrt(2 / np.prod(shape[:-1]))


def data(tensor: Any, shape: list[int]) -> np.ndarray:
    """Two examples: tokens where whole numbers are meant, noise elsewhere."""
    random = generator(tensor.name)
    if "int" in str(tensor.dtype):
        return random.integers(1, 50, (2, *shape)).astype("int32")
    return random.standard_normal((2, *shape)).astype("float32")


def outputs(spec: str, inputs: dict[str, list[int]], params: dict[str, object]) -> dict[str, np.ndarray]:
    model = resspec.build(spec, inputs=inputs, params=params)
    for variable in model.weights:
        if variable.dtype.startswith(("float", "bfloat")):
            variable.assign(value(variable.path, tuple(variable.shape)))
    x = {tensor.name: data(tensor, shape) for tensor, shape in zip(model.inputs, inputs.values(), strict=True)}
    found = model(next(iter(x.values())) if len(x) == 1 else x, training=False)
    named = found if isinstance(found, dict) else {"output": found}
    import keras

    return {name: keras.ops.convert_to_numpy(tensor) for name, tensor in named.items()}


def main(target: str, which: str) -> None:
    arrays = {}
    for spec, inputs, params in {"small": SMALL, "more": MORE}[which]:
        for name, array in outputs(spec, inputs, params).items():
            arrays[f"{spec} {name}"] = array
    np.savez(target, **arrays)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
