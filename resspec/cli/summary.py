"""`resspec summary`."""

from __future__ import annotations

import json
from typing import Any

import click

from resspec import text
from resspec.cli.options import AT, GRAPH, JSON
from resspec.cli.output import console, load, summarized


@click.command(name="summary")
@GRAPH
@AT
@JSON
@click.option(
    "-d", "--depth", type=click.IntRange(min=0), default=1, show_default=True, help="Levels of blocks to list."
)
@click.option("--all", "everything", is_flag=True, help="List every op.")
def command(
    spec: str, params: Any, inputs: Any, plugins: Any, at: dict[str, int], as_json: bool, depth: int, everything: bool
) -> None:
    """What a network costs: parameters, MACs, FLOPs, memory."""
    found = summarized(load(spec, params, inputs, plugins), at)
    if as_json:
        rows = [
            {
                "path": row.path,
                "op": row.kind,
                "outputs": [[s if isinstance(s, int) else str(s) for s in spec.shape] for spec in row.outputs],
                "params": row.cost.params.total,
                "macs": row.cost.macs,
                "flops": row.cost.flops,
                "activation_bytes": row.cost.activation_bytes,
            }
            for row in text.shown_rows(found.rows, None if everything else depth)
        ]
        click.echo(json.dumps({**found.to_dict(), "rows": rows}, indent=2))
        return
    terminal = console()
    click.secho(found.name, bold=True)
    if everything or depth:
        terminal.print(text.summary_table(found, None if everything else depth, terminal.width))
        click.echo()
    facts = text.facts(found)
    width = max(len(what) for what, _ in facts)
    for what, how_much in facts:
        click.echo(f"{what:<{width}}  {how_much}")
