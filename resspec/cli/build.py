"""`resspec build`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import click

from resspec.cli.options import FORCE, GRAPH, JSON, WEIGHTS
from resspec.cli.output import load, read_from, spare


@click.command(name="build")
@GRAPH
@click.option("-o", "--out", type=click.Path(dir_okay=False), help="The .keras file; <name>.keras by default.")
@click.option("--outputs", help="Paths to return instead of the spec's outputs: stage2,stage3/unit0/conv1.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the initial weights.")
@click.option("--dtype", help="Dtype policy: float32, mixed_bfloat16, ...")
@click.option(
    "--data-format", type=click.Choice(["channels_last", "channels_first"]), default="channels_last", show_default=True
)
@click.option(
    "--backend", type=click.Choice(["tensorflow", "jax", "torch"]), help="Keras backend; KERAS_BACKEND otherwise."
)
@WEIGHTS
@click.option("--max-params", type=int, help="Allow more weights than the usual limit.")
@FORCE
@JSON
def command(
    spec: str,
    params: Any,
    inputs: Any,
    plugins: Any,
    out: str | None,
    outputs: str | None,
    seed: int,
    dtype: str | None,
    data_format: str,
    backend: str | None,
    weights: str | None,
    weights_map: str | None,
    allow: tuple[str, ...],
    adapt: tuple[tuple[str, str], ...],
    max_params: int | None,
    force: bool,
    as_json: bool,
) -> None:
    """Build a .keras file, which loads without this package."""
    import os
    import time

    network = load(spec, params, inputs, plugins)
    # a spec may be a stranger's: its name names a file in this folder, and never leads elsewhere
    target = Path(out or re.sub(r"[^A-Za-z0-9_.-]|^\.", "_", network.name) + ".keras")
    if target.suffix != ".keras":
        raise click.UsageError(f"the name of a model file ends in .keras: {target}")
    if not target.parent.is_dir():
        raise click.UsageError(f"there is no folder {target.parent}")
    if target.exists() and not force:
        raise click.UsageError(f"{target} exists; --force overwrites it, -o names another file")
    assert network.document is not None
    sources = read_from(spec, network.document, network.sources)
    for written in (target, target.with_name(f"{target.name}.json")):
        spare(written, [*sources, *([Path(weights)] if weights else [])])
    if backend:
        os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    started = time.monotonic()
    from resspec import building

    with building.weights_of(network, weights, weights_map, allow, dict(adapt)) as found:
        model, sidecar = building.run(
            network,
            target,
            quiet=as_json or not sys.stderr.isatty(),
            outputs=[one.strip() for one in outputs.split(",")] if outputs else (),
            seed=seed,
            dtype=dtype,
            data_format=data_format,
            weights=found,
            max_parameters=max_params,
        )
    facts = {
        "name": network.name,
        "file": str(target),
        "sidecar": str(sidecar),
        "digest": network.digest,
        "params": model.count_params(),
        "layers": len(model.layers),
        "outputs": {name: [None, *shape] for name, shape in building.shapes(model).items()},
        **({"weights": found.facts} if found is not None else {}),
        "seconds": round(time.monotonic() - started, 2),
    }
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    if found is not None:
        click.echo(found.summary)
    for name, shape in building.shapes(model).items():
        click.echo(f"{name}: {('?', *shape)}".replace("None", "?").replace("'", ""))
    click.echo(f"{facts['params']:,} weights in {facts['layers']} layers, {facts['seconds']} s")
    click.echo(f"{target} (load it with keras.saving.load_model), {sidecar}")
