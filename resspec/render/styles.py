"""The looks of well-known figures: the light theme with their colours, line widths and dashes.

A style has no dark side. What it paints is the same scene: a style changes no size and no word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from resspec.render.theme import LIGHT, THEMES, Paint, Stroke, Theme

Pair = tuple[str, str]
"""fill and outline"""


def theme(name: str) -> Theme:
    """A theme or style by its name; `auto` is light."""
    return THEMES.get(name) or STYLES.get(name) or LIGHT


def _style(name: str, boxes: Mapping[str, Pair], frames: tuple[Pair, Pair], lines: dict[str, Stroke]) -> Theme:
    return replace(
        LIGHT,
        name=name,
        boxes=LIGHT.boxes | {role: Paint(*pair) for role, pair in boxes.items()},
        frames=(Paint(*frames[0]), Paint(*frames[1])),
        lines=LIGHT.lines | lines,
    )


RESNET = _style(
    "resnet",  # He et al. 2015, figure 3: thin black lines, solid where a shortcut is the identity, dotted where not
    {
        "conv": ("#ffffff", "#222222"),
        "dense": ("#e3efe6", "#222222"),
        "pool": ("#e8e8e8", "#222222"),
        "norm": ("#f7f5e6", "#777777"),
        "activation": ("#faf0dc", "#777777"),
        "block": ("#e6e1f4", "#4b3f7a"),
    },
    (("#ffffff", "#b8b8b8"), ("#fafafa", "#b8b8b8")),
    {
        "flow": Stroke("#111111", 1.0),
        "identity": Stroke("#111111", 1.0),
        "projection": Stroke("#111111", 1.2, (1.2, 2.8)),
    },
)

DENSENET = _style(
    "densenet",  # Huang et al. 2017, figures 1 and 2: a colour for every layer that arcs come from
    {
        "conv": ("#f8d3b0", "#a1530c"),
        "pool": ("#c5e6e3", "#1b726b"),
        "dense": ("#dcd4ee", "#58468f"),
        "norm": ("#f4f4f4", "#858585"),
        "activation": ("#f4f4f4", "#858585"),
        "block": ("#fdf6da", "#857420"),
    },
    (("#f3f7fb", "#a9bccf"), ("#e9f0f7", "#a9bccf")),
    {
        f"arc{k}": Stroke(colour, 1.3)
        for k, colour in enumerate(
            ("#c8202a", "#1c7f36", "#7b3fa0", "#b56c00", "#1f6fb5", "#b8357f", "#12746c", "#5a5a5a")
        )
    },
)

UNET = _style(
    "unet",  # Ronneberger et al. 2015, figure 1: blue arrows, wide grey ones for what is copied, copies in white
    {
        "conv": ("#d7e4f2", "#2b5f9e"),
        "block": ("#d7e4f2", "#2b5f9e"),
        "merge": ("#ffffff", "#2b5f9e"),
        "resample": ("#ffffff", "#2b5f9e"),
        "pool": ("#f8d3c8", "#b2361b"),
        "norm": ("#f4f6f9", "#7d8ca0"),
        "activation": ("#f4f6f9", "#7d8ca0"),
    },
    (("#ffffff", "#c3cbd6"), ("#f8fafc", "#c3cbd6")),
    {
        "flow": Stroke("#2b5f9e", 1.5),
        "identity": Stroke("#8a8a8a", 2.6),
        "projection": Stroke("#8a8a8a", 2.6, (5, 3)),
    },
)

HOURGLASS = _style(
    "hourglass",  # Newell et al. 2016, figures 3 and 4: pale modules, the supervised heatmaps outlined in blue
    {
        "conv": ("#fdf3dc", "#7d6423"),
        "block": ("#fbe6c6", "#7d6423"),
        "pool": ("#e4e4e4", "#444444"),
        "resample": ("#f3f3f3", "#444444"),
        "norm": ("#f8f8f8", "#858585"),
        "activation": ("#f8f8f8", "#858585"),
        "output": ("#dceafc", "#1756b0"),
    },
    (("#fffdf8", "#cfc5ac"), ("#faf6ec", "#cfc5ac")),
    {
        "flow": Stroke("#222222", 1.0),
        "identity": Stroke("#222222", 1.0),
        "projection": Stroke("#222222", 1.0, (5, 3)),
    },
)

STYLES = {style.name: style for style in (RESNET, DENSENET, UNET, HOURGLASS)}
