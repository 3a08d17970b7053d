"""`resspec new`."""

from __future__ import annotations

from pathlib import Path

import click

from resspec import api, files
from resspec.cli.options import complete_spec


@click.command(name="new")
@click.argument("path", type=click.Path(dir_okay=False))
@click.option("--like", shell_complete=complete_spec, help="Start from a shipped spec.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
def command(path: str, like: str | None, force: bool) -> None:
    """Write a commented starter spec."""
    from resspec.starter import starter

    target = Path(path)
    if target.suffix not in (".yaml", ".yml"):
        raise click.UsageError(f"the name of a spec ends in .yaml: {path}")
    if target.exists() and not force:
        raise click.UsageError(f"{path} exists; --force overwrites it")
    if like is not None and like not in api.shipped():
        raise click.UsageError(f"no spec named {like} is shipped; see `resspec list`")
    name = "".join(c if c.isalnum() else "_" for c in target.stem)
    files.write_atomic(target, starter(name if name[:1].isalpha() else f"net_{name}", like))
    click.echo(f"{path} written; try `resspec check {path}` and `resspec show {path}`")
