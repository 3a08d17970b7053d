"""Lanes beside lines of text: which lines a tensor passes by on its way to a later one, in box-drawing characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8

GLYPHS = {
    0: " ", UP | DOWN: "│", LEFT | RIGHT: "─", DOWN | RIGHT: "╭", UP | RIGHT: "╰", UP | DOWN | RIGHT: "├",
    LEFT | RIGHT | DOWN: "┬", LEFT | RIGHT | UP: "┴", UP | DOWN | LEFT | RIGHT: "┼",
}  # fmt: skip

DASHED = "╎"
ARROW = "→"

ABOVE = -1
"""the start of a lane that comes from what stands above the first line"""


@dataclass(slots=True)
class Lane:
    """What runs from the line `start` down the margin to lines that read it."""

    start: int
    ends: list[int] = field(default_factory=list)
    """none where it runs out at the bottom"""
    dashed: bool = False
    station: int = ABOVE
    """a line on the way that it runs through, a projection; ABOVE for none"""


def margins(lines: int, lanes: Sequence[Lane]) -> list[str]:
    """What stands before each of so many lines. Lanes nest: the longer one stands further left.

    A lane that an arm crosses without meeting it stays whole, so that every other glyph is a joint.
    """
    if not lanes:
        return [""] * lines
    last = [max(lane.ends, default=lines) for lane in lanes]
    levels = _levels([(lane.start, end) for lane, end in zip(lanes, last, strict=True)])
    width = 2 * max(levels)
    masks = [[0] * width for _ in range(lines)]
    dashes: set[tuple[int, int]] = set()
    joints: list[tuple[int, int]] = []
    for lane, end, level in zip(lanes, last, levels, strict=True):
        column = width - 2 * level
        for line in range(max(lane.start, 0), min(end + 1, lines)):
            masks[line][column] |= (UP if line > lane.start else 0) | (DOWN if line < end else 0)
            if lane.dashed:
                dashes.add((line, column))
        joints += [(line, column) for line in sorted({lane.start, *lane.ends, lane.station} - {ABOVE})]
    for line, column in joints:
        masks[line][column] |= RIGHT
    for line, column in joints:
        for right in range(column + 1, width):
            if masks[line][right] != UP | DOWN:
                masks[line][right] |= LEFT | RIGHT
    arrows = {end for lane in lanes for end in lane.ends}
    found = []
    for line, mask in enumerate(masks):
        glyphs = [
            DASHED if one == UP | DOWN and (line, column) in dashes else GLYPHS[one] for column, one in enumerate(mask)
        ]
        if line in arrows:
            glyphs[-1] = ARROW
        found.append("".join(glyphs) + " ")
    return found


def _levels(spans: Sequence[tuple[int, int]]) -> list[int]:
    """How far out each lane stands, 1 beside the text: outside those that it spans, never on another.

    A lane does not begin where one ends: it would look like one that goes on.
    """
    levels = [0] * len(spans)
    for k in sorted(range(len(spans)), key=lambda k: (spans[k][1] - spans[k][0], -k)):
        start, end = spans[k]
        near = [j for j, (s, e) in enumerate(spans) if levels[j] and s <= end and start <= e]
        taken = {levels[j] for j in near}
        level = 1 + max((levels[j] for j in near if start <= spans[j][0] and spans[j][1] <= end), default=0)
        while level in taken:
            level += 1
        levels[k] = level
    return levels
