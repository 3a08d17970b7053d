"""What the expanded network says about each step and name of one file: shapes, paths, counts, values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from resspec.analysis.cost import Cost, costs, sum_costs
from resspec.diagnostics import Findings, Span
from resspec.graph import Graph, Ref
from resspec.language import environment
from resspec.language.document import Document
from resspec.lsp.callees import Parameter, of_param, shown

VALUES = 8
"""values of one parameter that are told"""


@dataclass(frozen=True, slots=True)
class Placed:
    """One place of the graph that a step made."""

    path: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    params: int
    macs: int | None


@dataclass(frozen=True, slots=True)
class StepFacts:
    """All places that one step made; `under` names the parameters, where they are not the defaults."""

    places: tuple[Placed, ...]
    under: str = ""


@dataclass(frozen=True)
class Facts:
    """What is known from the default network, and of steps that it passes over from other networks."""

    steps: Mapping[Span, StepFacts] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    """params and lets of the file"""
    params: Mapping[str, Parameter] = field(default_factory=dict)
    arguments: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """(block, parameter) -> values in its calls"""
    inputs: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)

    def step(self, span: Span) -> StepFacts | None:
        return self.steps.get(span)


NOTHING = Facts()


def of_network(document: Document, graph: Graph) -> Facts:
    """The facts of the default network."""
    bindings = environment.evaluate(document, {}, Findings()).bindings
    arguments: dict[tuple[str, str], dict[str, None]] = {}
    for group in graph.groups.values():
        for name, value in group.arguments.items():
            arguments.setdefault((group.kind, name), {})[shown(value)] = None
    return Facts(
        steps=_steps(graph, ""),
        values={name: shown(binding.value) for name, binding in bindings.items()},
        params={name: of_param(name, param) for name, param in document.spec.params.items()},
        arguments={key: tuple(values)[:VALUES] for key, values in arguments.items()},
        inputs={name: str(graph.nodes[i].outputs[0]) for name, i in graph.inputs.items()},
        sizes={name: f"legal: {domain}" for name, domain in graph.domains.items()},
    )


def and_also(facts: Facts, graph: Graph, settings: Mapping[str, Any]) -> Facts:
    """The facts with those of steps that only this network carries out."""
    spans = {node.origin.span for node in graph.nodes} | {group.origin.span for group in graph.groups.values()}
    if not any(span is not None and span not in facts.steps for span in spans):
        return facts
    under = ", ".join(f"{name} = {shown(value)}" for name, value in settings.items())
    return replace(facts, steps={**_steps(graph, under), **facts.steps})


def _steps(graph: Graph, under: str) -> dict[Span, StepFacts]:
    each = costs(graph, {})
    found: dict[Span, dict[str, Placed]] = {}
    for node, cost in zip(graph.nodes, each, strict=True):
        if node.origin.span is not None:
            inputs = tuple(map(str, graph.operands(node)))
            placed = Placed(node.path, inputs, tuple(map(str, node.outputs)), cost.params.total, cost.macs)
            found.setdefault(node.origin.span, {})[node.path] = placed
    below = _below(graph)
    for path, group in graph.groups.items():
        if group.origin.span is not None and path in graph.results:
            found.setdefault(group.origin.span, {})[path] = _group(graph, path, below.get(path, ()), each)
    return {span: StepFacts(tuple(places.values()), under) for span, places in found.items()}


def _below(graph: Graph) -> dict[str, list[int]]:
    """Path of a level -> the nodes on it and deeper."""
    found: dict[str, list[int]] = {}
    for i, node in enumerate(graph.nodes):
        path = node.path
        while "/" in path:
            path = path.rpartition("/")[0]
            found.setdefault(path, []).append(i)
    return found


def _group(graph: Graph, path: str, inside: Sequence[int], each: Sequence[Cost]) -> Placed:
    """A call of a block or a turn of a loop: what goes in from outside, what comes out, all inside together."""
    own = set(inside)
    entering: dict[Ref, None] = {ref: None for i in inside for ref in graph.nodes[i].inputs if ref.node not in own}
    total = sum_costs(each[i] for i in inside)
    inputs = tuple(str(graph.spec(ref)) for ref in entering)
    return Placed(path, inputs, (str(graph.spec(graph.results[path])),), total.params.total, total.macs)
