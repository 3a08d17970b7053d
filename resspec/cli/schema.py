"""`resspec schema`."""

from __future__ import annotations

import json
from typing import Any

import click

from resspec import api
from resspec.cli.options import PLUGINS, complete_spec
from resspec.cli.output import write


@click.command(name="schema")
@click.argument("spec", required=False, shell_complete=complete_spec)
@click.option("-o", "--out", type=click.Path(dir_okay=False), help="Write to a file.")
@PLUGINS
def command(spec: str | None, out: str | None, plugins: Any) -> None:
    """The JSON Schema of spec files, for editors and other tools.

    With SPEC that of this very file: its blocks with their parameters, its variants, and nothing else by mistake.
    """
    ops = api.op_names(plugins).values()
    if spec is None:
        from resspec.language.jsonschema import schema

        found = schema(ops)
    else:
        from resspec.language.ownschema import schema_of

        found = schema_of(api.open_source(spec).document, ops)
    write(json.dumps(found, indent=1) + "\n", out, protect=spec or "")
