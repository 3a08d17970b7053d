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
from resspec.language.document import SHIPPED_PREFIX, Document


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


def write(content: str, out: str | None, *, inputs: Iterable[Path] = (), force: bool = True) -> None:
    """To the terminal, or whole or not at all to a file, as `spare` allows it."""
    if out is None:
        click.echo(content, nl=False)
        return
    spare(Path(out), inputs, force=force)
    files.write_atomic(Path(out), content)


def spare(target: Path, inputs: Iterable[Path], *, force: bool = True) -> None:
    """A usage error if `target` is one of the files that the command reads, or is there and not to be overwritten."""
    for path in inputs:
        if target.exists() and path.exists() and target.samefile(path):
            raise click.UsageError(f"{target} is read by this very command; write to another file")
    if target.exists() and not force:
        raise click.UsageError(f"{target} exists; --force overwrites it")


def read_from(spec: str, document: Document, sources: Iterable[str]) -> list[Path]:
    """The files of the user's that `spec` was read from: itself, and those that it uses."""
    if not spec.startswith(document.name):
        return []  # a shipped one
    path = Path(document.name)
    used = [name for name in sources if name != document.name and not name.startswith(SHIPPED_PREFIX)]
    return [path, *(path.parent / name for name in used)]


def summarized(network: api.Network, at: dict[str, int]) -> Summary:
    """The summary at the sizes of `--at`, which must be legal."""
    refused = legal.refusal(network, at)
    if refused is not None:
        raise SpecError([Diagnostic(refused.code, refused.message, help=refused.help)])
    return network.summary(legal.choice(network, at).at)
