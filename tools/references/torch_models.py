"""The networks of torchvision and timm, and others in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from references.base import Reference
from references.torchvision_import import timm, torchvision

Build = Callable[[tuple[int, ...], int], Any]


def awake(model: torch.nn.Module) -> torch.nn.Module:
    """The model, with random numbers where weights start as zeros: a head of zeros would answer alike to all inputs."""
    with torch.no_grad():
        for array in model.parameters():
            if array.ndim > 1 and not array.any():
                array.normal_(0, 0.05)
    return model


def of_torchvision(name: str, sized: bool = False, **settings: Any) -> Build:
    """The network called `name` there; `sized` if it is told how large images are."""

    def build(shape: tuple[int, ...], classes: int) -> Any:
        size = {"image_size": shape[0]} if sized else {}
        return awake(getattr(torchvision().models, name)(num_classes=classes, **size, **settings))

    return build


def of_timm(name: str, sized: bool = False, **settings: Any) -> Build:
    """The network called `name` there; `sized` if it is told how large images are."""

    def build(shape: tuple[int, ...], classes: int) -> Any:
        size = {"img_size": shape[0]} if sized else {}
        return awake(timm().create_model(name, num_classes=classes, **size, **settings))

    return build


def tv(spec: str, name: str, *sizes: int, sized: bool = False, **settings: Any) -> Reference:
    build = of_torchvision(name, sized, **settings)
    return Reference(spec, "torchvision", build, sizes, label=f"torchvision.models.{name}")


def tm(spec: str, name: str, *sizes: int, sized: bool = False, **settings: Any) -> Reference:
    return Reference(spec, "timm", of_timm(name, sized, **settings), sizes, label=f"timm {name}")


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
