"""Where channels lie: which tensors of a build are channels first, and where they must be turned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from resspec.graph import Graph, Node, Ref
from resspec.ops.base import Op
from resspec.tensor import TensorSpec

DataFormat = Literal["channels_last", "channels_first"]
Side = Literal["first", "last"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The side on which channels lie, decided for the whole graph before any layer is made."""

    reads: tuple[tuple[Side, ...], ...]
    """per node: the side that each of its inputs must have"""
    makes: tuple[Side, ...]
    """per node: the side of its outputs"""
    outside: Side
    """the side that inputs and outputs of the model have"""

    def turned(self, graph: Graph, ref: Ref) -> bool:
        """Whether the tensor lies otherwise than an output of the model must."""
        return lies(graph.spec(ref), self.makes[ref.node]) != lies(graph.spec(ref), self.outside)


def plan(graph: Graph, layouts: Mapping[type[Op], str], data_format: DataFormat) -> Plan:
    """Follow `layouts` (`any`, `spatial` or `last` for every op) through the graph.

    `any` takes what comes if all of it lies the same way, and passes it on; `spatial` works in the
    data format; `last` needs and makes channels last.
    """
    outside: Side = "first" if data_format == "channels_first" else "last"
    reads: list[tuple[Side, ...]] = []
    makes: list[Side] = []
    for node in graph.nodes:
        side = outside if not node.inputs else _side(graph, node, layouts.get(type(node.op), "last"), makes, outside)
        if not node.inputs and layouts.get(type(node.op), "spatial") == "last":
            side = "last"
        reads.append((side,) * len(node.inputs))
        makes.append(side)
    return Plan(tuple(reads), tuple(makes), outside)


def lies(spec: TensorSpec, side: Side) -> Side:
    """The side for a tensor of this shape; with fewer than two axes there is nothing to turn."""
    return side if spec.rank > 1 else "last"


def turn(rank: int, to: Side) -> tuple[int, ...]:
    """The order of axes, counted from 1 without the batch, that brings channels to the other side."""
    return (rank, *range(1, rank)) if to == "first" else (*range(2, rank + 1), 1)


def _side(graph: Graph, node: Node, layout: str, makes: list[Side], outside: Side) -> Side:
    if layout == "last" or outside == "last":
        return "last"
    if layout == "spatial":
        return "first"
    ranks = {graph.spec(ref).rank for ref in node.inputs}
    if len(ranks) > 1:  # broadcasting lines axes up from the end
        return "last"
    return "first" if any(makes[ref.node] == "first" for ref in node.inputs) else "last"
