"""A figure in the format that a file's name asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from resspec import files
from resspec.diagnostics import Diagnostic, SpecError
from resspec.render.boxes import NOTE, SHAPE
from resspec.render.figure import Figure
from resspec.render.painters import PAINTERS, Options
from resspec.render.problems import DoesNotFit
from resspec.suggest import did_you_mean


def _dot(figure: Figure) -> str:
    from resspec.render.dot import dot

    return dot(figure.graph, figure.root())


def _mermaid(figure: Figure) -> str:
    from resspec.render.mermaid import mermaid

    return mermaid(figure.graph, figure.root())


def _terminal(figure: Figure) -> str:
    from resspec.render.terminal import drawing

    return drawing(figure.graph, figure.root(), at=figure.at)


def _page(figure: Figure, options: Options) -> bytes:
    from resspec.render.html import html

    return html(figure, options.theme).encode()


TEXTS: dict[str, Callable[[Figure], str]] = {".dot": _dot, ".mmd": _mermaid, ".txt": _terminal}
"""formats that lay themselves out: suffix -> text of what is open in a figure"""

SUFFIXES = (*PAINTERS, ".html", *TEXTS)


def draw(figure: Figure, suffix: str, options: Options) -> bytes:
    """The bytes of a figure, `suffix` one of SUFFIXES.

    `SpecError`: `unknown-format`, `figure-too-small` (a page too narrow for legible text),
    `family-refused`, `unknown-name`.
    """
    suffix = suffix.lower()
    if suffix in TEXTS:
        return TEXTS[suffix](figure).encode()
    if suffix == ".html":
        return _page(figure, options)
    if suffix not in PAINTERS:
        known = [one.removeprefix(".") for one in SUFFIXES]
        name = suffix.removeprefix(".")
        message = (
            f"there is no figure format `{name}`" if name else "a figure's name ends in its format, as in `net.svg`"
        )
        help = did_you_mean(name, known, most=len(known))
        raise SpecError([Diagnostic("unknown-format", message, help=help)])
    if suffix == ".pdf" and options.width_mm is not None:
        from resspec.render.pdf import MILLIMETRE, SMALLEST

        figure = replace(figure, room=options.width_mm * MILLIMETRE * min(NOTE, SHAPE) / SMALLEST)
    try:
        return PAINTERS[suffix](figure.scene(), options)
    except DoesNotFit as problem:
        raise SpecError([Diagnostic("figure-too-small", str(problem))]) from None


def write(figure: Figure, path: str | Path, options: Options = Options()) -> None:  # noqa: B008 - frozen
    """The figure as a file, whole or not at all. Errors as `draw`, and `files.FileProblem`."""
    target = Path(path)
    files.write_atomic(target, draw(figure, target.suffix, options))
