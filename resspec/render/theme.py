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


def _arcs(*colours: str) -> dict[str, Stroke]:
    """`arc0`, `arc1`, ...: one colour for each layer that the arcs of a dense block come from."""
    return {f"arc{k}": Stroke(colour, 1.1) for k, colour in enumerate(colours)}


LIGHT = Theme(
    "light",
    "#ffffff",
    _boxes(
        {
            "input": ("#ffffff", "#333333"),
            "output": ("#ffffff", "#333333"),
            "conv": ("#cfe3f1", "#0072b2"),
            "dense": ("#c4ebdd", "#00805e"),
            "norm": ("#fdf8cf", "#857800"),
            "pool": ("#f4c2aa", "#c04f00"),
            "activation": ("#fbdf9f", "#a86e00"),
            "merge": ("#ffffff", "#333333"),
            "reshape": ("#e6e6e6", "#6b6b6b"),
            "resample": ("#dcf1fd", "#2b8fc4"),
            "regularization": ("#f7f7f7", "#8c8c8c"),
            "attention": ("#f8dcea", "#c0508f"),
            "recurrent": ("#d9c9ec", "#5a2d82"),
            "preprocess": ("#e9f5f0", "#22584d"),
            "other": ("#eadcc8", "#80673f"),
            "block": ("#dfe5f2", "#3c4f78"),
            "badge": ("#333333", "#333333"),
        }
    ),
    (Paint("#f7f8fa", "#b4bcc8"), Paint("#eef1f5", "#b4bcc8")),
    {
        "flow": Stroke("#444444", 1.2),
        "identity": Stroke("#444444", 1.2),
        "projection": Stroke("#0072b2", 1.2, (5, 3)),
        "arc": Stroke("#52617a", 1.0),
        **_arcs("#0072b2", "#c04f00", "#00805e", "#c0508f", "#a86e00", "#5a2d82", "#2b8fc4", "#52617a"),
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
            "dense": ("#0b4537", "#2fc59b"),
            "norm": ("#4c470e", "#f0e442"),
            "pool": ("#632c0e", "#f58a4b"),
            "activation": ("#4f380b", "#e69f00"),
            "merge": ("#1d2128", "#c8ccd4"),
            "reshape": ("#30353d", "#a3abb7"),
            "resample": ("#184259", "#a5dcfa"),
            "regularization": ("#1b1f25", "#7f8894"),
            "attention": ("#5a2446", "#f2a0cf"),
            "recurrent": ("#44275f", "#d3b0f5"),
            "preprocess": ("#17302c", "#6fa99c"),
            "other": ("#3a3226", "#c3a87e"),
            "block": ("#2b3550", "#9db2e0"),
            "badge": ("#d7dbe2", "#d7dbe2"),
        }
    ),
    (Paint("#1a1e25", "#4a5361"), Paint("#20252d", "#4a5361")),
    {
        "flow": Stroke("#b9c0ca", 1.2),
        "identity": Stroke("#b9c0ca", 1.2),
        "projection": Stroke("#56b4e9", 1.2, (5, 3)),
        "arc": Stroke("#9fb0cb", 1.0),
        **_arcs("#56b4e9", "#f58a4b", "#2fc59b", "#f2a0cf", "#e69f00", "#d3b0f5", "#a5dcfa", "#9fb0cb"),
    },
    {
        "title": "#f2f4f7",
        "heading": "#d7dbe2",
        "label": "#f2f4f7",
        "note": "#c2c8d1",
        "shape": "#b2bac6",
        "badge": "#14171c",
    },
)

THEMES = {"light": LIGHT, "dark": DARK}
