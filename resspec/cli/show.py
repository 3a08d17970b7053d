"""`resspec show`."""

from __future__ import annotations

import json
import shutil
import sys
from typing import Any

import click

from resspec import text
from resspec.analysis import legal
from resspec.cli.options import AT, GRAPH, JSON
from resspec.cli.output import colourful, load, summarized
from resspec.render.figure import Figure
from resspec.render.paint.terminal import drawing
from resspec.render.view.view import LEVELS

WIDTH = 100
"""columns where nobody looks at a terminal"""

DEPTH = 3


@click.command(name="show")
@GRAPH
@AT
@click.option("--level", type=click.Choice(LEVELS), default="blocks", show_default=True, help="How much is opened.")
@click.option("--expand", multiple=True, metavar="PATH", help="Open the block at this path too.")
@click.option("--tree", is_flag=True, help="The tree of blocks instead, every block with its counts.")
@click.option("-d", "--depth", type=click.IntRange(min=1), help=f"Levels of blocks of the tree; {DEPTH} by default.")
@click.option("--all", "everything", is_flag=True, help="Show every op.")
@JSON
def command(
    spec: str,
    params: Any,
    inputs: Any,
    plugins: Any,
    at: dict[str, int],
    level: str,
    expand: tuple[str, ...],
    tree: bool,
    depth: int | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Draw a network on the terminal.

    With shapes, counts, and skips in the margin; equal blocks stand there once.
    """
    network = load(spec, params, inputs, plugins)
    found = summarized(network, at)
    levels = None if everything else depth or DEPTH
    if as_json:
        click.echo(json.dumps(text.tree_data(found, levels), indent=2))
    elif tree or depth:
        click.secho(found.name, bold=True)
        for line in text.tree(found, levels):
            click.echo(line)
    else:
        root = Figure(network, level="full" if everything else level, expand=expand).root()
        width = shutil.get_terminal_size((WIDTH, 24)).columns if sys.stdout.isatty() else WIDTH
        sizes = legal.choice(network, at).at
        click.echo(drawing(network, root, width, colourful(sys.stdout), sizes), nl=False)
