"""A graph becomes a flat functional `keras.Model` made of built-in layers."""

from __future__ import annotations

import difflib
import gc
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras

from resspec import limits
from resspec.diagnostics import Diagnostic, SpecError
from resspec.graph import Graph, Ref
from resspec.keras_backend import place
from resspec.keras_backend.assemble import Assembly
from resspec.keras_backend.budget import check_budget
from resspec.keras_backend.deep import recursion
from resspec.keras_backend.initialize import Values
from resspec.keras_backend.initialize import initialize as fill
from resspec.keras_backend.layout import DataFormat
from resspec.keras_backend.refusal import refused
from resspec.keras_backend.site import Lowering
from resspec.keras_backend.table import LOWER
from resspec.ops.base import Op

_LAYERS_PER_NODE = 32
"""more Keras operations than any lowering rule chains: room for Keras's recursive walk"""


def build(
    graph: Graph,
    *,
    seed: int = 0,
    dtype: str | None = None,
    data_format: DataFormat = "channels_last",
    outputs: Sequence[str] = (),
    max_parameters: int = limits.PARAMETERS,
    lower: Mapping[type[Op], Lowering] | None = None,
    progress: Callable[[int, int], None] | None = None,
    initialize: bool = True,
    values: Values | None = None,
) -> keras.Model:
    """The network as a plain Keras model, layers named by their paths.

    One input is taken as a tensor, several as a dict keyed by their names or a list in their order;
    one output is returned as a tensor, several as a dict keyed by their names. `outputs` asks for
    tensors by path instead (nodes, blocks, loop turns, output names): exactly these come back.

    `dtype` is a Keras dtype policy for all layers (None: the global one); under a mixed one outputs
    stay float32. With `data_format="channels_first"` every tensor of two axes or more has its channels
    first, inputs and outputs of the model too. `lower` adds the rules of ops that are not built in.
    `progress` is called with the number of nodes done and the number of all.

    Initial values depend on `seed` and the weight's path only, on every backend. `values` replaces
    them where it has any: path of a node -> name of a weight -> the array, by a call. With
    `initialize=False` all weights are zero, for callers that set them next.

    Raises SpecError: `too-many-parameters`, `unknown-output`, `name-collision`, `keras-refused`,
    `bad-argument`, and what the calls of `values` raise.
    """
    check_budget(graph, max_parameters)
    wanted = _wanted(graph, outputs)
    if data_format not in ("channels_last", "channels_first"):
        raise _bad(f"`data_format` is channels_last or channels_first, got `{data_format}`")
    assembly = Assembly(graph, {**LOWER, **(lower or {})}, data_format, seed, _policy(dtype))
    try:
        with _collector_paused():
            with keras.StatelessScope(initialize_variables=False):
                assembly.add_nodes(set(wanted.values()), progress)
                ends = {name: assembly.output(name, ref, asked=bool(outputs)) for name, ref in wanted.items()}
                model = _model(graph, assembly.inputs, ends)
            if not initialize:
                place.zeros(model)
            else:
                names = dict(zip(assembly.names, (node.path for node in graph.nodes), strict=True))
                fill(model, seed, names, assembly.build.derived, values or {})
    except BaseException:
        place.abandon(assembly.build.layers.values())
        raise
    return model


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Without the cyclic garbage collector: it would look through all layers again and again, in vain."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _model(graph: Graph, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> keras.Model:
    # a list takes a dict of the inputs' names too, and keeps their order, which a dict would sort
    entry = list(inputs.values()) if len(inputs) > 1 else next(iter(inputs.values()))
    result = dict(outputs) if len(outputs) > 1 else next(iter(outputs.values()))
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", graph.name) or "model"
    with recursion(_LAYERS_PER_NODE * len(graph.nodes)):
        try:
            return keras.Model(entry, result, name=name)
        except (ValueError, TypeError, RuntimeError) as error:
            raise refused(error, "to put the model together") from error


def _wanted(graph: Graph, paths: Sequence[str]) -> dict[str, Ref]:
    """The outputs of the model: those of the graph, or exactly those asked for."""
    if not paths:
        return dict(graph.outputs)
    if isinstance(paths, str):
        raise _bad(f'`outputs` is a list of paths, got "{paths}"')
    found: dict[str, Ref] = {}
    problems = []
    for path in paths:
        ref = graph.find(path)
        if ref is None:
            problems.append(_unknown(graph, path))
        else:
            found[path] = ref
    if problems:
        raise SpecError(problems)
    return found


def _unknown(graph: Graph, path: str) -> Diagnostic:
    known = [*graph.outputs, *graph.results, *graph.index]
    near = difflib.get_close_matches(path, known, 3, 0.6)
    return Diagnostic(
        "unknown-output",
        f"there is nothing at the path `{path}`",
        help=f"did you mean {' or '.join(f'`{name}`' for name in near)}?"
        if near
        else "`resspec expand` lists all paths",
    )


def _policy(dtype: str | None) -> Any:
    try:
        return None if dtype is None else keras.dtype_policies.get(dtype)
    except (ValueError, TypeError):
        raise _bad(f"`dtype` is a Keras dtype policy such as float32 or mixed_bfloat16, got `{dtype}`") from None


def _bad(message: str) -> SpecError:
    return SpecError([Diagnostic("bad-argument", message)])
