"""A figure in the format that a file's name asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from resspec import files
from resspec.diagnostics import Diagnostic, SpecError
from resspec.render.figure import Comparison, Figure
from resspec.render.layout.boxes import NOTE, SHAPE
from resspec.render.paint.painters import PAINTERS, Options
from resspec.render.paint.problems import DoesNotFit
from resspec.render.scene import Scene
from resspec.suggest import did_you_mean


def _dot(figure: Figure) -> str:
    from resspec.render.paint.dot import dot

    return dot(figure.graph, figure.root())


def _mermaid(figure: Figure) -> str:
    from resspec.render.paint.mermaid import mermaid

    return mermaid(figure.graph, figure.root())


def _terminal(figure: Figure) -> str:
    from resspec.render.paint.terminal import drawing

    return drawing(figure.graph, figure.root(), at=figure.at)


def _page(figure: Figure, options: Options) -> bytes:
    from resspec.render.paint.html import html

    return html(figure, options.theme).encode()


TEXTS: dict[str, Callable[[Figure], str]] = {".dot": _dot, ".mmd": _mermaid, ".txt": _terminal}
"""formats that lay themselves out: suffix -> text of what is open in a figure"""

SUFFIXES = (*PAINTERS, ".html", *TEXTS)


def draw(figure: Figure | Comparison, suffix: str, options: Options) -> bytes:
    """The bytes of a figure, `suffix` one of SUFFIXES.

    `SpecError`: `unknown-format`, `figure-too-small` (a page too narrow for legible text),
    `family-refused`, `unknown-name`.
    """
    suffix = suffix.lower()
    if isinstance(figure, Comparison):
        return _painted(figure.scene(), suffix, options, list(PAINTERS))
    if suffix in TEXTS:
        return TEXTS[suffix](figure).encode()
    if suffix == ".html":
        return _page(figure, options)
    if suffix == ".pdf" and options.width_mm is not None:
        from resspec.render.paint.pdf import MILLIMETRE, SMALLEST

        figure = replace(figure, room=options.width_mm * MILLIMETRE * min(NOTE, SHAPE) / SMALLEST)
    if suffix not in PAINTERS:
        raise _unknown(suffix, SUFFIXES)
    return _painted(figure.scene(), suffix, options, SUFFIXES)


def _painted(scene: Scene, suffix: str, options: Options, known: Sequence[str]) -> bytes:
    if suffix not in PAINTERS:
        raise _unknown(suffix, known)
    try:
        return PAINTERS[suffix](scene, options)
    except DoesNotFit as problem:
        raise SpecError([Diagnostic("figure-too-small", str(problem))]) from None


def _unknown(suffix: str, known: Sequence[str]) -> SpecError:
    name = suffix.removeprefix(".")
    message = f"there is no figure format `{name}`" if name else "a figure's name ends in its format, as in `net.svg`"
    if name and suffix in SUFFIXES:
        message = f"two networks side by side cannot be drawn as `{name}`"
    help = did_you_mean(name, [one.removeprefix(".") for one in known], most=len(known))
    return SpecError([Diagnostic("unknown-format", message, help=help)])


def write(figure: Figure | Comparison, path: str | Path, options: Options = Options()) -> None:  # noqa: B008 - frozen
    """The figure as a file, whole or not at all. Errors as `draw`, and `files.FileProblem`."""
    target = Path(path)
    files.write_atomic(target, draw(figure, target.suffix, options))
