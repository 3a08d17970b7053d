"""Scenes as TikZ, in a LaTeX file that compiles by itself and can be edited: one element a line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from resspec.render.metrics import shown
from resspec.render.paint import shapes
from resspec.render.scene import Box, Group, Item, Line, Point, Scene, Text, fixed
from resspec.render.styles import theme as named_theme
from resspec.render.theme import Theme

PREAMBLE = r"""\documentclass[tikz]{standalone}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{textcomp}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\renewcommand{\familydefault}{\sfdefault}"""

BEGIN = r"""\begin{document}
\begin{tikzpicture}[x=0.75pt, y=-0.75pt, every node/.style={inner sep=0pt, outer sep=0pt}]"""

END = r"""\end{tikzpicture}
\end{document}"""

POINTS = 0.75
"""points a px, as in the `x` and `y` of the picture"""

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}",
    "×": r"$\times$", "÷": r"$\div$", "±": r"$\pm$", "·": r"$\cdot$", "²": r"$^2$", "³": r"$^3$", "°": r"$^\circ$",
    "−": r"$-$", "≤": r"$\leq$", "≥": r"$\geq$", "≠": r"$\neq$", "≈": r"$\approx$", "∞": r"$\infty$",
    "⊕": r"$\oplus$", "⊗": r"$\otimes$", "⊙": r"$\odot$", "∑": r"$\sum$", "√": r"$\surd$", "…": r"\ldots{}",
    "←": r"$\leftarrow$", "→": r"$\rightarrow$", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "↔": r"$\leftrightarrow$",
    "–": r"\textendash{}", "—": r"\textemdash{}", "‘": "`", "’": "'", "“": "``", "”": "''",
    "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$", "δ": r"$\delta$", "ε": r"$\varepsilon$", "η": r"$\eta$",
    "θ": r"$\theta$", "κ": r"$\kappa$", "λ": r"$\lambda$", "μ": r"$\mu$", "µ": r"$\mu$", "ν": r"$\nu$", "π": r"$\pi$",
    "ρ": r"$\rho$", "σ": r"$\sigma$", "τ": r"$\tau$", "φ": r"$\varphi$", "ψ": r"$\psi$", "ω": r"$\omega$",
    "Γ": r"$\Gamma$", "Δ": r"$\Delta$", "Λ": r"$\Lambda$", "Π": r"$\Pi$", "Σ": r"$\Sigma$", "Φ": r"$\Phi$",
    "Ψ": r"$\Psi$", "Ω": r"$\Omega$",
}  # fmt: skip
"""how LaTeX writes what it would take for a command, or has in mathematics only"""

LETTERS = frozenset("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿŁłŒœŠšŽžČčŘřĚěŃńŚśŹźŻżĄąĘęĆć")
"""letters beyond ASCII that every LaTeX has"""

UNKNOWN = r"\rule{0.5em}{0.6em}"
"""stands for a character that LaTeX may lack"""


def tikz(scene: Scene, theme: str = "light") -> str:
    """The text of a LaTeX file. `theme`: `light`, `dark` or a style; `auto` is light."""
    look = named_theme(theme)
    return "".join(f"{line}\n" for line in _file(scene, look))


def escaped(text: str) -> str:
    """`text` as LaTeX prints it: no character of it is a command."""
    plain = shown(text)
    words = "".join(SPECIAL.get(c) or (c if c.isascii() or c in LETTERS else UNKNOWN) for c in plain)
    return words.replace("-", "-{}") if "--" in plain else words  # which LaTeX would join to a dash


def _file(scene: Scene, theme: Theme) -> Iterator[str]:
    yield f"% {shown(scene.title)}"
    if scene.digest:
        yield f"% resspec graph {shown(scene.digest)}"
    yield PREAMBLE
    colours = _colours(scene, theme)
    yield from (rf"\definecolor{{{name}}}{{HTML}}{{{value[1:].upper()}}}" for name, value in colours.items())
    yield BEGIN
    yield rf"\path[fill=page, use as bounding box] (0,0) rectangle ({fixed(scene.width)},{fixed(scene.height)});"
    waiting: list[Item | str] = list(reversed(scene.items))
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Group):
            yield rf"\begin{{scope}} % {shown(item.label)}"
            waiting += [r"\end{scope}", *reversed(item.items)]
        elif isinstance(item, Box):
            yield _box(item)
        elif isinstance(item, Line):
            yield from _line(item, theme)
        else:
            yield _text(item)
    yield END


def _colours(scene: Scene, theme: Theme) -> dict[str, str]:
    """The colours of what occurs, in the order of first use."""
    colours = {"page": theme.page}
    for item in scene.walk():
        if isinstance(item, Box):
            paint = theme.box(item.role, item.depth)
            colours.update({f"{_name(item)}fill": paint.fill, f"{_name(item)}edge": paint.stroke})
        elif isinstance(item, Line):
            colours[f"line{_word(item.role)}"] = theme.line(item.role).colour
        else:
            colours[f"text{_word(item.role)}"] = theme.text(item.role)
    return colours


def _box(box: Box) -> str:
    name, edge = _name(box), shapes.outline(box)
    look = f"fill={name}{'edge' if shapes.solid(box) else 'fill'}"
    if edge:
        look += f", draw={name}edge, line width={_length(edge)}"
    if shapes.circled(box):
        signs = "".join(f" {_point(start)} -- {_point(end)}" for start, end in shapes.strokes(box))
        return rf"\path[{look}] {_point(shapes.centre(box))} circle[radius={_length(shapes.radius(box))}]{signs};"
    place = f"{_point((box.x, box.y))} rectangle {_point((box.x + box.width, box.y + box.height))}"
    return rf"\path[{look}, rounded corners={_length(shapes.corner(box))}] {place};"


def _line(line: Line, theme: Theme) -> Iterator[str]:
    path, stroke, name = shapes.path(line), theme.line(line.role), f"line{_word(line.role)}"
    if path is None:
        return
    course = _point(path.start)
    for piece in path.pieces:
        *controls, end = map(_point, piece)
        course += f" .. controls {controls[0]} and {controls[1]} .. {end}" if controls else f" -- {end}"
    pattern = " ".join(f"{word} {_length(length)}" for word, length in zip(cycle(("on", "off")), stroke.dash))
    dash = f", dash pattern={pattern}" if pattern else ""
    yield rf"\path[draw={name}, line width={_length(stroke.width)}, line join=round{dash}] {course};"
    if path.head:
        yield rf"\path[fill={name}] {' -- '.join(map(_point, path.head))} -- cycle;"


def _text(text: Text) -> str:
    anchor = {"start": "base west", "middle": "base", "end": "base east"}[text.anchor]
    size = f"{text.size * POINTS:.2f}"
    font = rf"\fontsize{{{size}}}{{{size}}}\selectfont" + (r"\bfseries" if text.bold else "")
    look = f"anchor={anchor}, text=text{_word(text.role)}, font={font}"
    return rf"\node[{look}] at {_point((text.x, text.y))} {{{escaped(text.text)}}};"


def _name(box: Box) -> str:
    return f"box{_word(box.role)}{box.depth % 2 if box.role == 'frame' else ''}"


def _word(role: str) -> str:
    """A role as part of the name of a colour; TikZ would take a hyphen for an arrow."""
    return "".join(c for c in role if c.isascii() and c.isalnum())


def _length(px: float) -> str:
    return f"{px * POINTS:.3g}pt"


def _point(point: Point) -> str:
    return f"({_number(point[0])},{_number(point[1])})"


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
