"""`resspec weights`: files of trained weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resspec.cli import Group
from resspec.cli.options import JSON
from resspec.cli.output import console

if TYPE_CHECKING:
    from resspec.weights.archive import Archive, Tensor

FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group(name="weights", cls=Group)
def command() -> None:
    """Look at files of trained weights, and convert them."""


@command.command(name="show")
@FILE
@JSON
@click.option("-d", "--depth", type=click.IntRange(min=1), help="Put layers of one beginning together.")
def show(file: Path, as_json: bool, depth: int | None) -> None:
    """What a file of weights holds: layers, variables, shapes, numbers. Only its table of contents is read."""
    from resspec.weights.archive import open_archive

    with open_archive(file) as archive:
        if as_json:
            click.echo(json.dumps(_plain(archive), indent=2))
            return
        terminal = console()
        click.secho(str(file), bold=True)
        terminal.print(_table(archive, depth, terminal.width))
        for line in _facts(archive):
            click.echo(line)


def _plain(archive: Archive) -> dict[str, Any]:
    return {
        "form": archive.form,
        "dialect": archive.dialect,
        "notes": list(archive.notes),
        "numbers": sum(tensor.size for tensor in archive.tensors),
        "tensors": [
            {
                "name": tensor.name,
                "layer": tensor.layer,
                "part": tensor.part,
                "shape": list(tensor.shape),
                "dtype": tensor.dtype,
            }
            for tensor in archive.tensors
        ],
    }


def _table(archive: Archive, depth: int | None, width: int) -> Any:
    """A row for each layer, or for all layers that begin alike."""
    from rich import box
    from rich.table import Table

    rows: dict[str, list[Tensor]] = {}
    separator = "." if archive.dialect == "torch" else "/"
    for tensor in archive.tensors:
        name = separator.join(tensor.layer.split(separator)[:depth])
        rows.setdefault(name, []).append(tensor)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), width=min(width, 160))
    for heading in ("layer", "variables", "dtype"):
        table.add_column(heading, overflow="fold")
    table.add_column("numbers", justify="right")
    for name, tensors in rows.items():
        layers = {tensor.layer for tensor in tensors}
        variables = ", ".join(f"{tensor.part} {_shape(tensor.shape)}" for tensor in tensors)
        table.add_row(
            name or "-",
            variables if len(layers) == 1 else f"{len(tensors)} in {len(layers)} layers",
            ", ".join(dict.fromkeys(tensor.dtype for tensor in tensors)),
            f"{sum(tensor.size for tensor in tensors):,}",
        )
    return table


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) if shape else "scalar"


def _facts(archive: Archive) -> list[str]:
    from resspec.weights.archive import FORMS

    numbers = sum(tensor.size for tensor in archive.tensors)
    return [
        f"form     {FORMS[archive.form]}",
        f"layers   {len(archive.layers):,}",
        f"arrays   {len(archive.tensors):,}",
        f"numbers  {numbers:,}",
        *(f"note     {note}" for note in archive.notes),
    ]
