"""torchvision and timm, beside whichever PyTorch is installed.

PyPI's torchvision is compiled against PyTorch's CUDA build. Beside the CPU build its extension cannot be loaded, and
its Python part then stumbles over operators that the extension would have declared. The networks use none of them, so
declaring them is enough. Beside a matching PyTorch nothing is done.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

import torch

BOXES = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
DECLARED: list[torch.library.Library] = []
"""operators are forgotten with their library, so it is kept"""


def torchvision() -> ModuleType:
    """The package, with the operators declared that its import asks for."""
    _declare()
    return importlib.import_module("torchvision")


def timm() -> ModuleType:
    """The package, which imports torchvision."""
    _declare()
    return importlib.import_module("timm")


def _declare() -> None:
    found = importlib.util.find_spec("torchvision")
    if DECLARED or found is None or found.origin is None:
        return
    for extension in Path(found.origin).parent.glob("_C*"):
        try:
            torch.ops.load_library(extension)
        except OSError:
            continue
        return
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(name + BOXES)
    DECLARED.append(library)
