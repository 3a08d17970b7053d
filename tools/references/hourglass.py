"""The stacked hourglass in PyTorch under the names of bearpaw/pytorch-pose."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class Residual(nn.Module):
    """Three times batch normalization, ReLU and convolution, and a shortcut around them."""

    def __init__(self, entering: int, leaving: int) -> None:
        super().__init__()
        half = leaving // 2
        for k, (before, after, size) in enumerate([(entering, half, 1), (half, half, 3), (half, leaving, 1)], 1):
            self.add_module(f"bn{k}", nn.BatchNorm2d(before))
            self.add_module(f"conv{k}", nn.Conv2d(before, after, size, padding=size // 2))
        self.downsample = nn.Sequential(nn.Conv2d(entering, leaving, 1)) if entering != leaving else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = x
        for k in (1, 2, 3):
            found = self.get_submodule(f"conv{k}")(self.get_submodule(f"bn{k}")(found).relu())
        return found + self.downsample(x)


def one(entering: int, leaving: int) -> nn.Sequential:
    """A residual where the names have room for several."""
    return nn.Sequential(Residual(entering, leaving))


class Glass(nn.Module):
    """Halves `depth` times and comes back; `hg.0` is the innermost level, with a residual in its middle."""

    def __init__(self, depth: int, width: int) -> None:
        super().__init__()
        self.hg = nn.ModuleList(
            nn.ModuleList(one(width, width) for _ in range(3 if level else 4)) for level in range(depth)
        )

    def level(self, k: int, x: torch.Tensor) -> torch.Tensor:
        across, entering, leaving, *middle = self.hg[k]
        low = entering(functional.max_pool2d(x, 2))
        low = self.level(k - 1, low) if k else middle[0](low)
        return across(x) + functional.interpolate(leaving(low), scale_factor=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.level(len(self.hg) - 1, x)


class Hourglass(nn.Module):
    def __init__(self, stacks: int, joints: int, width: int = 256) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3), nn.BatchNorm2d(64)
        self.layer1, self.layer2, self.layer3 = one(64, 128), one(128, width), one(width, width)
        self.hg = nn.ModuleList(Glass(4, width) for _ in range(stacks))
        self.res = nn.ModuleList(one(width, width) for _ in range(stacks))
        self.fc = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 1), nn.BatchNorm2d(width), nn.ReLU()) for _ in range(stacks)
        )
        self.score = nn.ModuleList(nn.Conv2d(width, joints, 1) for _ in range(stacks))
        self.fc_ = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(stacks - 1))
        self.score_ = nn.ModuleList(nn.Conv2d(joints, width, 1) for _ in range(stacks - 1))

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        x = self.layer1(self.bn1(self.conv1(x)).relu())
        x = self.layer3(self.layer2(functional.max_pool2d(x, 2)))
        heatmaps = []
        for k, (glass, res, fc, score) in enumerate(zip(self.hg, self.res, self.fc, self.score, strict=True)):
            features = fc(res(glass(x)))
            heatmaps.append(score(features))
            if k + 1 < len(self.hg):
                x = x + self.fc_[k](features) + self.score_[k](heatmaps[-1])
        return heatmaps
