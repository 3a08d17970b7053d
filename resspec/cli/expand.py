"""`resspec expand`."""

from __future__ import annotations

from typing import Any

import click

from resspec.cli.options import GRAPH, JSON, OUT
from resspec.cli.output import load, read_from, write


@click.command(name="expand")
@GRAPH
@JSON
@click.option("--yaml", "as_yaml", is_flag=True, help="Write the flat graph as a spec, which is itself legal.")
@OUT
def command(spec: str, params: Any, inputs: Any, plugins: Any, as_json: bool, as_yaml: bool, out: str | None) -> None:
    """Every op with its path, shapes and place: the canonical form."""
    network = load(spec, params, inputs, plugins)
    if as_yaml:
        from resspec.flatten import to_yaml

        content = to_yaml(network)
    elif as_json:
        content = network.to_json()
    else:
        lines = [
            f"{node.path} = {node.op.kind}({', '.join(map(network.path, node.inputs))})"
            f" -> {' '.join(map(str, node.outputs))}"
            for node in network.nodes
        ]
        lines += [f"output {name} = {network.path(ref)}" for name, ref in network.outputs.items()]
        content = "\n".join([*lines, f"digest {network.digest}"]) + "\n"
    assert network.document is not None
    write(content, out, inputs=read_from(spec, network.document, network.sources))
