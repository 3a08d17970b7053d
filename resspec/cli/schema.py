"""`resspec schema`."""

from __future__ import annotations

import json
from typing import Any

import click

from resspec import api
from resspec.cli.options import PLUGINS
from resspec.cli.output import write


@click.command(name="schema")
@click.option("-o", "--out", type=click.Path(dir_okay=False), help="Write to a file.")
@PLUGINS
def command(out: str | None, plugins: Any) -> None:
    """The JSON Schema of spec files, for editors and other tools."""
    from resspec.language.jsonschema import schema as make

    write(json.dumps(make(api.op_names(plugins).values()), indent=1) + "\n", out)
