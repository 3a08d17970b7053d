"""Gates on the edges into residual sums: what goes forward is as it was, what goes back passes where a gate is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from resspec.graph import Node, Ref
from resspec.network import Network
from resspec.ops.base import Op
from resspec.ops.source import Input
from resspec.plugin import Plugin
from resspec.probes.places import Map
from resspec.tensor import TensorSpec

BRANCHES, SHORTCUTS = "gates-branch", "gates-shortcut"
"""the inputs that open gates: a column for each unit, a row for each example; 1 is open"""


class Gate(Op):
    """x forward; backward as much of the gradient as column `unit` of the gates says: (...), (units) -> (...)."""

    kind = "gate"
    family = "other"
    arity = (2, 2)
    unit: int

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        return inputs[0]


def gated(network: Network) -> Network:
    """The network with gates on shortcut and branches of every residual unit, and two inputs that open them."""
    units = {unit.add: (k, unit) for k, unit in enumerate(Map(network).units)}
    count = len(network.inputs)
    spec = TensorSpec((len(units),), "float32")
    nodes = [*network.nodes[:count], *(Node(name, Input(), (), (spec,)) for name in (BRANCHES, SHORTCUTS))]
    moved = {i: i for i in range(count)}
    for i, node in enumerate(network.nodes[count:], count):
        inputs = [Ref(moved[ref.node], ref.output) for ref in node.inputs]
        if i in units:
            k, unit = units[i]
            for at, ref in enumerate(node.inputs):
                which = count if ref.node in unit.branches else count + 1
                gate = Node(f"{node.path}-gate{at}", Gate(unit=k), (inputs[at], Ref(which)), (network.spec(ref),))
                inputs[at] = Ref(len(nodes))
                nodes.append(gate)
        moved[i] = len(nodes)
        nodes.append(replace(node, inputs=tuple(inputs)))
    through = {ref: Ref(moved[ref.node], ref.output) for ref in (*network.outputs.values(), *network.results.values())}
    return replace(
        network,
        nodes=tuple(nodes),
        inputs={**network.inputs, BRANCHES: count, SHORTCUTS: count + 1},
        outputs={name: through[ref] for name, ref in network.outputs.items()},
        results={path: through[ref] for path, ref in network.results.items()},
        plugins=(*network.plugins, Plugin((Gate,), _rules)),
    )


def _rules() -> Mapping[type[Op], Any]:
    from resspec.probes.lowering import GATE

    return GATE
