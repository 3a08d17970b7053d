"""`resspec schema`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from resspec import api
from resspec.cli.options import PLUGINS, complete_spec
from resspec.cli.output import read_from, write


@click.command(name="schema")
@click.argument("spec", required=False, shell_complete=complete_spec)
@click.option("-o", "--out", type=click.Path(dir_okay=False), help="Write to a file.")
@PLUGINS
def command(spec: str | None, out: str | None, plugins: Any) -> None:
    """The JSON Schema of spec files, for editors and other tools.

    With SPEC that of this very file: its blocks with their parameters, its variants, and nothing else by mistake.
    """
    ops = api.op_names(plugins).values()
    inputs: list[Path] = []
    if spec is None:
        from resspec.language.jsonschema import schema

        found = schema(ops)
    else:
        from resspec.language.ownschema import schema_of

        opened = api.open_source(spec)
        found = schema_of(opened.document, ops)
        inputs = read_from(spec, opened.document, opened.sources)
    write(json.dumps(found, indent=1) + "\n", out, inputs=inputs)
