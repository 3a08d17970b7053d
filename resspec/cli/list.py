"""`resspec list`."""

from __future__ import annotations

import json
from typing import Any

import click

from resspec import api, text
from resspec.cli.options import JSON
from resspec.cli.output import console


@click.command(name="list")
@JSON
@click.argument("names", nargs=-1)
def command(names: tuple[str, ...], as_json: bool) -> None:
    """The shipped specs and their variants, with their counts."""
    found: list[dict[str, Any]] = []
    for name in names or api.shipped():
        opened = api.open_source(name)
        spec = opened.document.spec
        for variant in [opened.variant] if opened.variant else spec.variants or [None]:
            network = api.network(opened, variant=variant)
            costs = network.summary()
            found.append(
                {
                    "spec": name.removesuffix(f"@{opened.variant}"),
                    "variant": variant,
                    "name": costs.name,
                    "params": costs.params.trainable,
                    "total_params": costs.params.total,
                    "macs": costs.macs,
                    "layers": costs.layers,
                    "depth": costs.depth,
                    "inputs": {
                        k: [s if isinstance(s, int) else str(s) for s in v.shape] for k, v in costs.inputs.items()
                    },
                    "doc": spec.doc,
                }
            )
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("spec", no_wrap=True)
    table.add_column("input", no_wrap=True)
    for title in ("parameters", "MACs", "depth"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in found:
        label = f"{row['spec']}@{row['variant']}" if row["variant"] else str(row["spec"])
        shapes = " ".join("x".join(map(str, shape)) for shape in row["inputs"].values())
        table.add_row(Text(label), shapes, text.count(row["params"]), text.scaled(row["macs"]), str(row["depth"]))
    console().print(table)
