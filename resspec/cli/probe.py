"""`resspec probe`: one command a probe, its options made of the probe's settings."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resspec.cli import Group
from resspec.cli.options import INPUTS, JSON, PARAMS, PLUGINS, complete_spec
from resspec.cli.output import console, spare, write
from resspec.probes import PROBES, Probe, settle
from resspec.probes.base import Settings, Subject

if TYPE_CHECKING:
    from resspec.probes.base import Result, Table


class Probes(Group):
    """A command for each probe; the module of a probe is read when its command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [one.name for one in PROBES]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return next((_command(one) for one in PROBES if one.name == cmd_name), None)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Probes"):
            formatter.write_dl([(one.name, one.about) for one in PROBES])


@click.group(name="probe", cls=Probes)
def command() -> None:
    """Measure what makes networks train or not, and draw it."""


def _command(probe: Probe) -> click.Command:
    """`resspec probe NAME SPEC...` with the settings of the probe as options."""

    def run(
        specs: tuple[str, ...], params: Any, inputs: Any, plugins: Any, out: str | None, table: str | None,
        as_json: bool, **settings: Any,
    ) -> None:  # fmt: skip
        subjects = [Subject(spec, dict(params), dict(inputs), tuple(plugins)) for spec in specs]
        for target in (out, table):
            if target is not None:
                _ready(Path(target), specs)
        with progress(quiet=as_json) as told:
            result = probe.module.run(subjects, settle(probe, settings), told)
            if out is not None:
                told("drawing")
                result.save(out)
        if table is not None:
            write(result.to_csv(), table)
        if as_json:
            click.echo(result.to_json(), nl=False)
        else:
            show(result)

    command = click.command(name=probe.name, help=probe.module.__doc__.partition("`: ")[2], params=[])(run)
    shared = [one.name for one in fields(Settings)]
    own = sorted(fields(probe.options), key=lambda one: one.name in shared)
    for option in (SPECS, PARAMS, INPUTS, PLUGINS, *map(_option, own), OUT, TABLE, JSON):
        command = option(command)
    return command


SPECS = click.argument("specs", nargs=-1, required=True, shell_complete=complete_spec)
OUT = click.option("-o", "--out", type=click.Path(dir_okay=False), help="The figure: .svg, .png or .pdf.")
TABLE = click.option("--csv", "table", type=click.Path(dir_okay=False), help="Write the tables to a file.")


class Numbers(click.ParamType[tuple[Any, ...]]):
    """`5,10,20`."""

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.name = "5,10,20" if kind is int else "0.1,1" if kind is float else "a,b"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Any, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(self.kind(part.strip()) for part in str(value).split(",") if part.strip())
        except ValueError:
            self.fail(f"{value!r} is no list such as {self.name}", param, ctx)


def _option(one: Field[Any]) -> Any:
    about, choices = one.metadata["about"], one.metadata["choices"]
    kind = str(one.type)
    shown: dict[str, Any] = {"show_default": one.default not in ((), None, "")}
    name = f"--{one.name.replace('_', '-')}"
    if kind == "bool":
        return click.option(
            f"{name}/--no-{one.name.replace('_', '-')}", one.name, default=one.default, help=about, **shown
        )
    types: dict[str, Any] = {"int": int, "float": float, "str": str}
    of: Any = click.Choice(choices) if choices else types.get(kind.removesuffix(" | None"))
    if of is None:
        of = Numbers(types[kind.removeprefix("tuple[").partition(",")[0]])
    if shown["show_default"] and isinstance(one.default, tuple):
        shown["show_default"] = ",".join(map(str, one.default))
    return click.option(name, one.name, type=of, default=one.default, help=about, **shown)


def _ready(target: Path, specs: Sequence[str]) -> None:
    """A usage error now rather than after the measurement, where a result cannot be written."""
    if not target.parent.is_dir():
        raise click.UsageError(f"there is no folder {target.parent}")
    spare(target, [Path(spec.partition("@")[0]) for spec in specs])


class progress:
    """What is being done, on the standard error, as long as it is done; nothing where nobody looks."""

    def __init__(self, *, quiet: bool) -> None:
        self._bar: Any = None
        if not quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("importing Keras", total=None)

    def __enter__(self) -> progress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, what: str, done: int = 0, total: int = 0) -> None:
        if self._bar is not None:
            self._bar.update(self._task, description=what, completed=done, total=total or None)


MOST = 40
"""rows of a table on the terminal; files have all"""


def show(result: Result) -> None:
    """Tables and verdicts for people."""
    from rich.text import Text

    terminal = console()
    click.secho(result.title, bold=True)
    for table in result.tables:
        if len(table.rows) <= MOST:
            terminal.print(_shown(table))
            click.echo()
    for verdict in result.verdicts:
        mark = {True: ("ok", "green"), False: ("sick", "red"), None: ("note", "blue")}[verdict.ok]
        line = Text(f"{mark[0]:<5}", style=mark[1])
        line.append(verdict.text, style="")
        terminal.print(line, soft_wrap=True)
        for what, text in (
            ("at", verdict.place),
            ("help", verdict.help),
            ("bar", verdict.threshold),
            ("source", verdict.source),
        ):
            if text:
                terminal.print(
                    Text(f"      {what}: {text}", style="dim" if what in ("bar", "source") else ""), soft_wrap=True
                )


def _shown(table: Table) -> Any:
    from rich import box
    from rich.table import Table as Shown

    shown = Shown(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title=table.title, title_justify="left")
    numeric = [any(isinstance(row[k], (int, float)) for row in table.rows) for k in range(len(table.columns))]
    for column, right in zip(table.columns, numeric, strict=True):
        shown.add_column(column.name.replace("_", " "), justify="right" if right else "left", overflow="fold")
    for row in table.rows:
        shown.add_row(*(cell(value, column.digits) for value, column in zip(row, table.columns, strict=True)))
    return shown


def cell(value: Any, digits: int = 4) -> str:
    """A value as people read it: numbers with a few digits."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**12 else f"{value:.{digits - 1}e}" if abs(value) < 10**300 else "> 1e300"
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    return str(value)
