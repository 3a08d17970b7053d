"""`resspec weights`: files of trained weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resspec.cli import Group
from resspec.cli.matching import match, suggest
from resspec.cli.options import FORCE, JSON
from resspec.cli.output import console, spare

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
        click.secho(click.format_filename(file), bold=True)
        console().print(_table(archive, depth))
        click.echo()
        for line in _facts(archive):
            click.echo(line)


@command.command(name="convert")
@FILE
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@FORCE
def convert(file: Path, out: Path, force: bool) -> None:
    """Write the arrays of FILE under the same names into another container: OUT ends in .safetensors or .npz."""
    from resspec.weights.archive import open_archive
    from resspec.weights.files.write import write

    spare(out, [file], force=force)
    with open_archive(file) as archive:
        write(out, archive.tensors, archive.dialect)
        click.echo(f"{click.format_filename(out)}: {_count(archive)}")
        for note in archive.notes:
            click.echo(f"note: {note}", err=True)


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


def _table(archive: Archive, depth: int | None) -> Any:
    """A row for each layer, or for all layers that begin alike."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    rows: dict[str, list[Tensor]] = {}
    separator = "." if archive.dialect == "torch" else "/"
    for tensor in archive.tensors:
        rows.setdefault(separator.join(tensor.layer.split(separator)[:depth]), []).append(tensor)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for heading in ("layer", "variables", "type"):
        table.add_column(heading, overflow="fold")
    table.add_column("numbers", justify="right", no_wrap=True)
    for name, tensors in rows.items():
        layers = {tensor.layer for tensor in tensors}
        table.add_row(
            Text(name or "-"),
            Text(", ".join(f"{tensor.part} {_shape(tensor.shape)}" for tensor in tensors))
            if len(layers) == 1
            else f"{len(tensors):,} in {len(layers):,} layers",
            ", ".join(dict.fromkeys(tensor.dtype for tensor in tensors)),
            f"{sum(tensor.size for tensor in tensors):,}",
        )
    return table


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) if shape else "scalar"


def _facts(archive: Archive) -> list[str]:
    from resspec.weights.archive import FORMS

    return [f"{FORMS[archive.form]}: {_count(archive)}", *(f"note: {note}" for note in archive.notes)]


def _count(archive: Archive) -> str:
    layers, arrays = len(archive.layers), len(archive.tensors)
    numbers = sum(tensor.size for tensor in archive.tensors)
    return f"{layers:,} layers, {arrays:,} arrays, {numbers:,} numbers"


command.add_command(match)
command.add_command(suggest)
