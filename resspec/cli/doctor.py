"""`resspec doctor`."""

from __future__ import annotations

import json
from typing import Any

import click

from resspec.cli import FINDINGS
from resspec.cli.options import GRAPH, JSON
from resspec.cli.output import console
from resspec.cli.probe import progress


@click.command(name="doctor")
@GRAPH
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of initial values and noise.")
@JSON
def command(spec: str, params: Any, inputs: Any, plugins: Any, seed: int, as_json: bool) -> None:
    """Say in five lines why a network does not train.

    What is healthy, what is not, and what to change.

    Looks at gradients, shattering, variance and paths at initialization, on noise, and at the warnings of check.
    """
    from rich.text import Text

    from resspec.probes import doctor

    with progress(quiet=as_json) as told:
        found = doctor(spec, params=dict(params), inputs=dict(inputs), plugins=plugins, seed=seed, progress=told)
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2, allow_nan=False))
    else:
        for line in found.lines:
            text = Text(str(line))
            text.stylize({True: "green", False: "bold red", None: "yellow"}[line.verdict.ok], 0, 4)
            console().print(text, soft_wrap=True)
    if not found.healthy:
        raise SystemExit(FINDINGS)
