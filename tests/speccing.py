"""Small specs for tests: text in, graph or findings out."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from resspec import api
from resspec.diagnostics import Diagnostic, SpecError
from resspec.language import document

HEAD = "resspec: 1\ninputs: {image: [8, 8, 3]}\n"


def load(text: str, **options: Any) -> api.Network:
    """The graph of a spec given as text; a text that begins with `graph:` or `blocks:` gets an 8x8x3 image."""
    text = textwrap.dedent(text)
    if not text.lstrip().startswith("resspec:"):
        text = HEAD + text
    opened = api.Opened(*document.load(text, "spec.yaml", Path()), None)
    return api.network(opened, **options)


def findings(text: str, **options: Any) -> list[Diagnostic]:
    """What is wrong with a spec given as text; empty if nothing is."""
    try:
        return list(load(text, **options).warnings)
    except SpecError as error:
        return list(error.diagnostics)


def paths(text: str, **options: Any) -> list[str]:
    """Paths of all nodes but the inputs."""
    graph = load(text, **options)
    return [node.path for node in graph.nodes[len(graph.inputs) :]]


def output(text: str, **options: Any) -> str:
    """Shape of the only output, as text."""
    graph = load(text, **options)
    (ref,) = graph.outputs.values()
    return str(graph.spec(ref))
