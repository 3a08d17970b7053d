"""`resspec render`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from resspec import api, files
from resspec.cli.options import AT, GRAPH
from resspec.cli.output import console, load, read_from, spare
from resspec.render.figure import FAMILIES, Comparison, Figure
from resspec.render.formats import SUFFIXES, draw
from resspec.render.paint.painters import Options
from resspec.render.styles import STYLES
from resspec.render.view.view import LEVELS


@click.command(name="render")
@GRAPH
@AT
@click.option(
    "-o", "--out", "outs", multiple=True, type=click.Path(dir_okay=False),
    help=f"A file: {', '.join(SUFFIXES)}. May be given several times; <name>.svg by default.",
)  # fmt: skip
@click.option("--family", type=click.Choice(FAMILIES), help="The layout; by default the one that suits the network.")
@click.option("--level", type=click.Choice(LEVELS), default="blocks", show_default=True, help="How much is opened.")
@click.option("--expand", multiple=True, metavar="PATH", help="Open the block at this path too.")
@click.option(
    "--shapes", type=click.Choice(["change", "all", "none"]), default="change", show_default=True,
    help="Which tensor shapes are written.",
)  # fmt: skip
@click.option("--compare", "other", metavar="SPEC", help="Another network beside this one, differences marked.")
@click.option("--title", default="", help="Heading of the figure; the network's name by default.")
@click.option("--theme", type=click.Choice(["auto", "light", "dark"]), default="auto", show_default=True)
@click.option("--style", type=click.Choice(sorted(STYLES)), help="The look of a paper's figures, instead of a theme.")
@click.option("--scale", type=click.FloatRange(0.1, 8), default=2.0, show_default=True, help="PNG: pixels a unit.")
@click.option("--width", "width_mm", type=click.FloatRange(20, 2000), help="PDF: width in mm, 85 or 174 for papers.")
@click.option("-f", "--force", is_flag=True, help="Overwrite the default file.")
def command(
    spec: str,
    params: Any,
    inputs: Any,
    plugins: Any,
    at: dict[str, int],
    outs: tuple[str, ...],
    family: str | None,
    level: str,
    expand: tuple[str, ...],
    shapes: str,
    other: str | None,
    title: str,
    theme: str,
    style: str | None,
    scale: float,
    width_mm: float | None,
    force: bool,
) -> None:
    """Draw a network: SVG, PNG, PDF, HTML, TikZ and more."""
    network = load(spec, params, inputs, plugins)
    if not outs:
        default = f"{Path(network.name).name}.svg"
        if Path(default).exists() and not force:
            raise click.UsageError(f"{default} exists; --force overwrites it, -o names another file")
        outs = (default,)
    single = Figure(network, family, level, expand, at, shapes, title)
    figure = _beside(single, spec, load(other, (), (), plugins), other) if other is not None else single
    for out in outs:
        content = draw(figure, Path(out).suffix, Options(style or theme, scale, width_mm))
        spare(Path(out), read_from(spec, network.document, network.sources) if network.document else ())
        files.write_atomic(out, content)
        console().print(f"{out} written ({len(content) / 1024:,.0f} kB)", soft_wrap=True, markup=False)


def _beside(figure: Figure, spec: str, other: api.Network, name: str) -> Comparison:
    """Both figures; networks of one name are told apart by what was asked for."""
    if figure.graph.name == other.name:
        figure = replace(figure, title=figure.title or spec)
    shared = {size: value for size, value in (figure.at or {}).items() if size in other.domains}
    title = name if figure.graph.name == other.name else ""
    return Comparison(figure, replace(figure, graph=other, at=shared, title=title))
