"""The command line: thin commands over `resspec.api`. Exit codes: 0 fine, 1 findings, 2 usage."""

from __future__ import annotations

import glob
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resspec import __version__, api, files, report, text
from resspec.cli_options import AT, GRAPH, JSON, OUT, PARAMS, PLUGINS, complete_spec
from resspec.diagnostics import Diagnostic, SpecError

if TYPE_CHECKING:
    from resspec.analysis.summary import Summary

FINDINGS, USAGE = 1, 2


class Commands(click.Group):
    """The group of commands; whatever goes wrong ends in a finding or a line, never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SpecError as error:
            if ctx.params.get("debug"):
                raise
            _tell(error.diagnostics, error.sources, "text")
            ctx.exit(FINDINGS)
        except files.FileProblem as problem:
            if ctx.params.get("debug"):
                raise
            _tell([Diagnostic(problem.code, problem.message, help=problem.help)], {}, "text")
            ctx.exit(FINDINGS)
        except (RecursionError, MemoryError) as error:
            if ctx.params.get("debug"):
                raise
            raise click.ClickException(f"{type(error).__name__}: the network is too large for this machine") from None
        except BrokenPipeError:
            sys.stderr.close()  # the reader of our output went away; there is nobody to tell
            ctx.exit(0)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="resspec")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def main(debug: bool) -> None:
    """Neural network architectures written once, as data.

    SPEC is a file (its name has a / or ends in .yaml) or the name of a shipped spec, both with
    @variant behind it if wanted: resnet_v2@resnet50_v2.
    """


def _load(
    spec: str, params: Iterable[tuple[str, Any]], inputs: Iterable[tuple[str, Any]], plugins: Sequence[str]
) -> api.Network:
    found = api.load(spec, params=dict(params), inputs=dict(inputs), plugins=plugins)
    if found.warnings:
        _tell(found.warnings, found.sources, "text")
    return found


def _tell(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], form: str) -> None:
    if form == "json":
        click.echo(report.as_json(diagnostics), nl=False)
    elif form == "github":
        click.echo(report.github(diagnostics), nl=False)
    else:
        click.echo(report.text(diagnostics, sources, colour=_colourful(sys.stderr)), err=True)


def _colourful(stream: Any) -> bool:
    import os

    return bool(stream.isatty()) and "NO_COLOR" not in os.environ


def _console() -> Any:
    """A console for tables, wide enough for whole numbers where nobody looks at a terminal."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def _write(content: str, out: str | None, *, protect: str = "") -> None:
    """To the terminal, or whole or not at all to a file, which must not be the spec itself."""
    if out is None:
        click.echo(content, nl=False)
        return
    if protect and Path(protect).exists() and Path(out).exists() and Path(out).samefile(protect):
        raise click.UsageError(f"{out} is the spec itself")
    files.write_atomic(Path(out), content)


# -- commands -------------------------------------------------------------------------------------


@main.command()
@click.argument("specs", nargs=-1, required=True, shell_complete=complete_spec)
@PARAMS
@PLUGINS
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "github"]), default="text", help="How to print findings."
)
@JSON
@click.option("-q", "--quiet", is_flag=True, help="Print findings only.")
def check(specs: tuple[str, ...], params: Any, plugins: Any, form: str, as_json: bool, quiet: bool) -> None:
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
                _tell(done.diagnostics, done.sources, "text")
            if not quiet:
                click.echo(_checked_line(spec, done))
    if form != "text":
        _tell(found, {}, form)
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


@main.command()
@GRAPH
@AT
@JSON
@click.option(
    "-d", "--depth", type=click.IntRange(min=0), default=1, show_default=True, help="Levels of blocks to list."
)
@click.option("--all", "everything", is_flag=True, help="List every op.")
def summary(
    spec: str, params: Any, inputs: Any, plugins: Any, at: dict[str, int], as_json: bool, depth: int, everything: bool
) -> None:
    """What a network costs: shapes, parameters, MACs, memory, receptive field."""
    found = _summary(_load(spec, params, inputs, plugins), at)
    if as_json:
        rows = [
            {
                "path": row.path,
                "op": row.kind,
                "outputs": [[s if isinstance(s, int) else str(s) for s in spec.shape] for spec in row.outputs],
                "params": row.cost.params.total,
                "macs": row.cost.macs,
                "flops": row.cost.flops,
                "activation_bytes": row.cost.activation_bytes,
            }
            for row in text.shown_rows(found.rows, None if everything else depth)
        ]
        click.echo(json.dumps({**found.to_dict(), "rows": rows}, indent=2))
        return
    console = _console()
    click.secho(found.name, bold=True)
    if everything or depth:
        console.print(text.summary_table(found, None if everything else depth, console.width))
        click.echo()
    facts = text.facts(found)
    width = max(len(what) for what, _ in facts)
    for what, how_much in facts:
        click.echo(f"{what:<{width}}  {how_much}")


def _summary(network: api.Network, at: dict[str, int]) -> Summary:
    for name, size in at.items():
        if name not in network.domains:
            known = ", ".join(network.domains) or "none"
            raise click.UsageError(f"there is no unknown size {name}; the unknown sizes are: {known}")
        domain = network.domains[name]
        if not domain.contains(size):
            below, above = domain.near(size)
            near = " and ".join(str(value) for value in (below, above) if value is not None)
            raise SpecError(
                [
                    Diagnostic(
                        "illegal-size",
                        f"{name} = {size} is not legal: {domain}",
                        help=f"the nearest legal sizes are {near}",
                    )
                ]
            )
    return network.summary(at)


@main.command()
@GRAPH
@AT
@click.option(
    "-d", "--depth", type=click.IntRange(min=1), default=3, show_default=True, help="Levels of blocks to show."
)
@click.option("--all", "everything", is_flag=True, help="Show every op.")
@JSON
def show(
    spec: str, params: Any, inputs: Any, plugins: Any, at: dict[str, int], depth: int, everything: bool, as_json: bool
) -> None:
    """The tree of blocks with shapes and counts; equal neighbours stand in one line."""
    network = _load(spec, params, inputs, plugins)
    found = _summary(network, at)
    if as_json:
        click.echo(json.dumps(text.tree_data(found, None if everything else depth), indent=2))
        return
    click.secho(found.name, bold=True)
    for line in text.tree(found, None if everything else depth):
        click.echo(line)


@main.command()
@GRAPH
@JSON
@click.option("--yaml", "as_yaml", is_flag=True, help="Write the flat graph as a spec, which is itself legal.")
@OUT
def expand(spec: str, params: Any, inputs: Any, plugins: Any, as_json: bool, as_yaml: bool, out: str | None) -> None:
    """The canonical form: every op with its path, shapes and place in the file."""
    network = _load(spec, params, inputs, plugins)
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
    _write(content, out, protect=spec)


@main.command(name="list")
@JSON
@click.argument("names", nargs=-1)
def list_(names: tuple[str, ...], as_json: bool) -> None:
    """The shipped specs and their variants, with their counts."""
    found: list[dict[str, Any]] = []
    for name in names or api.shipped():
        opened = api.open_source(name)
        spec = opened.document.spec
        for variant in spec.variants or [None]:
            network = api.network(opened, variant=variant)
            costs = network.summary()
            found.append(
                {
                    "spec": name,
                    "variant": variant,
                    "name": costs.name,
                    "params": costs.params.trainable,
                    "total_params": costs.params.total,
                    "macs": costs.macs,
                    "layers": costs.layers,
                    "depth": costs.depth,
                    "inputs": {
                        k: [s if isinstance(s, int) else str(s) for s in v.shape] for k, v in costs.inputs.items()
                    },
                    "doc": spec.doc,
                }
            )
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("spec", no_wrap=True)
    table.add_column("input", no_wrap=True)
    for title in ("parameters", "MACs", "depth"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in found:
        label = f"{row['spec']}@{row['variant']}" if row["variant"] else str(row["spec"])
        shapes = " ".join("x".join(map(str, shape)) for shape in row["inputs"].values())
        table.add_row(label, shapes, text.count(row["params"]), text.scaled(row["macs"]), str(row["depth"]))
    _console().print(table)


@main.command()
@click.option("-o", "--out", type=click.Path(dir_okay=False), help="Write to a file.")
@PLUGINS
def schema(out: str | None, plugins: Any) -> None:
    """The JSON Schema of spec files, for editors and other tools."""
    from resspec.language.jsonschema import schema as make

    _write(json.dumps(make(api.op_names(plugins).values()), indent=1) + "\n", out)


@main.command()
@click.argument("path", type=click.Path(dir_okay=False))
@click.option("--like", shell_complete=complete_spec, help="Start from a shipped spec.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
def new(path: str, like: str | None, force: bool) -> None:
    """Write a commented starter spec."""
    from resspec.starter import starter

    target = Path(path)
    if target.suffix not in (".yaml", ".yml"):
        raise click.UsageError(f"the name of a spec ends in .yaml: {path}")
    if target.exists() and not force:
        raise click.UsageError(f"{path} exists; --force overwrites it")
    if like is not None and like not in api.shipped():
        raise click.UsageError(f"no spec named {like} is shipped; see `resspec list`")
    name = "".join(c if c.isalnum() else "_" for c in target.stem)
    files.write_atomic(target, starter(name if name[:1].isalpha() else f"net_{name}", like))
    click.echo(f"{path} written; try `resspec check {path}` and `resspec show {path}`")


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell: eval "$(resspec completion bash)"."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(main, {}, "resspec", "_RESSPEC_COMPLETE").source())


@main.command()
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
@click.option("--weights", type=click.Path(exists=True, dir_okay=False), help="Weights saved from the same model.")
@click.option("--max-params", type=int, help="Allow more weights than the usual limit.")
@click.option("-f", "--force", is_flag=True, help="Overwrite the file.")
@JSON
def build(
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
    max_params: int | None,
    force: bool,
    as_json: bool,
) -> None:
    """Build a spec into a .keras file, which loads without this package."""
    import os
    import time

    network = _load(spec, params, inputs, plugins)
    target = Path(out or f"{network.name}.keras")
    if target.suffix != ".keras":
        raise click.UsageError(f"the name of a model file ends in .keras: {target}")
    if not target.parent.is_dir():
        raise click.UsageError(f"there is no folder {target.parent}")
    if target.exists() and not force and out is None:
        raise click.UsageError(f"{target} exists; --force overwrites it, -o names another file")
    if backend:
        os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    started = time.monotonic()
    from resspec import building

    model, written = building.run(
        network,
        target,
        quiet=as_json or not sys.stderr.isatty(),
        outputs=[one.strip() for one in outputs.split(",")] if outputs else (),
        seed=seed,
        dtype=dtype,
        data_format=data_format,
        weights=weights,
        max_parameters=max_params,
    )
    facts = {
        "name": network.name,
        "file": str(target),
        "sidecar": str(written),
        "digest": network.digest,
        "params": model.count_params(),
        "layers": len(model.layers),
        "outputs": {name: [None, *shape] for name, shape in building.shapes(model).items()},
        "seconds": round(time.monotonic() - started, 2),
    }
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    for name, shape in building.shapes(model).items():
        click.echo(f"{name}: {('?', *shape)}".replace("None", "?").replace("'", ""))
    click.echo(f"{facts['params']:,} weights in {facts['layers']} layers, {facts['seconds']} s")
    click.echo(f"{target} (load it with keras.saving.load_model), {written}")


if __name__ == "__main__":
    main()
