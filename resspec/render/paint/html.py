"""A figure as an interactive page: one file that asks for nothing and works from disk.

The page opens and closes blocks and composes their boxes again, as `spine` does. Whatever is written in
it stands in JSON and becomes text, never markup; a policy in its head lets only its own script and
styles run. Without scripts it shows the figure as it was asked for.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from functools import cache
from importlib.resources import files
from math import inf
from xml.sax.saxutils import escape

from resspec.analysis.cost import costs, sum_costs
from resspec.render import labels
from resspec.render.figure import Figure, sizes
from resspec.render.layout.boxes import Boxes
from resspec.render.layout.page import FAMILIES, SKIPS
from resspec.render.metrics import shown
from resspec.render.paint.html_data import LEVELS, Facts
from resspec.render.paint.svg import svg
from resspec.render.theme import DARK, LIGHT, Theme
from resspec.render.view.view import Viewer

SCRIPTS = (
    "view.js", "pieces.js", "compose.js", "scissors.js", "spine.js",  # what Python does, too
    "paint.js", "facts.js", "panel.js", "search.js", "page.js",
)  # fmt: skip
"""in the order in which they stand in the page"""

HEAT = {
    "light": ("#f6f6f4", "#fcf0e3", "#fae2c8", "#f8d1a4", "#f4bd7d", "#eea653"),
    "dark": ("#20242b", "#332a21", "#473320", "#5b3c1f", "#6b421c", "#7a4517"),
}
"""fills for shares of the whole, low to high; texts on them keep a contrast of 4.5 : 1"""
FOCUS = {"light": "#0058d0", "dark": "#7ab8ff"}

LEGEND = (
    *((f"box-{role}", words) for role, words in FAMILIES.items()),
    ("plus", "add"),
    ("times", "multiply"),
    ("bar", "concatenate"),
    *((f"line-{role}", words) for role, words in SKIPS.items()),
)

KEYS = (
    ("click, Enter", "open or close a block"),
    ("with Shift", "all blocks of its kind"),
    ("c", "close the block around"),
    ("arrows, Tab", "to the next box"),
    ("drag, Shift + arrows", "move"),
    ("wheel, + and -", "zoom"),
    ("0", "fit"),
    ("/", "search"),
    ("Esc", "the whole network"),
)


def html(figure: Figure, theme: str = "auto") -> str:
    """The text of the page. It is laid out as a spine, whatever else the figure could be; errors as `Figure.scene`.

    `theme`: `light`, `dark`, or `auto`; the page has a switch.
    """
    full = figure.level == "full" or figure.family == "full"
    scene = replace(figure, family="full" if full else "spine", room=inf).scene()
    at = sizes(figure.graph, figure.at or {})
    facts = Facts(Boxes(figure.graph, at, figure.shapes), Viewer(figure.graph), folding=not full)
    level = "layers" if full else figure.level
    data = facts.json(figure.root(), figure.title, LEGEND)
    script, style = _script(), _style()
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )
    title = _clean(figure.title or figure.graph.name)
    named = "" if theme == "auto" else f' data-theme="{theme}"'
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="en"{named}>',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta name="resspec-digest" content="{figure.graph.digest}">',
            f"<title>{title}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            f"<header><h1>{title}</h1><p>{_clean(_totals(figure, at))}</p>",
            *_controls(level),
            "</header>",
            f'<aside aria-label="facts"><div id="ui-panel"></div>{_keys()}</aside>',
            '<main id="ui-figure" tabindex="0" aria-label="figure">',
            svg(scene, "light").rstrip(),
            "</main>",
            '<footer><ul id="ui-legend" aria-label="legend"></ul></footer>',
            f'<script type="application/json" id="ui-data">{data}</script>',
            f"<script>{script}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _totals(figure: Figure, at: dict[str, int]) -> str:
    total = sum_costs(costs(figure.graph, at))
    facts = [f"{total.params.total:,} parameters"]
    if total.macs:
        facts.append(f"{labels.compact(total.macs)} MACs")
    return ", ".join([*facts, *(f"{name} = {size}" for name, size in at.items())])


def _controls(level: str) -> list[str]:
    options = "".join(f"<option{' selected' if one == level else ''}>{one}</option>" for one in LEVELS)
    return [
        '<div class="search"><input id="ui-search" type="search" placeholder="search ( / )" autocomplete="off"'
        ' spellcheck="false" role="combobox" aria-label="search" aria-controls="ui-results" aria-expanded="false">'
        '<ul id="ui-results" role="listbox" aria-label="hits"></ul></div>',
        f'<label>open <select id="ui-level">{options}</select></label>',
        '<label>heat <select id="ui-heat"><option value="">none</option><option value="params">parameters</option>'
        '<option value="macs">MACs</option></select></label>',
        '<div class="zoom"><button type="button" id="ui-out" aria-label="smaller">-</button>'
        '<button type="button" id="ui-fit">fit</button><button type="button" id="ui-in" aria-label="larger">+</button>'
        '<button type="button" id="ui-theme">light / dark</button></div>',
    ]


def _keys() -> str:
    rows = "".join(f"<dt><kbd>{keys}</kbd></dt><dd>{words}</dd>" for keys, words in KEYS)
    return f"<details><summary>keys</summary><dl>{rows}</dl></details>"


@cache
def _script() -> str:
    """The scripts as one, whose names nothing outside sees."""
    texts = "\n".join(_read(name).replace('"use strict";\n', "") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{texts}}})();\n'


@cache
def _style() -> str:
    light, dark = _colours(LIGHT), _colours(DARK)
    return "\n".join(
        [
            f":root{{color-scheme:light dark;{light}}}",
            f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}",
            f":root[data-theme=light]{{color-scheme:light;{light}}}",
            f":root[data-theme=dark]{{color-scheme:dark;{dark}}}",
            _read("page.css"),
            *_rules(),
            "",
        ]
    )


def _colours(theme: Theme) -> str:
    """A theme as variables."""
    pairs = {"page": theme.page, "focus": FOCUS[theme.name]}
    for role, paint in [*theme.boxes.items(), *((f"frame{k}", paint) for k, paint in enumerate(theme.frames))]:
        pairs |= {f"{role}-fill": paint.fill, f"{role}-line": paint.stroke}
    pairs |= {f"way-{role}": stroke.colour for role, stroke in theme.lines.items()}
    pairs |= theme.texts | {"badge-text": theme.texts["badge"]}
    pairs |= {f"heat{k}": colour for k, colour in enumerate(HEAT[theme.name])}
    return "".join(f"--{name}:{value};" for name, value in pairs.items())


def _rules() -> list[str]:
    """What the roles look like."""
    roles = [*LIGHT.boxes, "frame0", "frame1"]
    found = [f".box-{role}{{fill:var(--{role}-fill);stroke:var(--{role}-line)}}" for role in roles]
    found += [f".sign-{role}{{stroke:var(--{role}-line)}}" for role in LIGHT.boxes]
    for role, stroke in LIGHT.lines.items():
        dash = f";stroke-dasharray:{' '.join(map(str, stroke.dash))}" if stroke.dash else ""
        found.append(f".line-{role}{{stroke:var(--way-{role});stroke-width:{stroke.width}{dash}}}")
        found.append(f".head-{role}{{fill:var(--way-{role})}}")
    found += [f".text-{role}{{fill:var(--{role}{'-text' if role == 'badge' else ''})}}" for role in LIGHT.texts]
    return [*found, *(f".heat{k}{{fill:var(--heat{k})}}" for k in range(len(HEAT["light"]))), ".page{fill:none}"]


def _read(name: str) -> str:
    return (files("resspec.render.paint") / "web" / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _clean(text: str) -> str:
    return escape(shown(text), {'"': "&quot;"})
