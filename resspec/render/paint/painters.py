"""Which painter makes which kind of file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from resspec.render.scene import Scene


@dataclass(frozen=True, slots=True)
class Options:
    """How a scene is painted; every painter takes of it what concerns its format."""

    theme: str = "auto"
    """`light`, `dark`, a style, or `auto`: as the reader's screen is, where a format can know it, else light"""
    scale: float = 2.0
    """pixels a px, for PNG"""
    width_mm: float | None = None
    """width of the page, for PDF; None for that of the figure"""


Painter = Callable[[Scene, Options], bytes]


def _svg(scene: Scene, options: Options) -> bytes:
    from resspec.render.paint.svg import svg

    return svg(scene, options.theme).encode()


def _png(scene: Scene, options: Options) -> bytes:
    from resspec.render.paint.png import png

    return png(scene, options.theme, options.scale)


def _pdf(scene: Scene, options: Options) -> bytes:
    from resspec.render.paint.pdf import pdf

    return pdf(scene, options.theme, options.width_mm)


def _tex(scene: Scene, options: Options) -> bytes:
    from resspec.render.paint.tikz import tikz

    return tikz(scene, options.theme).encode()


PAINTERS: dict[str, Painter] = {".svg": _svg, ".png": _png, ".pdf": _pdf, ".tex": _tex}
"""By the suffix of the file. A library is imported when a figure needs it."""
