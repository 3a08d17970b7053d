"""`resspec explain`."""

from __future__ import annotations

import sys

import click

from resspec import explain
from resspec.suggest import did_you_mean


@click.command(name="explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """What a finding means, with an example and its remedy. Without CODE, the list of codes."""
    pages = explain.pages()
    if code is None:
        width = max(map(len, pages))
        for name, page in sorted(pages.items()):
            click.echo(f"{name:<{width}}  {page.summary}")
        return
    wanted = pages.get(code.strip("[]"))
    if wanted is None:
        near = did_you_mean(code, pages)
        raise click.UsageError(f"there is no finding with the code {code}" + (f"; {near}" if near else ""))
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(str(wanted)))
    else:
        click.echo(str(wanted), nl=False)
