"""`resspec weights match` and `resspec weights suggest`: a file of weights beside a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from resspec import building
from resspec.api import Network
from resspec.cli.options import FITTING, FORCE, GRAPH, JSON, OUT
from resspec.cli.output import console, load, tell, write
from resspec.diagnostics import SpecError
from resspec.frames import printable

FILE = click.argument("file", type=click.Path(path_type=Path))


@click.command(name="match")
@GRAPH
@FILE
@FITTING
@click.option("--pairs", is_flag=True, help="List every weight with the arrays that it is made of.")
@JSON
def match(
    spec: str,
    params: Any,
    inputs: Any,
    plugins: Any,
    file: Path,
    weights_map: str | None,
    allow: tuple[str, ...],
    adapt: tuple[tuple[str, str], ...],
    pairs: bool,
    as_json: bool,
) -> None:
    """Say whether a file's weights fit a network, as `build --weights` would; nothing is built."""
    network = load(spec, params, inputs, plugins)
    if as_json:  # what does not fit is what a script asks for
        with network.weights_from(str(file), weights_map=weights_map, allow=allow, adapt=dict(adapt)) as found:
            click.echo(json.dumps(found.facts, indent=2))
            if found.findings:
                tell(found.findings, {**network.sources, **found.sources}, "text")
                click.get_current_context().exit(1)
        return
    with building.weights_of(network, str(file), weights_map, allow, dict(adapt)) as found:
        assert found is not None
        if pairs:
            console().print(_table(found.facts["loaded"]))
        click.echo(found.summary)


def _table(loaded: dict[str, list[str]]) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for heading in ("weight", "in the file"):
        table.add_column(heading, overflow="fold")
    for weight, arrays in loaded.items():
        table.add_row(weight, ", ".join(arrays))
    return table


@click.command(name="suggest")
@GRAPH
@FILE
@OUT
@FORCE
def suggest(spec: str, params: Any, inputs: Any, plugins: Any, file: Path, out: str | None, force: bool) -> None:
    """Propose a map for a file, by aligning it with the network in order and by shapes; read it before you use it."""
    from resspec.weights.archive import open_archive
    from resspec.weights.suggest import suggest as propose

    network = load(spec, params, inputs, plugins)
    with open_archive(file) as archive:
        proposal = propose(network, archive)
    notes = [note for note in (proposal.doubt, _described(network, file)) if note is not None]
    write(proposal.yaml(network.name, file.name, notes), out, inputs=[file], force=force)
    for note in notes if out is not None else ():  # on the terminal they stand in the map
        click.echo(f"note: {printable(note)}", err=True)


def _described(network: Network, file: Path) -> str | None:
    """Whether a map that is there already describes the file, under these parameters or others."""
    try:
        with network.weights_from(file) as found:
            if not found.findings:
                return f"no map is needed: the file loads under the names of `{found.match.naming}`"
            fit = found.elsewhere()
            return None if fit is None else fit.told
    except SpecError:  # of a map that is broken, or of other names
        return None
