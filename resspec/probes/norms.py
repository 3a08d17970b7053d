"""Other normalizations in the place of batch norm, to compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from resspec.network import Network
from resspec.ops.base import Op
from resspec.ops.norm import BatchNorm, GroupNorm
from resspec.ops.reshape import Identity
from resspec.plugin import Plugin
from resspec.tensor import TensorSpec

KINDS = ("batch", "ghost", "group", "layer", "none")


class GhostNorm(Op):
    """Batch norm without factor and shift within each `size` examples of a batch: (...) -> (...)."""

    kind = "ghost_norm"
    family = "norm"
    size: int
    epsilon: float

    def infer(self, *inputs: TensorSpec) -> TensorSpec:
        return inputs[0]


def with_norm(network: Network, kind: str, size: int) -> Network:
    """The network with another normalization in the place of each `batch_norm`.

    `ghost` looks at `size` examples at a time (Hoffer et al. 2017), `group` at four channels or more of
    one example, `layer` at all of one example (Wu and He 2018), `none` leaves it out.
    """
    if kind == "batch":
        return network
    nodes = tuple(
        replace(node, op=_other(node.op, kind, size, node.outputs[0])) if isinstance(node.op, BatchNorm) else node
        for node in network.nodes
    )
    return replace(network, nodes=nodes, plugins=(*network.plugins, Plugin((GhostNorm,), _rules)))


def _other(op: BatchNorm, kind: str, size: int, spec: TensorSpec) -> Op:
    channels = int(str(spec.channels))
    if kind == "ghost":
        return GhostNorm(size=size, epsilon=op.epsilon)
    if kind == "none":
        return Identity()
    most = 1 if kind == "layer" else max(1, min(32, channels // 4))
    groups = max(k for k in range(1, most + 1) if channels % k == 0)
    return GroupNorm(groups=groups, epsilon=op.epsilon)


def _rules() -> Mapping[type[Op], Any]:
    from resspec.probes.lowering import GHOST

    return GHOST
