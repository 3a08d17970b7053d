"""`resspec check`."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from resspec import api, report
from resspec.cli import FINDINGS
from resspec.cli.options import JSON, PARAMS, PLUGINS, complete_spec
from resspec.cli.output import tell
from resspec.diagnostics import Diagnostic


@click.command(name="check")
@click.argument("specs", nargs=-1, required=True, shell_complete=complete_spec)
@PARAMS
@PLUGINS
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "github"]), default="text", help="How to print findings."
)
@JSON
@click.option("-q", "--quiet", is_flag=True, help="Print findings only.")
def command(specs: tuple[str, ...], params: Any, plugins: Any, form: str, as_json: bool, quiet: bool) -> None:
    """Check specs: their form, every variant, and what their `checks` say.

    SPECS are files, folders, patterns such as 'specs/*.yaml', or names of shipped specs.
    """
    form = "json" if as_json else form
    found: list[Diagnostic] = []
    failed = False
    for spec in _expand_paths(specs):
        done = api.check(spec, params=dict(params), plugins=plugins)
        failed = failed or done.failed
        found += done.diagnostics
        if form == "text":
            if done.diagnostics:
                tell(done.diagnostics, done.sources, "text")
            if not quiet:
                click.echo(_checked_line(spec, done))
    if form != "text":
        tell(found, {}, form)
    if failed:
        raise SystemExit(FINDINGS)


def _checked_line(spec: str, done: api.Report) -> str:
    if done.failed:
        return f"{spec}: {report.count(done.diagnostics)}"
    checked = done.checked
    assert checked is not None
    networks = f"{checked.networks} network{'' if checked.networks == 1 else 's'}"
    return f"{spec}: ok ({networks}, {checked.checks} check{'' if checked.checks == 1 else 's'})"


def _expand_paths(specs: Iterable[str]) -> list[str]:
    found: list[str] = []
    for spec in specs:
        path = Path(spec)
        if path.is_dir():
            inside = sorted(str(p) for p in path.glob("*.yaml"))
            if not inside:
                raise click.UsageError(f"there are no .yaml files in {spec}")
            found += inside
        elif any(c in spec for c in "*?["):
            matched = sorted(glob.glob(spec, recursive=True))
            if not matched:
                raise click.UsageError(f"no file matches {spec}")
            found += matched
        else:
            found.append(spec)
    return list(dict.fromkeys(found))
