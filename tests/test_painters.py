"""Painters on a figure made by hand that has every mark, role and kind of line once."""

from __future__ import annotations

from resspec.render.metrics import fit, width
from resspec.render.scene import Box, Edge, Group, Item, Line, Mark, Scene, Text
from resspec.render.theme import LIGHT

SIZE = 11.0


def cell(id: str, x: float, y: float, role: str, label: str, mark: Mark = "rect", wide: float = 140) -> Group:
    """A box with its text inside."""
    words = Text(x + wide / 2, y + 16, fit(label, SIZE, wide - 12), SIZE, "label")
    return Group(f"{id}.group", f"{id}, {label}", (Box(id, x, y, wide, 24, role, mark), words), path=id)


def sample(label: str = "conv 3x3, 64", name: str = "stage1/unit0") -> Scene:
    """Two nested frames with a residual unit, a dense block as arcs, and a legend."""
    unit: tuple[Item, ...] = (
        Box("stage1/unit0#frame", 40, 96, 260, 262, "frame", "frame", depth=1),
        Text(52, 114, fit(name, 11, 150, bold=True), 11, "heading", "start", bold=True),
        Box("stage1/unit0#times", 250, 103, 38, 18, "badge", "badge"),
        Text(269, 116, "× 23", 10, "badge", bold=True),
        cell("stage1/unit0/norm", 90, 136, "norm", "batch norm, relu"),
        Line("a", ((160, 160), (160, 180)), "flow", edges=(Edge("a", "b", 0),)),
        cell("stage1/unit0/conv", 90, 180, "conv", label),
        Line("b", ((160, 204), (160, 232)), "flow"),
        Text(166, 221, "56 × 56 × 64", 9, "shape", "start"),
        cell("stage1/unit0/conv2", 90, 232, "conv", "conv 1x1, 256, /2"),
        Line("c", ((160, 256), (160, 287)), "flow"),
        Box("stage1/unit0/add", 151, 287, 18, 18, "merge", "plus"),
        Line("d", ((160, 128), (160, 130), (262, 130), (262, 296), (169, 296)), "identity"),
        Line("e", ((90, 192), (60, 192), (60, 296), (151, 296)), "projection"),
        Line("f", ((160, 305), (160, 326)), "flow"),
        Box("stage1/unit0/gate", 151, 326, 18, 18, "merge", "times"),
        Line("g", ((160, 344), (160, 352)), "flow", arrow=False),
    )
    families = tuple(role for role in LIGHT.boxes if role != "badge")
    items: list[Item] = [
        Text(24, 34, "ResNet-200, every mark and role", 16, "title", "start", bold=True),
        Text(24, 52, "64,666,152 parameters, 30.1 GFLOPs", 11, "note", "start"),
        Box("stage1#frame", 24, 66, 292, 308, "frame", "frame"),
        Text(36, 84, "stage1", 11, "heading", "start", bold=True),
        Group("stage1/unit0", "unit0, unit, 23 times", unit, path="stage1/unit0", folded=True),
        Box("dense/concat", 360, 150, 110, 6, "merge", "bar"),
        Box("dense/sum", 360, 190, 150, 22, "merge", "bar"),
        Text(435, 205, "256 + 32 = 288", 10, "label"),
        Line("h", ((415, 110), (415, 150)), "flow"),
        Line("i", ((415, 156), (415, 190)), "flow"),
        Box("block", 360, 230, 150, 34, "block", "round"),
        Text(435, 251, "bottleneck × 3", 11, "label"),
        Line("j", ((435, 212), (435, 230)), "flow"),
    ]
    for number in range(4):
        x = 350 + 60 * number
        items += [cell(f"dense/layer{number}", x, 340, "block", f"L{number}", "round", 36)]
        items += [Line(f"k{number}", ((x + 36, 352), (x + 60, 352)), "flow")] if number < 3 else []
        for later in range(number + 2, 4):
            reach = 60 * (later - number)
            points = ((x + 18, 340.0), (x + 18 + reach / 2, 340 - 12 * (later - number)), (x + 18 + reach, 340.0))
            items.append(Line(f"arc{number}{later}", points, "arc", curved=True))
    for number, role in enumerate(families):
        y = 96 + 20.5 * number
        items += [
            Box(f"legend.{role}", 590, y, 20, 13, role, "round" if role == "block" else "rect"),
            Text(618, y + 10.5, role, 10, "note", "start"),
        ]
    return Scene("ResNet-200", "A residual network.", 740, 400, tuple(items), digest="0123abcd")
