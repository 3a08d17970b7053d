"""Scenes as PNG: the SVG, painted with the bundled fonts and no others."""

from __future__ import annotations

from pathlib import Path

from resspec.render.paint.problems import DoesNotFit
from resspec.render.paint.svg import svg
from resspec.render.scene import Scene

FONTS = Path(__file__).resolve().parent.parent / "fonts"

PIXELS = 100_000_000
"""at most that many in an image: 400 MB while it is painted"""


def png(scene: Scene, theme: str = "light", scale: float = 2.0) -> bytes:
    """The bytes of a PNG file, `scale` pixels for each px of the scene, on an opaque page.

    `theme`: `light`, `dark` or a style; `auto` is light. Raises DoesNotFit.
    """
    import resvg_py

    if not 0 < scale * scale * scene.width * scene.height <= PIXELS:
        largest = (PIXELS / (scene.width * scene.height)) ** 0.5
        raise DoesNotFit(
            f"an image of {scene.width * scale:.0f} x {scene.height * scale:.0f} pixels is too large; "
            f"scale {int(largest * 100) / 100} works"
        )
    return resvg_py.svg_to_bytes(
        svg_string=svg(scene, "light" if theme == "auto" else theme),
        zoom=scale,
        skip_system_fonts=True,
        font_files=[str(FONTS / "DejaVuSans.ttf"), str(FONTS / "DejaVuSans-Bold.ttf")],
        font_family="DejaVu Sans",
        sans_serif_family="DejaVu Sans",
    )
