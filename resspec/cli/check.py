"""`resspec check`."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from resspec import api, checks, report
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
@click.option("--fix", is_flag=True, help="Carry out the remedies that are certain, in the files themselves.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix, those too that only propose what was meant.")
def command(
    specs: tuple[str, ...],
    params: Any,
    plugins: Any,
    form: str,
    as_json: bool,
    quiet: bool,
    fix: bool,
    unsafe_fixes: bool,
) -> None:
    """Check specs, and say how to mend them.

    Looks at their form, at every variant, and at what their `checks` say.

    SPECS are files, folders, patterns such as 'specs/*.yaml', or names of shipped specs.
    """
    form = "json" if as_json else form
    if unsafe_fixes and not fix:
        raise click.UsageError("--unsafe-fixes goes with --fix")
    found: list[Diagnostic] = []
    failed = False
    for spec in _expand_paths(specs):
        mended = api.fix(spec, unsafe=unsafe_fixes, plugins=plugins) if fix and not spec.endswith(api.MAP) else 0
        done = api.check(spec, params=dict(params), plugins=plugins)
        failed = failed or done.failed
        found += done.diagnostics
        if form == "text":
            if done.diagnostics:
                tell(done.diagnostics, done.sources, "text")
            if not quiet:
                click.echo(_checked_line(spec, done, mended))
            fixable = _fixable(done)
            if fixable and not quiet:
                click.echo(fixable)
    if form != "text":
        tell(found, {}, form)
    if failed:
        raise SystemExit(FINDINGS)


def _checked_line(spec: str, done: api.Report, mended: int) -> str:
    spec = report.printable(spec)
    fixed = f"{_many(mended, 'fix', 'fixes')} made, " if mended else ""
    if done.failed:
        return f"{spec}: {fixed}{report.count(done.diagnostics)}"
    checked = done.checked
    assert checked is not None
    warned = f", {report.count(done.diagnostics)}" if done.diagnostics else ""
    if checked is checks.NOTHING:
        return f"{spec}: {fixed}ok{warned} ({'a map of weights' if spec.endswith(api.MAP) else 'blocks only'})"
    numbers = f"{_many(checked.networks, 'network')}, {_many(checked.checks, 'check')}"
    return f"{spec}: {fixed}ok{warned} ({numbers})"


def _fixable(done: api.Report) -> str:
    """How many findings `--fix` would mend."""
    certain = sum(one.fix is not None and one.fix.certain for one in done.diagnostics)
    proposed = sum(one.fix is not None and not one.fix.certain for one in done.diagnostics)
    told = [f"{certain} with --fix"] if certain else []
    told += [f"{proposed}{' more' if told else ''} with --fix --unsafe-fixes"] if proposed else []
    return f"of these can be mended: {', '.join(told)}" if told else ""


def _many(count: int, one: str, several: str = "") -> str:
    return f"{count} {one if count == 1 else several or one + 's'}"


def _expand_paths(specs: Iterable[str]) -> list[str]:
    found: list[str] = []
    for spec in specs:
        path = Path(spec)
        if path.is_dir():
            inside = sorted(map(str, path.glob("*.yaml")))
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
