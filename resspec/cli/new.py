"""`resspec new`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from resspec import api, files
from resspec.cli.options import FORCE, complete_spec


@click.command(name="new")
@click.argument("path", type=click.Path(dir_okay=False))
@click.option("--like", shell_complete=complete_spec, help="Start from a shipped spec.")
@click.option("--schema/--no-schema", default=True, help="Name a JSON Schema for editors in the first line.")
@FORCE
def command(path: str, like: str | None, schema: bool, force: bool) -> None:
    """Write a commented starter spec and its schema.

    A copy of a shipped spec (--like) comes with its map of weights. The schema, which editors complete and check with,
    is resspec.schema.json, one for the folder; one that is there is kept. After an update of resspec
    `resspec schema -o resspec.schema.json` makes it anew.
    """
    from resspec.starter import SCHEMA, starter, weights_map

    target = Path(path)
    if target.suffix not in (".yaml", ".yml"):
        raise click.UsageError(f"the name of a spec ends in .yaml: {path}")
    if target.exists() and not force:
        raise click.UsageError(f"{path} exists; --force overwrites it")
    if like is not None and like not in api.shipped():
        raise click.UsageError(f"no spec named {like} is shipped; see `resspec list`")
    name = "".join(c if c.isalnum() else "_" for c in target.stem)
    files.write_atomic(target, starter(name if name[:1].isalpha() else f"net_{name}", like, schema=schema))
    beside = target.with_name(SCHEMA)
    written = [path]
    mapping = weights_map(like) if like else None
    if mapping is not None:
        files.write_atomic(target.with_suffix(".weights.yaml"), mapping)
        written.append(str(target.with_suffix(".weights.yaml")))
    if schema and not beside.exists():
        from resspec.language.jsonschema import schema as make

        files.write_atomic(beside, json.dumps(make(api.op_names().values()), indent=1) + "\n")
        written.append(str(beside))
    *before, last = written
    told = f"{', '.join(before)} and {last}" if before else last
    click.echo(f"{told} written; try `resspec check {path}` and `resspec show {path}`")
