"""What a shipped network is held against: another library's network of the same name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Reference(NamedTuple):
    """A network of another library, and the spec that says the same."""

    spec: str
    """as the command line names it: `resnet@resnet50_keras`"""
    naming: str
    """whose names its files have: "keras", "torchvision", "timm", ..."""
    build: Callable[[tuple[int, ...], int], Any]
    """(input shape, channels last; classes) -> the network, with random weights, giving logits"""
    sizes: tuple[int, ...]
    """three input sizes, as small as the network allows"""
    params: dict[str, Any] = {}
    """further parameters of the spec; null for `classes` where it has none"""
    label: str = ""
    tokens: int = 0
    """how many there are, for a network that reads text; 0 for one that sees images"""
