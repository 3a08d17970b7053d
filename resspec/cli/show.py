"""`resspec show`."""

from __future__ import annotations

import json
from typing import Any

import click

from resspec import text
from resspec.cli.options import AT, GRAPH, JSON
from resspec.cli.output import load, summarized


@click.command(name="show")
@GRAPH
@AT
@click.option(
    "-d", "--depth", type=click.IntRange(min=1), default=3, show_default=True, help="Levels of blocks to show."
)
@click.option("--all", "everything", is_flag=True, help="Show every op.")
@JSON
def command(
    spec: str, params: Any, inputs: Any, plugins: Any, at: dict[str, int], depth: int, everything: bool, as_json: bool
) -> None:
    """The tree of blocks with shapes and counts; equal neighbours stand in one line."""
    network = load(spec, params, inputs, plugins)
    found = summarized(network, at)
    if as_json:
        click.echo(json.dumps(text.tree_data(found, None if everything else depth), indent=2))
        return
    click.secho(found.name, bold=True)
    for line in text.tree(found, None if everything else depth):
        click.echo(line)
