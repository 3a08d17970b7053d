"""What a graph costs: parameters, multiply-accumulates, FLOPs, activation memory, depth.

Everything is per example and exact (integers), from the graph alone. With unknown sizes a cost is a
function of them: give their values with `at`, or the cost is None.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from resspec.graph import Graph, Node, Ref
from resspec.ops.source import Input
from resspec.sizes import Periodic, Product, Size, SizeError
from resspec.tensor import TensorSpec

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


def costs(graph: Graph, at: Mapping[str, int]) -> list[Cost]:
    """The cost of every node. Nodes that use another's weights have none of their own."""
    known: dict[tuple[int, bool, bool], Cost] = {}
    found: list[Cost] = []
    for node, like, weights in zip(graph.nodes, graph.alike, graph.weights, strict=True):
        key = (like, node.owner is None, node.trainable)
        if key not in known:
            total = sum(weight.size for weight in weights)
            train = sum(weight.size for weight in weights if weight.trainable and node.trainable)
            known[key] = Cost(Params(train, total - train), *_op_cost(graph, node, at))
        found.append(known[key])
    return found


def _op_cost(graph: Graph, node: Node, at: Mapping[str, int]) -> tuple[int | None, int | None, int | None]:
    """MACs, FLOPs and bytes of the outputs of one op."""
    inputs = tuple(shape_at(spec, at) for spec in graph.operands(node))
    outputs = tuple(shape_at(spec, at) for spec in node.outputs)
    if not all(spec.known for spec in (*inputs, *outputs)):
        return None, None, None
    try:
        macs, flops = node.op.macs(inputs, outputs), node.op.flops(inputs, outputs)
    except SizeError:
        return None, None, None
    assert isinstance(macs, int)
    assert isinstance(flops, int)
    return macs, flops, sum(size_bytes(spec) for spec in outputs)


def size_bytes(spec: TensorSpec) -> int:
    elements = spec.elements
    assert isinstance(elements, int)
    return elements * BYTES[spec.dtype]


def sum_costs(costs: Iterable[Cost]) -> Cost:
    """The cost of several nodes together; unknown if one is."""
    train = fixed = 0
    macs: int | None = 0
    flops: int | None = 0
    memory: int | None = 0
    for cost in costs:
        train += cost.params.trainable
        fixed += cost.params.non_trainable
        macs = None if macs is None or cost.macs is None else macs + cost.macs
        flops = None if flops is None or cost.flops is None else flops + cost.flops
        memory = None if memory is None or cost.activation_bytes is None else memory + cost.activation_bytes
    return Cost(Params(train, fixed), macs, flops, memory)


def counts_for_depth(node: Node) -> bool:
    """Whether a node is a layer in the literature's sense: a convolution, dense or attention product."""
    return bool(node.op.family in ("conv", "dense", "attention", "recurrent") and node.op.kind != "embedding")


def depth(graph: Graph) -> int:
    """The largest number of convolution, dense and attention products on one path."""
    longest: list[int] = []
    counts = [counts_for_depth(graph.nodes[like]) for like in graph.alike]
    for node, own in zip(graph.nodes, counts, strict=True):
        if len(node.inputs) == 1:
            longest.append(longest[node.inputs[0].node] + own)
        else:
            longest.append(max([longest[ref.node] for ref in node.inputs], default=0) + own)
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
    bytes_of: dict[TensorSpec, int] = {}
    for i, node in enumerate(graph.nodes):
        for k, spec in enumerate(node.outputs):
            if spec not in bytes_of:
                fixed = shape_at(spec, at)
                if not fixed.known:
                    return None
                bytes_of[spec] = size_bytes(fixed)
            sizes[Ref(i, k)] = bytes_of[spec]
            live += bytes_of[spec]
        peak = max(peak, live)
        live -= sum(sizes[ref] for ref in ends.get(i, ()))
        live -= sum(sizes[Ref(i, k)] for k in range(len(node.outputs)) if Ref(i, k) not in last)
    return peak
