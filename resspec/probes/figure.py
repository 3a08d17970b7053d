"""The look of the probes' figures, and writing them. Matplotlib is imported here alone."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resspec import files
from resspec.diagnostics import Diagnostic, SpecError
from resspec.probes.base import refused

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from resspec.probes.base import Result

BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK = (
    "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000",
)  # fmt: skip
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK)
"""Okabe and Ito 2008: told apart with every kind of colour vision"""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)), (0, (3, 1)), (0, (8, 2)), (0, (2, 2)))
GREY = "#6b6b6b"

STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.6,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "figure.facecolor": "white",
    "savefig.dpi": 160,
    "svg.hashsalt": "resspec",
    "path.simplify": True,
}

METADATA: dict[str, dict[str, Any]] = {
    ".svg": {"Date": None, "Creator": None},
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""suffix -> what matplotlib would write about the hour and itself, left out"""


def save(result: Result, path: Path) -> Path:
    """Draw a result and write it whole or not at all. SpecError `unknown-format`, `needs-package`."""
    content = draw(result, path.suffix)
    files.write_atomic(path, content)
    return path


def draw(result: Result, suffix: str) -> bytes:
    """The figure of a result as the bytes of a file."""
    if suffix not in METADATA:
        message = f"a figure of a probe is {', '.join(METADATA)}, got `{suffix}`"
        raise SpecError([Diagnostic("unknown-format", message)])
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        help = "pip install 'resspec[probes]'"
        raise refused("figures of probes need matplotlib", code="needs-package", help=help) from None
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE}):
        figure = Figure(figsize=result.size, layout="constrained")
        result.draw(figure)
        stream = BytesIO()
        figure.savefig(stream, format=suffix[1:], metadata=METADATA[suffix])
    return stream.getvalue()


def line(axes: Axes, x: Any, y: Any, at: int, label: str = "", **more: Any) -> None:
    """The `at`-th curve of a figure: told apart by colour, marker and dashes."""
    many = len(x) > 30
    axes.plot(
        x, y,
        **{
            "color": COLOURS[at % 7], "marker": None if many else MARKERS[at % 7], "linestyle": DASHES[at % 7],
            "label": label or None, **more,
        },
    )  # fmt: skip


def note(axes: Axes, text: str, x: float = 0.02, y: float = 0.97, **more: Any) -> None:
    """A few words in a corner of a plot."""
    where = {"ha": "left", "va": "top", "fontsize": 8, "color": GREY, **more}
    axes.text(x, y, text, transform=axes.transAxes, **where)
