"""The bundled fonts, and texts measured with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from resspec.render import advances, metrics
from resspec.render.metrics import fit, width

SIZE = 11.0
FONTS = Path(metrics.__file__).parent / "fonts"


@pytest.mark.parametrize("bold", [False, True])
def test_widths_are_those_of_the_bundled_fonts(bold: bool) -> None:
    font = TTFont(FONTS / f"DejaVuSans{'-Bold' if bold else ''}.ttf")
    characters = font.getBestCmap()
    assert font["head"].unitsPerEm == advances.UNITS
    assert len(characters) > 600
    assert not {"GPOS", "GSUB", "kern"} & set(font.keys())  # nothing moves a character but its width
    for code, name in characters.items():
        assert width(chr(code), advances.UNITS, bold) == font["hmtx"][name][0]


def test_both_fonts_have_the_same_characters_and_what_figures_need() -> None:
    regular, bold = (set(TTFont(FONTS / f"DejaVuSans{end}.ttf").getBestCmap()) for end in ("", "-Bold"))
    assert regular == bold
    assert (
        set(
            map(
                ord,
                "aZ09 \u00d7\u2295\u2297\u2026\u2013\u2192\u2190\u2193\u03b1\u03a9\u00df\u0141\u2264\ufffd\u2502\u2514",
            )
        )
        <= regular
    )


def test_width_adds_up_and_grows_with_size() -> None:
    assert width("", 10) == 0
    assert width("conv", 10) == pytest.approx(sum(width(c, 10) for c in "conv"))
    assert width("conv", 20) == pytest.approx(2 * width("conv", 10))
    assert width("conv", 10, bold=True) > width("conv", 10)
    assert width("\u6df1", 10) == width("\ufffd", 10) > 10  # an ideograph of another font fits


@pytest.mark.parametrize("room", [0, 5, 11, 40, 90, 200, 2000])
@pytest.mark.parametrize("text", ["stage3/unit17/conv2", "", "WWWWWWWW", "\u6df1\u5c42\u7f51\u7edc\u6a21\u578b"])
def test_fit_fits_and_keeps_both_ends(text: str, room: float) -> None:
    short = fit(text, SIZE, room)
    assert width(short, SIZE) <= room
    if width(text, SIZE) <= room:
        assert short == text
    elif short:
        head, tail = short.split(metrics.ELLIPSIS)
        assert text.startswith(head)
        assert text.endswith(tail)
        assert len(head) - len(tail) in (0, 1)
        longer = text[: (len(short) + 1) // 2] + metrics.ELLIPSIS + text[len(text) - len(short) // 2 :]
        assert width(longer, SIZE) > room  # as much as fits
    else:
        assert room < width(metrics.ELLIPSIS, SIZE)
