"""Styles: the same scene in the colours of well-known figures, legible in every painter."""

from __future__ import annotations

import json
from io import BytesIO

import pytest

import resspec
from resspec.render.figure import Figure
from resspec.render.paint.painters import PAINTERS, Options
from resspec.render.paint.svg import svg
from resspec.render.scene import Line, Scene
from resspec.render.styles import STYLES, theme
from resspec.render.theme import DARK, LIGHT


def brightness(colour: str) -> float:
    """Relative luminance of `#rrggbb`, WCAG 2.1."""
    parts = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    low, high = sorted((brightness(one), brightness(two)))
    return (high + 0.05) / (low + 0.05)


def scene(name: str, family: str | None = None) -> Scene:
    return Figure(resspec.load(name), family).scene()


def test_names() -> None:
    assert list(STYLES) == ["resnet", "densenet", "unet", "hourglass"]
    assert [theme(name) for name in ("light", "dark", "auto")] == [LIGHT, DARK, LIGHT]
    assert all(theme(name).name == name for name in STYLES)


@pytest.mark.parametrize("name", STYLES)
def test_texts_and_lines_are_legible(name: str) -> None:
    look = STYLES[name]
    fills = [look.page, *(look.box("frame", k).fill for k in (0, 1))]
    fills += [paint.fill for role, paint in look.boxes.items() if role != "badge"]
    for role in ("title", "heading", "label", "note", "shape"):
        assert min(contrast(look.text(role), fill) for fill in fills) >= 4.5
    assert contrast(look.text("badge"), look.box("badge").fill) >= 4.5
    assert all(contrast(stroke.colour, look.page) >= 3 for stroke in look.lines.values())
    assert set(look.boxes) == set(LIGHT.boxes)
    assert set(look.lines) == set(LIGHT.lines)


@pytest.mark.parametrize("name", STYLES)
def test_kinds_of_lines_tell_apart_without_colour(name: str) -> None:
    identity, projection = STYLES[name].line("identity"), STYLES[name].line("projection")
    assert not identity.dash
    assert projection.dash


@pytest.mark.parametrize("suffix", PAINTERS)
def test_every_painter_knows_every_style(suffix: str) -> None:
    from PIL import Image

    drawn = scene("resnet_cifar")
    found = {name: PAINTERS[suffix](drawn, Options(theme=name)) for name in (*STYLES, "light")}
    assert len(set(found.values())) == 5
    if suffix == ".png":
        assert len({Image.open(BytesIO(data)).size for data in found.values()}) == 1


def test_the_look_of_each() -> None:
    resnet = svg(scene("resnet", "plan"), "resnet")
    assert 'stroke="#111111" stroke-width="1.2" stroke-dasharray="1.2 2.8"' in resnet
    assert "prefers-color-scheme" not in resnet
    dense = scene("densenet", "arcs")
    text = svg(dense, "densenet")
    sources = {line.role for line in dense.walk() if isinstance(line, Line) and line.curved}
    assert len(sources) == 6
    assert all(STYLES["densenet"].line(role).colour in text for role in sources)
    assert 'stroke="#8a8a8a" stroke-width="2.6"' in svg(Figure(resspec.load("unet"), "plan", "stages").scene(), "unet")


def test_a_style_changes_no_place_and_no_word() -> None:
    def plain(text: str) -> str:
        drop = ("fill=", "stroke=", "stroke-width=", "stroke-dasharray=")
        return json.dumps([word for word in text.split() if not word.startswith(drop)])

    drawn = scene("alexnet", "plan")  # without dashes, whose pattern has a blank
    assert plain(svg(drawn, "unet")) == plain(svg(drawn, "light"))
