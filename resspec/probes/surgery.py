"""Networks changed for a measurement: inputs added to inner tensors, so that gradients can be taken there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from resspec.graph import Node, Ref
from resspec.network import Network
from resspec.ops.merge import Add
from resspec.ops.source import Input


def offset(network: Network, at: Sequence[int]) -> Network:
    """The network with a further input `offset-k` added to the result of each node of `at`.

    Fed with zeros nothing changes, and the gradient by that input is the gradient by the node's result.
    The outputs are called `<name>-end`, since the nodes that bear their names go on.
    """
    count = len(network.inputs)
    new = {i: count + k for k, i in enumerate(at)}
    sources = [Node(f"offset-{k}", Input(), (), (network.nodes[i].outputs[0],)) for k, i in enumerate(at)]
    nodes: list[Node] = [*network.nodes[:count], *sources]
    moved: dict[int, int] = {i: i for i in range(count)}
    read: dict[Ref, Ref] = {}
    """tensor of the old network -> the tensor that stands for it in the new one"""

    def found(ref: Ref) -> Ref:
        return read.get(ref) or Ref(moved[ref.node], ref.output)

    for i, node in enumerate(network.nodes):
        if i >= count:
            moved[i] = len(nodes)
            nodes.append(replace(node, inputs=tuple(found(ref) for ref in node.inputs)))
        if i in new:
            read[Ref(i)] = Ref(len(nodes))
            nodes.append(Node(f"{node.path}-offset", Add(), (Ref(moved[i]), Ref(new[i])), (node.outputs[0],)))
    return replace(
        network,
        nodes=tuple(nodes),
        inputs={**network.inputs, **{f"offset-{k}": count + k for k in range(len(at))}},
        outputs={f"{name}-end": found(ref) for name, ref in network.outputs.items()},
        results={path: found(ref) for path, ref in network.results.items()},
    )
