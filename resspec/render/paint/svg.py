"""Scenes as SVG: real text, one element a line, complete without scripts or fonts from elsewhere.

The colours of the light theme are attributes, those of the dark one stand in a media query, which
programs that know none pass over. There is no `textLength`: Verdana is as wide as DejaVu Sans and
the usual fallbacks are narrower, so what was measured for the one fits with the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.sax.saxutils import escape

from resspec.render.metrics import shown
from resspec.render.paint import shapes
from resspec.render.scene import Box, Group, Item, Line, Point, Scene, Text, fixed
from resspec.render.styles import theme as named_theme
from resspec.render.theme import DARK, Theme

FONTS = "'DejaVu Sans', Verdana, sans-serif"


def svg(scene: Scene, theme: str = "auto") -> str:
    """The text of an SVG file. `theme`: `light`, `dark`, a style, or `auto` for light that turns dark where the
    reader's screen is. The same scene gives the same text, whatever the machine."""
    look = named_theme(theme)
    return "".join(f"{line}\n" for line in _file(scene, look, theme == "auto"))


def _file(scene: Scene, theme: Theme, both: bool) -> Iterator[str]:
    width, height = fixed(scene.width), fixed(scene.height)
    named = _namer({"figure-title", "figure-text"})
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' role="img" aria-labelledby="figure-title figure-text" font-family="{FONTS}">'
    )
    yield f'<title id="figure-title">{_clean(scene.title)}</title>'
    yield f'<desc id="figure-text">{_clean(scene.description)}</desc>'
    if scene.digest:
        yield f"<metadata>resspec graph {_clean(scene.digest)}</metadata>"
    if both:
        yield from _dark(scene)
    yield f'<rect class="page" width="{width}" height="{height}" fill="{theme.page}"/>'
    waiting: list[Item | str] = list(reversed(scene.items))
    while waiting:  # groups may nest deeper than Python calls
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Group):
            label = _clean(item.label)
            yield f'<g id="{named(item.id)}" aria-label="{label}">'
            yield f"<title>{label}</title>"
            waiting += ["</g>", *reversed(item.items)]
        elif isinstance(item, Box):
            yield from _box(item, theme, named)
        elif isinstance(item, Line):
            yield from _line(item, theme, named)
        else:
            yield _text(item, theme)
    yield "</svg>"


def _box(box: Box, theme: Theme, named: Callable[[str], str]) -> Iterator[str]:
    paint, kind = theme.box(box.role, box.depth), _kind(box)
    id, fill, edge = named(box.id), paint.stroke if shapes.solid(box) else paint.fill, fixed(shapes.outline(box))
    outline = f'fill="{fill}" stroke="{paint.stroke}" stroke-width="{edge}"'
    if shapes.circled(box):
        x, y = shapes.centre(box)
        radius = _exact(shapes.radius(box))
        yield f'<circle id="{id}" class="{kind}" cx="{_exact(x)}" cy="{_exact(y)}" r="{radius}" {outline}/>'
        course = "".join(f"M{_point(start)}L{_point(end)}" for start, end in shapes.strokes(box))
        yield f'<path class="sign-{_word(box.role)}" d="{course}" stroke="{paint.stroke}" stroke-width="{edge}"/>'
    else:
        place = f'x="{fixed(box.x)}" y="{fixed(box.y)}" width="{fixed(box.width)}" height="{fixed(box.height)}"'
        yield f'<rect id="{id}" class="{kind}" {place} rx="{_exact(shapes.corner(box))}" {outline}/>'


def _line(line: Line, theme: Theme, named: Callable[[str], str]) -> Iterator[str]:
    path, stroke, role = shapes.path(line), theme.line(line.role), _word(line.role)
    if path is None:
        return
    course = f"M{_point(path.start)}" + "".join(
        ("L" if len(piece) == 1 else "C") + " ".join(map(_point, piece)) for piece in path.pieces
    )
    dash = f' stroke-dasharray="{" ".join(map(fixed, stroke.dash))}"' if stroke.dash else ""
    look = f'fill="none" stroke="{stroke.colour}" stroke-width="{fixed(stroke.width)}"{dash}'
    yield f'<path id="{named(line.id)}" class="line-{role}" d="{course}" {look}/>'
    if path.head:
        corners = " ".join(map(_point, path.head))
        yield f'<polygon class="head-{role}" points="{corners}" fill="{stroke.colour}"/>'


def _text(text: Text, theme: Theme) -> str:
    look = f'font-size="{fixed(text.size)}" fill="{theme.text(text.role)}"'
    if text.anchor != "start":
        look += f' text-anchor="{text.anchor}"'
    if text.bold:
        look += ' font-weight="bold"'
    place = f'x="{fixed(text.x)}" y="{fixed(text.y)}"'
    return f'<text class="text-{_word(text.role)}" {place} {look}>{_clean(text.text)}</text>'


def _dark(scene: Scene) -> Iterator[str]:
    """The style sheet: the dark colours of what occurs, a role a line, in the order of first use."""
    rules = {".page": f"fill:{DARK.page}"}
    for item in scene.walk():
        if isinstance(item, Box):
            paint = DARK.box(item.role, item.depth)
            fill = paint.stroke if shapes.solid(item) else paint.fill
            rules[f".{_kind(item)}"] = f"fill:{fill};stroke:{paint.stroke}"
            if shapes.circled(item):
                rules[f".sign-{_word(item.role)}"] = f"stroke:{paint.stroke}"
        elif isinstance(item, Line):
            colour = DARK.line(item.role).colour
            rules[f".line-{_word(item.role)}"] = f"stroke:{colour}"
            rules[f".head-{_word(item.role)}"] = f"fill:{colour}"
        else:
            rules[f".text-{_word(item.role)}"] = f"fill:{DARK.text(item.role)}"
    yield "<style>"
    yield "text{font-kerning:none}"
    yield "@media (prefers-color-scheme: dark) {"
    yield from (f"{selector}{{{rule}}}" for selector, rule in rules.items())
    yield "}"
    yield "</style>"


def _kind(box: Box) -> str:
    """Class of a box: what decides its colours."""
    kind = f"box-{_word(box.role)}"
    return f"{kind}{box.depth % 2}" if box.role == "frame" else f"{kind}-solid" if shapes.solid(box) else kind


def _word(role: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in role)


def _namer(taken: set[str]) -> Callable[[str], str]:
    """Makes ids of paths: legal in XML and style sheets, no two alike. `stage1/unit0` becomes `stage1.unit0`."""

    def named(id: str) -> str:
        plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "." if c == "/" else "_" for c in id)
        name = plain = plain if plain[:1].isalpha() else f"_{plain}"
        number = 1
        while name in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(name)
        return name

    return named


def _clean(text: str) -> str:
    return escape(shown(text), {'"': "&quot;"})


def _point(point: Point) -> str:
    return f"{_exact(point[0])},{_exact(point[1])}"


def _exact(value: float) -> str:
    """Two digits behind the point, for the small parts of signs and arrowheads."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
