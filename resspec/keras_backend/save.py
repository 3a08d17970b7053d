"""Writing a model to disk: a `.keras` file that needs nothing but Keras, and what it came from beside it."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import Any

import keras

from resspec import files
from resspec.chain import deep_chain
from resspec.diagnostics import Diagnostic, SpecError
from resspec.graph import Graph
from resspec.keras_backend.deep import recursion
from resspec.keras_backend.refusal import refused
from resspec.weights import order


def save(
    model: keras.Model, graph: Graph, path: str | PathLike[str], spec_text: str = "", *, version: str | None = None
) -> tuple[Path, Path]:
    """Write `model` to `path` (`.keras`) and where it came from to `path` + `.json`, each in one step.

    The file is Keras's own and loads without resspec, under safe mode too. The note beside it says which
    graph it holds: digests, name, parameters, the text of the spec and versions; no time and no folder,
    so the same model gives the same note. Returns both paths. Raises FileProblem `output-problem`,
    SpecError `bad-argument` for another suffix and `keras-refused` if Keras cannot save the model.
    """
    target = Path(path)
    if target.suffix != ".keras":
        message = f"a model is saved to a file that ends in `.keras`, got `{target.name}`"
        raise SpecError([Diagnostic("bad-argument", message)])
    beside = target.with_name(f"{target.name}.json")
    with files.replacing(target) as temporary, recursion(4 * len(model.layers)):
        try:
            keras.saving.save_model(model, temporary)
        except (ValueError, TypeError, NotImplementedError) as error:
            raise refused(error, f"to save `{graph.name}`") from error
    files.write_atomic(beside, json.dumps(provenance(model, graph, spec_text, version), indent=2) + "\n")
    return target, beside


def provenance(model: keras.Model, graph: Graph, spec_text: str = "", version: str | None = None) -> dict[str, Any]:
    """What a saved model came from, as plain data; the same on every backend."""
    note = deep_chain(graph)
    return {
        "name": graph.name,
        "digest": graph.digest,
        "paths_digest": graph.paths_digest,
        "params": dict(graph.params),
        "inputs": list(graph.inputs),
        "outputs": list(model.output) if isinstance(model.output, dict) else list(graph.outputs)[:1],
        "weights": int(model.count_params()),
        "spec": spec_text,
        "resspec": version or _version(),
        "keras": keras.version(),
        "bearers": {graph.layer_names[i]: graph.nodes[i].path for i in graph.bearers},
        "unnamed": order.note(graph),
        **({"loading": note.help} if note else {}),
    }


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("resspec")
    except PackageNotFoundError:
        return "unknown"
