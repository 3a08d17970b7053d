"""What the roles of a scene look like: colours for light and dark, line widths, dashes.

The palette is that of Okabe and Ito (2008, "Color Universal Design"), tinted for fills so that text
on it has a contrast of at least 4.5 : 1 (WCAG 2.1); what differs in colour differs in words or form too.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paint:
    """Fill and outline of a box, `#rrggbb`."""

    fill: str
    stroke: str


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line: colour, width in px, dash pattern in px, empty for solid."""

    colour: str
    width: float
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Theme:
    """A look. `boxes`, `lines` and `texts` are by role; frames alternate between two tints by depth."""

    name: str
    page: str
    boxes: dict[str, Paint]
    frames: tuple[Paint, Paint]
    lines: dict[str, Stroke]
    texts: dict[str, str]
    font: str = "DejaVu Sans"

    def box(self, role: str, depth: int = 0) -> Paint:
        if role == "frame":
            return self.frames[depth % 2]
        return self.boxes.get(role, self.boxes["other"])

    def line(self, role: str) -> Stroke:
        return self.lines.get(role, self.lines["flow"])

    def text(self, role: str) -> str:
        return self.texts.get(role, self.texts["label"])


def _boxes(pairs: dict[str, tuple[str, str]]) -> dict[str, Paint]:
    return {role: Paint(fill, stroke) for role, (fill, stroke) in pairs.items()}


LIGHT = Theme(
    "light",
    "#ffffff",
    _boxes(
        {
            "input": ("#ffffff", "#333333"),
            "output": ("#ffffff", "#333333"),
            "conv": ("#cfe3f1", "#0072b2"),
            "dense": ("#cdeae0", "#009e73"),
            "norm": ("#f7f1c4", "#8a7d00"),
            "pool": ("#f6d8c4", "#d55e00"),
            "activation": ("#fbe5bd", "#c07f00"),
            "merge": ("#ffffff", "#333333"),
            "reshape": ("#eeeeee", "#777777"),
            "resample": ("#d9eefa", "#56b4e9"),
            "regularization": ("#f2f2f2", "#999999"),
            "attention": ("#f0d9e6", "#cc79a7"),
            "recurrent": ("#e7d5ee", "#8e5aa5"),
            "preprocess": ("#eeeeee", "#777777"),
            "other": ("#eeeeee", "#777777"),
            "block": ("#e4e8f0", "#52617a"),
            "badge": ("#333333", "#333333"),
        }
    ),
    (Paint("#f7f8fa", "#b4bcc8"), Paint("#eef1f5", "#b4bcc8")),
    {
        "flow": Stroke("#444444", 1.2),
        "identity": Stroke("#444444", 1.2),
        "projection": Stroke("#0072b2", 1.2, (5, 3)),
        "arc": Stroke("#52617a", 1.0),
    },
    {
        "title": "#111111",
        "heading": "#333333",
        "label": "#111111",
        "note": "#444444",
        "shape": "#555555",
        "badge": "#ffffff",
    },
)

DARK = Theme(
    "dark",
    "#14171c",
    _boxes(
        {
            "input": ("#1d2128", "#c8ccd4"),
            "output": ("#1d2128", "#c8ccd4"),
            "conv": ("#123a54", "#56b4e9"),
            "dense": ("#0c4335", "#2fc59b"),
            "norm": ("#45400f", "#e3d64a"),
            "pool": ("#572a10", "#f08a4b"),
            "activation": ("#4f380b", "#e9a825"),
            "merge": ("#1d2128", "#c8ccd4"),
            "reshape": ("#2a2f37", "#9aa2ae"),
            "resample": ("#17455f", "#8fd0f5"),
            "regularization": ("#252a31", "#8a929e"),
            "attention": ("#4e2a40", "#e29bc4"),
            "recurrent": ("#402a50", "#bf93d6"),
            "preprocess": ("#2a2f37", "#9aa2ae"),
            "other": ("#2a2f37", "#9aa2ae"),
            "block": ("#2b3444", "#9fb0cb"),
            "badge": ("#d7dbe2", "#d7dbe2"),
        }
    ),
    (Paint("#1a1e25", "#4a5361"), Paint("#20252d", "#4a5361")),
    {
        "flow": Stroke("#b9c0ca", 1.2),
        "identity": Stroke("#b9c0ca", 1.2),
        "projection": Stroke("#56b4e9", 1.2, (5, 3)),
        "arc": Stroke("#9fb0cb", 1.0),
    },
    {
        "title": "#f2f4f7",
        "heading": "#d7dbe2",
        "label": "#f2f4f7",
        "note": "#c2c8d1",
        "shape": "#aab2be",
        "badge": "#14171c",
    },
)

THEMES = {"light": LIGHT, "dark": DARK}
