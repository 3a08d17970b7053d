"""The summary of a graph: totals, and the tree of blocks with their share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resspec.analysis.cost import (
    Cost,
    Params,
    costs,
    depth,
    layers,
    peak_bytes,
    shape_at,
    sum_costs,
)
from resspec.analysis.receptive_field import Field, fields
from resspec.graph import Graph
from resspec.ops.source import Input
from resspec.tensor import TensorSpec


@dataclass(frozen=True, slots=True)
class Row:
    """A block, loop turn or op: what it is, what comes out of it, what it costs with all inside it."""

    path: str
    kind: str
    level: int
    """0 at the top of the graph"""
    outputs: tuple[TensorSpec, ...]
    cost: Cost
    field: Field
    nodes: tuple[int, ...]
    is_group: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """Totals of a graph, per example. Counts are None where an unknown size has no value."""

    name: str
    digest: str
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    params: Params
    macs: int | None
    flops: int | None
    training_bytes: int | None
    """outputs of all nodes, which the backward pass needs"""
    inference_bytes: int | None
    """the peak of what is alive at once, in topological order"""
    layers: int
    depth: int
    receptive_field: Mapping[str, Field]
    sizes: Mapping[str, str]
    """unknown size -> its legal values"""
    unknowns: tuple[str, ...]
    """unknown sizes that would have to be given"""
    rows: tuple[Row, ...]

    def to_dict(self) -> dict[str, Any]:
        """The summary as plain data, without the rows."""
        fields = {name: list(f) if isinstance(f, tuple) else f for name, f in self.receptive_field.items()}
        return {
            "name": self.name,
            "digest": self.digest,
            "inputs": {name: _shape(spec) for name, spec in self.inputs.items()},
            "outputs": {name: _shape(spec) for name, spec in self.outputs.items()},
            "params": {
                "total": self.params.total,
                "trainable": self.params.trainable,
                "non_trainable": self.params.non_trainable,
            },
            "macs": self.macs,
            "flops": self.flops,
            "activation_bytes": {"training": self.training_bytes, "inference": self.inference_bytes},
            "layers": self.layers,
            "depth": self.depth,
            "receptive_field": next(iter(fields.values())) if len(fields) == 1 else fields,
            "sizes": dict(self.sizes),
        }


def _shape(spec: TensorSpec) -> list[int | str]:
    return [size if isinstance(size, int) else str(size) for size in spec.shape]


def summarize(graph: Graph, *, at: Mapping[str, int] | None = None) -> Summary:
    """Costs of the whole graph and of every block, turn and op in it; `at` fixes unknown sizes."""
    at = at or {}
    found = costs(graph, at)
    seen = fields(graph)
    total = sum_costs(found)
    return Summary(
        name=graph.name,
        digest=graph.digest,
        inputs={name: shape_at(graph.nodes[i].outputs[0], at) for name, i in graph.inputs.items()},
        outputs={name: shape_at(graph.spec(ref), at) for name, ref in graph.outputs.items()},
        params=total.params,
        macs=total.macs,
        flops=total.flops,
        training_bytes=total.activation_bytes,
        inference_bytes=peak_bytes(graph, at),
        layers=layers(graph),
        depth=depth(graph),
        receptive_field={name: seen[ref.node] for name, ref in graph.outputs.items()},
        sizes={name: text for name, text in graph.legal_sizes.items() if name not in at},
        unknowns=tuple(name for name in graph.domains if name not in at),
        rows=tuple(_rows(graph, found, seen, at)),
    )


def _rows(graph: Graph, found: list[Cost], seen: list[Field], at: Mapping[str, int]) -> list[Row]:
    """Groups and nodes in the order in which they open, a group before what it holds."""
    members: dict[str, list[int]] = {path: [] for path in graph.groups}
    order: list[tuple[str, int | None]] = []
    opened: set[str] = set()
    for i, node in enumerate(graph.nodes):
        end = node.path.find("/")
        while end >= 0:
            path = node.path[:end]
            end = node.path.find("/", end + 1)
            if path in members:
                members[path].append(i)
                if path not in opened:
                    opened.add(path)
                    order.append((path, None))
        order.append((node.path, i))
    rows = []
    for path, index in order:
        level = path.count("/")
        if index is not None:
            node = graph.nodes[index]
            kind = "input" if isinstance(node.op, Input) else node.op.kind
            outputs = tuple(shape_at(spec, at) for spec in node.outputs)
            rows.append(Row(path, kind, level, outputs, found[index], seen[index], (index,), False))
            continue
        inside = members[path]
        result = graph.results.get(path)
        last = result.node if result is not None else inside[-1]
        spec = graph.spec(result) if result is not None else graph.nodes[last].outputs[0]
        cost = sum_costs(found[k] for k in inside)
        rows.append(
            Row(path, graph.groups[path].kind, level, (shape_at(spec, at),), cost, seen[last], tuple(inside), True)
        )
    return rows
