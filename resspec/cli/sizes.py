"""`resspec sizes`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from resspec import api
from resspec.analysis import legal
from resspec.cli.options import GRAPH, JSON, SIZE
from resspec.cli.output import console, load
from resspec.diagnostics import SpecError
from resspec.language import fitting
from resspec.tensor import TensorSpec


class Near(click.ParamType[dict[str, int]]):
    """`512` for every unknown size, or `H=512,W=640`."""

    name = "512|H=512,W=640"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, int]:
        if isinstance(value, dict):
            return value
        found = {}
        for part in str(value).split(","):
            name, _, size = part.rpartition("=")
            if not SIZE.fullmatch(size.strip()):
                self.fail(f"{part!r} is no size; write 512, or H=512,W=640", param, ctx)
            found[name.strip()] = int(size)
        return found


@click.command(name="sizes")
@GRAPH
@click.option("--near", type=Near(), default={}, help="List the legal sizes around these.")
@click.option("-n", "--most", type=click.IntRange(1, 100), default=5, show_default=True, help="How many to list.")
@JSON
def command(spec: str, params: Any, inputs: Any, plugins: Any, near: dict[str, int], most: int, as_json: bool) -> None:
    """Which input sizes are legal, exactly, and what size comes out.

    Where the spec gives numbers, its spatial sizes are taken as unknown.
    """
    network, freed = _loaded(spec, params, inputs, plugins)
    wanted = _wanted(network, near)
    found = legal.choices(network, wanted, most)
    if as_json:
        click.echo(json.dumps(_data(network, found), indent=2))
        return
    click.secho(network.name, bold=True)
    for name, i in network.inputs.items():
        declared = " (sizes of the spec taken as unknown)" if freed else ""
        click.echo(f"input   {name} {network.nodes[i].outputs[0]}{declared}")
    for name, ref in network.outputs.items():
        click.echo(f"output  {name} {network.spec(ref)}")
    for text in network.legal_sizes.values():
        click.echo(f"legal   {text}")
    if found:
        click.echo()
        _table(found)


def _loaded(spec: str, params: Any, inputs: Any, plugins: Any) -> tuple[api.Network, bool]:
    """The network with unknown sizes, and whether they were freed for it: where it has numbers, which may not fit."""
    try:
        network = load(spec, params, inputs, plugins)
        if network.domains:
            return network, False
        shapes = {name: network.nodes[i].outputs[0] for name, i in network.inputs.items()}
        misfit = None
    except SpecError as error:
        if not all(one.code in fitting.CODES for one in error.diagnostics if one.severity == "error"):
            raise
        shapes, misfit = api.declared(spec, dict(params)), error
    try:
        return load(spec, params, [*free(shapes), *inputs], plugins), True
    except SpecError as error:
        raise misfit or error from None


def free(shapes: Mapping[str, TensorSpec]) -> list[tuple[str, list[int | None]]]:
    """Every input with its axes unknown, but for the last one, the channels."""
    return [
        (name, [None] * (spec.rank - 1) + [int(str(spec.channels))]) for name, spec in shapes.items() if spec.rank > 1
    ]


def _wanted(network: api.Network, near: Mapping[str, int]) -> dict[str, int]:
    unknown = near.keys() - {"", *network.domains}
    follows = [name for name in network.relations if name in unknown]
    if follows:
        formula = ", ".join(f"{name} = {network.relations[name]}" for name in follows)
        raise click.UsageError(f"{follows[0]} follows from the other sizes: {formula}; give those to --near")
    if unknown:
        names = ", ".join(network.domains) or "none"
        raise click.UsageError(f"there is no unknown size {sorted(unknown)[0]}; the unknown sizes are: {names}")
    least = {name: domain.smallest() or 1 for name, domain in network.domains.items()}
    return {name: near.get(name, near.get("", least[name])) for name in network.domains}


def _table(found: list[legal.Choice]) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in found[0].at:
        table.add_column(name, justify="right")
    for name in found[0].outputs:
        table.add_column(name)
    for one in found:
        table.add_row(*map(str, one.at.values()), *map(str, one.outputs.values()))
    console().print(table)


def _data(network: api.Network, found: list[legal.Choice]) -> dict[str, Any]:
    def shapes(tensors: Mapping[str, TensorSpec]) -> dict[str, list[int | str]]:
        return {name: [s if isinstance(s, int) else str(s) for s in spec.shape] for name, spec in tensors.items()}

    return {
        "name": network.name,
        "sizes": network.legal_sizes,
        "classes": {
            name: {
                "period": domain.period,
                "classes": [
                    {"residue": r, "least": one.least, "most": one.most} for r, one in domain.intervals(domain.period)
                ],
            }
            for name, domain in network.domains.items()
        },
        "inputs": shapes({name: network.nodes[i].outputs[0] for name, i in network.inputs.items()}),
        "outputs": shapes({name: network.spec(ref) for name, ref in network.outputs.items()}),
        "near": [{"at": dict(one.at), "outputs": shapes(one.outputs)} for one in found],
    }
