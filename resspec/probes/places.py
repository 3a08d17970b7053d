"""Places in a network where probes measure: layers with weights, residual units, what stands between them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from resspec.diagnostics import Span
from resspec.graph import Node
from resspec.lints import residual
from resspec.lints.residual import Unit
from resspec.lints.view import Places, View
from resspec.network import Network

PRODUCTS = ("conv", "dense", "attention", "recurrent")
"""families of ops that count as layers in the literature"""


class Map:
    """The places of one network, by indices of nodes."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.nodes = network.nodes
        places = Places(network.document) if network.document is not None else None
        self.view = View(network, places)  # type: ignore[arg-type]

    @cached_property
    def used(self) -> frozenset[int]:
        """Nodes that an output depends on."""
        found = {ref.node for ref in self.network.outputs.values()}
        for i in range(len(self.nodes) - 1, -1, -1):
            if i in found:
                found.update(ref.node for ref in self.nodes[i].inputs)
        return frozenset(found)

    @cached_property
    def layers(self) -> list[int]:
        """Layers with weights that multiply (convolutions, dense and others), in the order of the graph."""
        return [
            i
            for i, node in enumerate(self.nodes)
            if i in self.used
            and node.op.family in PRODUCTS
            and "float" in node.outputs[0].dtype
            and node.op.weights(*self.network.operands(node))
            and node.op.kind != "embedding"
        ]

    @cached_property
    def units(self) -> list[Unit]:
        """Residual units, in the order of the graph."""
        return [unit for unit in residual.units(self.view) if unit.add in self.used]

    @cached_property
    def stations(self) -> list[int]:
        """Points along the main stream: the sums of residual units, and the layers outside of all units."""
        inside = {i for unit in self.units for i in (*unit.inside, *unit.shortcut)}
        return sorted({unit.add for unit in self.units} | {i for i in self.layers if i not in inside})

    @cached_property
    def stream(self) -> list[int]:
        """Where the sums of residual units stand, a factor behind the sum included; before them their common entry.

        In a network without units the layers, but for the last.
        """
        if not self.units:
            return self.layers[:-1]
        first, last = self.units[0].entry, self.units[-1].add
        return [first, *(self._scaled(i) for i in self.stations if first < i <= last)]

    def _scaled(self, i: int) -> int:
        readers = self.view.readers[i]
        while len(readers) == 1 and self.nodes[readers[0]].op.kind in ("scale", "layer_scale"):
            i = readers[0]
            readers = self.view.readers[i]
        return i

    @cached_property
    def depth(self) -> list[int]:
        """For each node the most layers with weights on a way to it, itself counted."""
        return self._longest(set(self.layers))

    @cached_property
    def activations(self) -> list[int]:
        """For each node the most activations on a way to it."""
        return self._longest({i for i in range(len(self.nodes)) if activation(self.nodes[i])})

    def _longest(self, counted: set[int]) -> list[int]:
        found: list[int] = []
        for i, node in enumerate(self.nodes):
            found.append(max((found[ref.node] for ref in node.inputs), default=0) + (i in counted))
        return found

    def span(self, i: int, *arguments: str) -> Span | None:
        """Where the step of a node stands: the first of `arguments` that it writes, else its op."""
        span = self.nodes[i].origin.span
        return span if self.network.document is None else self.view.places.of(span, *arguments)

    def between(self, i: int) -> list[int]:
        """What stands before a node up to the layers before it, nearest first."""
        found: list[int] = []
        waiting = [ref.node for ref in self.nodes[i].inputs]
        layers = set(self.layers)
        while waiting:
            at = waiting.pop(0)
            if at in layers or at in found:
                continue
            found.append(at)
            waiting += [ref.node for ref in self.nodes[at].inputs]
        return found


def activation(node: Node) -> str | None:
    """The name of the activation that a node computes, None if it computes none."""
    if node.op.family == "activation":
        name = str(getattr(node.op, "function", node.op.kind)) if node.op.kind == "activation" else node.op.kind
    else:
        name = str(getattr(node.op, "activation", None))
    return None if name in ("None", "linear") else name


def names(network: Network, indices: Sequence[int]) -> list[str]:
    return [network.nodes[i].path for i in indices]
