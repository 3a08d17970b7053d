"""`resspec lsp`."""

from __future__ import annotations

import importlib.util
from typing import Any

import click

from resspec.cli.options import PLUGINS


@click.command(name="lsp")
@PLUGINS
def command(plugins: Any) -> None:
    """Serve editors by the Language Server Protocol, on stdio."""
    if importlib.util.find_spec("pygls") is None:
        raise click.ClickException("the language server needs pygls: pip install 'resspec[lsp]'")
    from resspec.lsp.server import serve

    serve(plugins)
