"""What a graph costs: parameters, multiply-accumulates, FLOPs, activation memory, depth.

Everything is per example and exact (integers), from the graph alone. With unknown sizes a cost is a
function of them: give their values with `at`, or the cost is None.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from resspec.graph import Graph, Node, Ref
from resspec.ops.source import Input
from resspec.tensor import Periodic, Product, Size, SizeError, TensorSpec

BYTES = {
    "float32": 4, "float16": 2, "bfloat16": 2, "float64": 8, "int32": 4, "int64": 8, "uint8": 1, "int8": 1, "bool": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Params:
    """Counts of weights; `total` is what Keras's `count_params()` gives."""

    trainable: int
    non_trainable: int

    @property
    def total(self) -> int:
        return self.trainable + self.non_trainable

    def __add__(self, other: Params) -> Params:
        return Params(self.trainable + other.trainable, self.non_trainable + other.non_trainable)


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one node or of a whole graph. None where an unknown size has no value."""

    params: Params
    macs: int | None
    """multiply-accumulates of convolution and dense products"""
    flops: int | None
    """2 x the products of convolution, dense and attention, plus one per output element of other ops"""
    activation_bytes: int | None
    """bytes of the outputs"""


def number(size: Size, at: Mapping[str, int]) -> int | None:
    """The value of a size, or None if it depends on an unknown that `at` leaves out."""
    if isinstance(size, int):
        return size
    if isinstance(size, Periodic):
        return size(at[size.unknown]) if size.unknown in at else None
    assert isinstance(size, Product)
    parts = [number(part, at) for part in size.of]
    return None if None in parts else size.factor * math.prod(part for part in parts if part is not None)


def shape_at(spec: TensorSpec, at: Mapping[str, int]) -> TensorSpec:
    """The tensor with every size that `at` fixes as a number."""
    if spec.known or not at:
        return spec
    sizes = []
    for size in spec.shape:
        value = number(size, at)
        sizes.append(size if value is None else value)
    return TensorSpec(tuple(sizes), spec.dtype)


def node_params(graph: Graph, i: int) -> Params:
    """Weights of one node; none if it uses another's."""
    node = graph.nodes[i]
    train = sum(w.size for w in graph.weights[i] if w.trainable and node.trainable)
    return Params(train, sum(w.size for w in graph.weights[i]) - train)


def node_cost(graph: Graph, i: int, at: Mapping[str, int]) -> Cost:
    node = graph.nodes[i]
    inputs = tuple(shape_at(spec, at) for spec in graph.operands(node))
    outputs = tuple(shape_at(spec, at) for spec in node.outputs)
    if not all(spec.known for spec in (*inputs, *outputs)):
        return Cost(node_params(graph, i), None, None, None)
    try:
        macs, flops = node.op.macs(inputs, outputs), node.op.flops(inputs, outputs)
    except SizeError:
        return Cost(node_params(graph, i), None, None, None)
    assert isinstance(macs, int)
    assert isinstance(flops, int)
    return Cost(node_params(graph, i), macs, flops, sum(size_bytes(spec) for spec in outputs))


def size_bytes(spec: TensorSpec) -> int:
    elements = spec.elements
    assert isinstance(elements, int)
    return elements * BYTES[spec.dtype]


def sum_costs(costs: list[Cost]) -> Cost:
    """The cost of several nodes together; unknown if one is."""
    params = sum((cost.params for cost in costs), Params(0, 0))

    def add(values: list[int | None]) -> int | None:
        return None if None in values else sum(value for value in values if value is not None)

    return Cost(
        params,
        add([cost.macs for cost in costs]),
        add([cost.flops for cost in costs]),
        add([cost.activation_bytes for cost in costs]),
    )


def counts_for_depth(node: Node) -> bool:
    """Whether a node is a layer in the literature's sense: a convolution, dense or attention product."""
    return bool(node.op.family in ("conv", "dense", "attention", "recurrent") and node.op.kind != "embedding")


def depth(graph: Graph) -> int:
    """The largest number of convolution, dense and attention products on one path."""
    longest: list[int] = []
    for node in graph.nodes:
        longest.append(max((longest[ref.node] for ref in node.inputs), default=0) + counts_for_depth(node))
    return max((longest[ref.node] for ref in graph.outputs.values()), default=0)


def layers(graph: Graph) -> int:
    """Nodes of the graph, its inputs left out."""
    return sum(not isinstance(node.op, Input) for node in graph.nodes)


def peak_bytes(graph: Graph, at: Mapping[str, int]) -> int | None:
    """Inference memory: the largest sum of outputs that are alive at once, in topological order."""
    last: dict[Ref, int] = {}
    for i, node in enumerate(graph.nodes):
        for ref in node.inputs:
            last[ref] = i
    for ref in graph.outputs.values():
        last[ref] = len(graph.nodes)
    ends: dict[int, list[Ref]] = {}
    for ref, i in last.items():
        ends.setdefault(i, []).append(ref)
    live = peak = 0
    sizes: dict[Ref, int] = {}
    for i, node in enumerate(graph.nodes):
        for k, spec in enumerate(node.outputs):
            spec = shape_at(spec, at)
            if not spec.known:
                return None
            sizes[Ref(i, k)] = size_bytes(spec)
            live += sizes[Ref(i, k)]
        peak = max(peak, live)
        live -= sum(sizes[ref] for ref in ends.get(i, ()))
        live -= sum(sizes[Ref(i, k)] for k in range(len(node.outputs)) if Ref(i, k) not in last)
    return peak
