"""The networks of torchvision and timm, and others in PyTorch."""

from __future__ import annotations

import importlib
from typing import Any

import torch
from references.base import Reference
from references.hourglass import Hourglass
from references.torchvision_import import timm, torchvision


def awake(model: torch.nn.Module) -> torch.nn.Module:
    """The model, with random numbers where weights start as zeros: a head of zeros would answer alike to all inputs."""
    with torch.no_grad():
        for array in model.parameters():
            if array.ndim > 1 and not array.any():
                array.normal_(0, 0.05)
    return model


def tv(spec: str, name: str, *sizes: int, sized: bool = False, **params: Any) -> Reference:
    """A network of torchvision; `sized` if it is told how large images are, `params` are those of the spec."""

    def build(shape: tuple[int, ...], classes: int) -> Any:
        size = {"image_size": shape[0]} if sized else {}
        return awake(getattr(torchvision().models, name)(num_classes=classes, **size))

    return Reference(spec, "torchvision", build, sizes, params, f"torchvision.models.{name}")


def tm(spec: str, name: str, *sizes: int, sized: bool = False, naming: str = "timm", **params: Any) -> Reference:
    """A network of timm, which may have torchvision's names."""

    def build(shape: tuple[int, ...], classes: int) -> Any:
        size = {"img_size": shape[0]} if sized else {}
        return awake(timm().create_model(name, num_classes=classes, **size))

    return Reference(spec, naming, build, sizes, params, f"timm {name}")


REFERENCES: list[Reference] = []

REFERENCES += [
    tv("vit@vit_b16", "vit_b_16", 32, 48, 64, sized=True),
    tv("vit@vit_l16", "vit_l_16", 32, 48, 64, sized=True),
    tm("vit@vit_b16", "vit_base_patch16_224", 32, 48, 64, sized=True),
    tm("vit@vit_l16", "vit_large_patch16_224", 32, 48, 64, sized=True),
    tv("swin@swin_t", "swin_t", 32, 64, 96),
    tv("swin@swin_b", "swin_b", 32, 64, 96),
    tm("swin@swin_t", "swin_tiny_patch4_window7_224", 224, 448, 672, sized=True),
    tm("swin@swin_b", "swin_base_patch4_window7_224", 224, 448, 672, sized=True),
    tm("mlp_mixer@mixer_s32", "mixer_s32_224", 32, 64, 96, sized=True),
    tm("mlp_mixer@mixer_b16", "mixer_b16_224", 32, 48, 64, sized=True),
    tm("mlp_mixer@mixer_l16", "mixer_l16_224", 32, 48, 64, sized=True),
]

REFERENCES += [
    tv("resnet@resnet18", "resnet18", 32, 47, 64),
    tv("resnet@resnet34", "resnet34", 32, 47, 64),
    tv("resnet@resnet50_v15", "resnet50", 32, 47, 64),
    tv("resnet@resnet101_v15", "resnet101", 32, 47, 64),
    tv("resnet@resnet152_v15", "resnet152", 32, 47, 64),
    tm("resnet@resnet18", "resnet18", 32, 47, 64, naming="torchvision"),
    tm("resnet@resnet152_v15", "resnet152", 32, 47, 64, naming="torchvision"),
    tv("wide_resnet@wide_resnet50_2", "wide_resnet50_2", 32, 47, 64),
    tv("wide_resnet@wide_resnet101_2", "wide_resnet101_2", 32, 47, 64),
    tv("resnext@resnext50_32x4d", "resnext50_32x4d", 32, 47, 64),
    tv("resnext@resnext101_32x8d", "resnext101_32x8d", 32, 47, 64),
    tv("resnext@resnext101_64x4d", "resnext101_64x4d", 32, 47, 64),
    tm("resnext@resnext101_32x4d", "resnext101_32x4d", 32, 47, 64, naming="torchvision"),
    tm("resnet_d@resnet18d", "resnet18d", 32, 47, 64),
    tm("resnet_d@resnet50d", "resnet50d", 32, 47, 64),
    tm("resnet_d@resnet200d", "resnet200d", 32, 47, 64),
    tm("se_resnet@se_resnet50", "legacy_seresnet50", 32, 47, 64),
    tm("se_resnet@se_resnet152", "legacy_seresnet152", 32, 47, 64),
    tm("se_resnet@se_resnext50", "legacy_seresnext50_32x4d", 32, 47, 64),
    tv("densenet@densenet121", "densenet121", 32, 48, 64),
    tv("densenet@densenet161", "densenet161", 32, 48, 64),
    tv("densenet@densenet169", "densenet169", 32, 48, 64),
    tv("densenet@densenet201", "densenet201", 32, 48, 64),
    tm("densenet@densenet121", "densenet121", 32, 48, 64, naming="torchvision"),
    tv("vgg@vgg11", "vgg11", 64, 96, 128, pooled=True),
    tv("vgg@vgg19", "vgg19", 64, 96, 128, pooled=True),
    tv("vgg@vgg11_bn", "vgg11_bn", 64, 96, 128, pooled=True),
    tv("vgg@vgg19_bn", "vgg19_bn", 64, 96, 128, pooled=True),
    tm("vgg@vgg11", "vgg11", 64, 96, 128, pooled=True),
    tm("vgg@vgg19_bn", "vgg19_bn", 64, 96, 128, pooled=True),
]


def segmented(spec: str, name: str, *sizes: int) -> Reference:
    """A network for segmentation of torchvision, without the classifier that helps in training."""

    def build(shape: tuple[int, ...], classes: int) -> Any:
        model = getattr(torchvision().models.segmentation, name)(num_classes=classes, weights_backbone=None)
        forward = model.forward
        model.forward = lambda images: forward(images)["out"]
        return model

    return Reference(spec, "torchvision", build, sizes, label=f"torchvision.models.segmentation.{name}")


def pyramid(depth: int, *sizes: int) -> Reference:
    """torchvision's feature pyramid on a ResNet, with ordinary batch normalization."""

    def build(shape: tuple[int, ...], classes: int) -> Any:
        backbones = importlib.import_module(f"{torchvision().__name__}.models.detection.backbone_utils")
        model = backbones.resnet_fpn_backbone(
            backbone_name=f"resnet{depth}", weights=None, norm_layer=torch.nn.BatchNorm2d
        )
        forward = model.forward
        model.forward = lambda images: list(forward(images).values())
        return model

    label = f"torchvision's resnet_fpn_backbone, {depth} layers"
    return Reference(f"fpn@fpn_resnet{depth}", "torchvision", build, sizes, {"classes": None}, label)


RATES = (6, 12, 18)
"""those of the paper for an encoder of stride 16"""


def smp(spec: str, kind: str, encoder: str, *sizes: int, **settings: Any) -> Reference:
    """A network of segmentation_models_pytorch; what it enlarges bilinearly takes pixel centres for half integers."""

    def build(shape: tuple[int, ...], classes: int) -> Any:
        torchvision()
        made = getattr(importlib.import_module("segmentation_models_pytorch"), kind)
        model = made(encoder_name=encoder, encoder_weights=None, classes=classes, **settings)
        for module in model.modules():
            if isinstance(module, torch.nn.Upsample) and module.mode == "bilinear":
                module.align_corners = False
        return model

    return Reference(spec, "smp", build, sizes, label=f"segmentation_models_pytorch.{kind} {encoder}")


REFERENCES += [
    tm("hrnet@hrnet_w18", "hrnet_w18", 32, 64, 96),
    tm("hrnet@hrnet_w48", "hrnet_w48", 32, 64, 96),
    segmented("deeplab@deeplabv3_resnet50", "deeplabv3_resnet50", 32, 64, 96),
    segmented("deeplab@deeplabv3_resnet101", "deeplabv3_resnet101", 32, 64, 96),
    pyramid(50, 64, 96, 128),
    pyramid(101, 64, 96, 128),
    smp("unet_resnet@unet_resnet18", "Unet", "resnet18", 32, 64, 96),
    smp("unet_resnet@unet_resnet50", "Unet", "resnet50", 32, 64, 96),
    smp("unet_resnet@unet_resnet101", "Unet", "resnet101", 32, 64, 96),
    smp("unet_efficientnet@unet_efficientnet_b0", "Unet", "efficientnet-b0", 32, 64, 96),
    smp("deeplab@deeplabv3plus_resnet50", "DeepLabV3Plus", "resnet50", 32, 64, 96, decoder_atrous_rates=RATES),
]


def hourglass(stacks: int, *sizes: int) -> Reference:
    def build(shape: tuple[int, ...], classes: int) -> Any:
        return Hourglass(stacks, classes)

    params = {"stacks": stacks, "stem": "bearpaw", "joints": 10, "classes": None}
    return Reference("hourglass", "pytorch-pose", build, sizes, params, f"pytorch-pose hg, {stacks} stacks")


REFERENCES += [hourglass(1, 64, 128, 192), hourglass(2, 64, 128, 192)]

TV: dict[str, Any] = {"flavour": "torchvision"}
TM: dict[str, Any] = {"flavour": "timm"}
TF: dict[str, Any] = {"preprocess": False}
"""timm's networks called `tf_` are as Keras has them, without its preprocessing"""

REFERENCES += [
    tm("mobilenet@mobilenet_1", "mobilenetv1_100", 32, 47, 64, **TM),
    tv("mobilenet_v2@mobilenet_v2", "mobilenet_v2", 32, 47, 64, **TV),
    tm("mobilenet_v2@mobilenet_v2", "mobilenetv2_100", 32, 47, 64, **TM),
    tm("mobilenet_v2@mobilenet_v2_035", "mobilenetv2_035", 32, 47, 64, **TM),
    tm("mobilenet_v2@mobilenet_v2_050", "mobilenetv2_050", 32, 47, 64, **TM),
    tm("mobilenet_v2@mobilenet_v2_075", "mobilenetv2_075", 32, 47, 64, **TM),
    tm("mobilenet_v2@mobilenet_v2_140", "mobilenetv2_140", 32, 47, 64, **TM),
    tv("mobilenet_v3@mobilenet_v3_small", "mobilenet_v3_small", 32, 47, 64, **TV),
    tv("mobilenet_v3@mobilenet_v3_large", "mobilenet_v3_large", 32, 47, 64, **TV),
    tm("mobilenet_v3@mobilenet_v3_small", "mobilenetv3_small_100", 32, 47, 64, **TM),
    tm("mobilenet_v3@mobilenet_v3_large", "mobilenetv3_large_100", 32, 47, 64, **TM),
    tm("mobilenet_v3@mobilenet_v3_small_075", "mobilenetv3_small_075", 32, 47, 64, **TM),
    tm("mobilenet_v3@mobilenet_v3_large_075", "mobilenetv3_large_075", 32, 47, 64, **TM),
    tm("mobilenet_v3@mobilenet_v3_small", "tf_mobilenetv3_small_100", 32, 47, 64, **TF),
    tm("mobilenet_v3@mobilenet_v3_large", "tf_mobilenetv3_large_100", 32, 47, 64, **TF),
    tm("mobilenet_v3@mobilenet_v3_small_minimalistic", "tf_mobilenetv3_small_minimal_100", 32, 47, 64, **TF),
    tm("mobilenet_v3@mobilenet_v3_large_minimalistic", "tf_mobilenetv3_large_minimal_100", 32, 47, 64, **TF),
]
REFERENCES += [tv(f"efficientnet@efficientnet_b{k}", f"efficientnet_b{k}", 47, 64, 75, **TV) for k in range(8)]
REFERENCES += [tm(f"efficientnet@efficientnet_b{k}", f"efficientnet_b{k}", 47, 64, 75, **TM) for k in range(8)]
REFERENCES += [tm(f"efficientnet@efficientnet_b{k}", f"tf_efficientnet_b{k}", 47, 64, 75, **TF) for k in range(8)]
REFERENCES += [
    tv(f"efficientnet_v2@efficientnet_v2_{size}", f"efficientnet_v2_{size}", 47, 64, 75, **TV) for size in "sml"
]
REFERENCES += [
    tm(f"efficientnet_v2@efficientnet_v2_{size}", f"efficientnetv2_{size}", 47, 64, 75, **TM) for size in "sml"
]
REFERENCES += [
    tm(f"efficientnet_v2@efficientnet_v2_{size}", f"tf_efficientnetv2_{size}", 47, 64, 75, **TF)
    for size in ("b0", "b1", "b2", "b3", "s", "m", "l")
]
REFERENCES += [
    tv(f"convnext@convnext_{size}", f"convnext_{size}", 32, 47, 64, preprocess=False)
    for size in ("tiny", "small", "base", "large")
]
REFERENCES += [
    tm(f"convnext@convnext_{size}", f"convnext_{size}", 32, 47, 64, preprocess=False)
    for size in ("tiny", "small", "base", "large", "xlarge")
]


TOKENS = 100


def gpt2(variant: str, layers: int, width: int, heads: int, *lengths: int) -> Reference:
    """GPT-2 of transformers, with a small vocabulary, to texts of these lengths."""

    def build(shape: tuple[int, ...], classes: int) -> Any:
        torchvision()
        transformers = importlib.import_module("transformers")
        sizes = {"n_layer": layers, "n_embd": width, "n_head": heads, "vocab_size": TOKENS, "n_positions": 64}
        model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes, bos_token_id=0, eos_token_id=0))
        forward = model.forward
        model.forward = lambda text: forward(text).logits
        return model

    params = {"classes": None, "tokens": TOKENS, "context": 64}
    return Reference(f"gpt2@{variant}", "transformers", build, lengths, params, "transformers GPT2LMHeadModel", TOKENS)


REFERENCES += [gpt2("gpt2", 12, 768, 12, 8, 33, 64), gpt2("gpt2_medium", 24, 1024, 16, 8, 33, 64)]
