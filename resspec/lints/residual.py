"""Residual units of a graph: sums of a shortcut and branches that leave and come back at one place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from resspec.graph import Node
from resspec.lints.dominators import ROOT, Dominators
from resspec.lints.view import WAY, View
from resspec.ops.conv import Convolution, ConvTranspose
from resspec.ops.dense import Dense
from resspec.ops.merge import Add
from resspec.ops.pool import Pooling
from resspec.ops.regularization import Regularization
from resspec.ops.resample import Crop, PadChannels, PixelShuffle, Resize, Upsample
from resspec.ops.reshape import Identity

BRANCH = 128
"""the most ops that a unit may consist of; what is larger is no unit but a skip around half of a network"""


@dataclass(frozen=True, slots=True)
class Unit:
    """`add` of a shortcut and one or more branches."""

    add: int
    entry: int
    """the node where shortcut and branches part"""
    shortcut: tuple[int, ...]
    """nodes of the shortcut, none for the identity"""
    branches: tuple[int, ...]
    """the last nodes of the branches"""
    inside: frozenset[int]
    """all nodes of the branches"""


def units(view: View) -> Iterator[Unit]:
    """The residual units, in the order of the graph.

    A shortcut holds no activation: it is the identity, or a projection. A branch that comes back from
    a smaller picture (in a U-Net, an hourglass) is none of a residual unit.
    """
    adds = [i for i in view.of(Add) if len(view.nodes[i].inputs) > 1]
    if not adds:
        return
    parents = Dominators(view.nodes).parent
    for add in adds:
        entry = parents[add]
        if entry == ROOT:
            continue
        operands = [ref.node for ref in view.nodes[add].inputs]
        direct = {operand: way for operand in operands if (way := _direct(view, operand, entry)) is not None}
        if not direct:
            continue
        shortcut = min(direct, key=lambda operand: len(direct[operand]))
        branches = tuple(operand for operand in operands if operand != shortcut)
        inside = _inside(view, branches, entry)
        if inside is not None:
            yield Unit(add, entry, direct[shortcut], branches, inside)


def _direct(view: View, i: int, entry: int) -> tuple[int, ...] | None:
    """The nodes between `entry` and `i` if they make a shortcut, else None."""
    found: list[int] = []
    while i != entry:
        node = view.nodes[i]
        if len(node.inputs) != 1 or len(found) == WAY or not _linear(node):
            return None
        found.append(i)
        i = node.inputs[0].node
    return tuple(found)


def _linear(node: Node) -> bool:
    if isinstance(node.op, Convolution):
        return node.op.activation in (None, "linear")
    return node.op.family == "norm" or isinstance(node.op, Pooling | Regularization | Identity | Crop | PadChannels)


def _inside(view: View, branches: tuple[int, ...], entry: int) -> frozenset[int] | None:
    """The nodes between `entry` and the ends of the branches, None where they make no residual unit."""
    found: set[int] = set()
    waiting = list(branches)
    while waiting:
        i = waiting.pop()
        if i == entry or i in found:
            continue
        if len(found) == BRANCH or isinstance(view.nodes[i].op, ConvTranspose | Upsample | Resize | PixelShuffle):
            return None
        found.add(i)
        waiting += [ref.node for ref in view.nodes[i].inputs]
    weighted = any(isinstance(view.nodes[i].op, Convolution | Dense) for i in found)
    return frozenset(found) if weighted else None
