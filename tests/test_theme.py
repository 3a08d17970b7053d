"""Colours: text that can be read, families that differ for every eye."""

from __future__ import annotations

from itertools import combinations

import pytest

from resspec.render.theme import THEMES


def linear(colour: str) -> list[float]:
    """Linear light of `#rrggbb`, 0 to 1 (IEC 61966-2-1)."""
    parts = [value / 255 for value in bytes.fromhex(colour[1:])]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def contrast(one: str, other: str) -> float:
    """WCAG 2.1: (lighter + 0.05) / (darker + 0.05)."""
    dark, light = sorted(sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(x))) for x in (one, other))
    return (light + 0.05) / (dark + 0.05)


SIGHT = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.1523, 1.0526, -0.2049), (0.1145, 0.7863, 0.0992), (-0.0039, -0.0481, 1.0520)),
    "deuteranopia": ((0.3673, 0.8606, -0.2280), (0.2801, 0.6725, 0.0474), (-0.0118, 0.0429, 0.9689)),
    "tritanopia": ((1.2555, -0.0767, -0.1788), (-0.0784, 0.9308, 0.1476), (0.0047, 0.6914, 0.3039)),
}
"""Machado, Oliveira and Fernandes (2009), severity 1"""


def lab(colour: str, sight: str) -> tuple[float, float, float]:
    """CIELAB of a colour as somebody sees it."""
    seen = [min(1.0, max(0.0, sum(m * c for m, c in zip(row, linear(colour))))) for row in SIGHT[sight]]
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    x, y, z = (sum(m * c for m, c in zip(row, seen)) / white for row, white in zip(rows, (0.9505, 1.0, 1.089)))
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return (116 * y - 16, 500 * (x - y), 200 * (y - z))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_every_fill(theme: str) -> None:
    look = THEMES[theme]
    fills = {paint.fill for role, paint in look.boxes.items() if role != "badge"}
    fills |= {look.page, *(paint.fill for paint in look.frames)}
    for role, colour in look.texts.items():
        for fill in {look.boxes["badge"].fill} if role == "badge" else fills:
            assert contrast(colour, fill) >= 4.5, (role, fill)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_outlines_and_lines_can_be_seen(theme: str) -> None:
    """WCAG 2.1, 1.4.11: at least 3 : 1 for what is not text. Frames only repeat what headings say."""
    look = THEMES[theme]
    behind = (look.page, *(paint.fill for paint in look.frames))
    for colour in [paint.stroke for paint in look.boxes.values()] + [stroke.colour for stroke in look.lines.values()]:
        assert min(contrast(colour, fill) for fill in behind) >= 2.9, colour


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_families_differ_for_every_eye(theme: str, sight: str) -> None:
    """By fill or outline, at least 6 units of CIELAB; 2.3 are just noticed. What looks alike by intent is told
    apart by its mark and its words."""
    boxes = {r: p for r, p in THEMES[theme].boxes.items() if r not in ("badge", "input", "output", "merge")}
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        pairs = ((lab(a.fill, sight), lab(b.fill, sight)), (lab(a.stroke, sight), lab(b.stroke, sight)))
        distance = max(sum((p - q) ** 2 for p, q in zip(*pair)) ** 0.5 for pair in pairs)
        assert distance >= 6, (one, other)


def test_themes_know_the_same_roles() -> None:
    light, dark = THEMES["light"], THEMES["dark"]
    for part in ("boxes", "lines", "texts"):
        assert getattr(light, part).keys() == getattr(dark, part).keys()
