"""What commands share: a network by its name, findings on the terminal, results to a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from resspec import api, files, report
from resspec.analysis import legal
from resspec.analysis.summary import Summary
from resspec.diagnostics import Diagnostic, SpecError


def load(
    spec: str, params: Iterable[tuple[str, Any]], inputs: Iterable[tuple[str, Any]], plugins: Sequence[str]
) -> api.Network:
    found = api.load(spec, params=dict(params), inputs=dict(inputs), plugins=plugins)
    if found.warnings:
        tell(found.warnings, found.sources, "text")
    return found


def tell(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], form: str) -> None:
    if form == "json":
        click.echo(report.as_json(diagnostics), nl=False)
    elif form == "github":
        click.echo(report.github(diagnostics), nl=False)
    else:
        click.echo(report.text(diagnostics, sources, colour=colourful(sys.stderr)), err=True)


def colourful(stream: Any) -> bool:
    return bool(stream.isatty()) and "NO_COLOR" not in os.environ


def console() -> Any:
    """A console for tables, wide enough for whole numbers where nobody looks at a terminal."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def write(content: str, out: str | None, *, protect: str = "") -> None:
    """To the terminal, or whole or not at all to a file, which must not be the spec itself."""
    if out is None:
        click.echo(content, nl=False)
        return
    if protect and Path(protect).exists() and Path(out).exists() and Path(out).samefile(protect):
        raise click.UsageError(f"{out} is the spec itself")
    files.write_atomic(Path(out), content)


def summarized(network: api.Network, at: dict[str, int]) -> Summary:
    """The summary at the sizes of `--at`, which must be legal."""
    refused = legal.refusal(network, at)
    if refused is not None:
        raise SpecError([Diagnostic(refused.code, refused.message, help=refused.help)])
    return network.summary(legal.choice(network, at).at)
