"""Which nodes an output depends on; the others compute what nobody sees, and Keras would drop them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from resspec.graph import Node, Ref
from resspec.ops.source import Input


def live(nodes: Sequence[Node], outputs: Iterable[Ref]) -> list[int]:
    """Indices of the inputs and of the nodes that some output depends on, in order."""
    needed = {ref.node for ref in outputs}
    for i in range(len(nodes) - 1, -1, -1):
        if i in needed:
            needed.update(ref.node for ref in nodes[i].inputs)
    return [i for i, node in enumerate(nodes) if i in needed or isinstance(node.op, Input)]


def ends(nodes: Sequence[Node], kept: Iterable[int]) -> list[Node]:
    """The dropped nodes that no other node reads: where a value was computed and never used.

    A step whose value is used in another turn or call has done its work.
    """
    used = set(kept)
    read = {ref.node for node in nodes for ref in node.inputs}
    worked = {nodes[i].origin.span for i in used}
    return [node for i, node in enumerate(nodes) if i not in used and i not in read and node.origin.span not in worked]


def renumbered(nodes: Sequence[Node], kept: Sequence[int]) -> tuple[list[Node], dict[int, int]]:
    """The kept nodes with their inputs renumbered, and the new index of each.

    Where the owner of shared weights was dropped, the first kept call owns them.
    """
    index = {old: new for new, old in enumerate(kept)}
    if len(kept) == len(nodes):
        return list(nodes), index
    paths = {nodes[i].path for i in kept}
    heirs: dict[str, str] = {}
    found = []
    for old in kept:
        node = nodes[old]
        owner = node.owner
        if owner is not None and owner not in paths:
            heir = heirs.setdefault(owner, node.path)
            owner = None if heir == node.path else heir
        inputs = tuple(Ref(index[ref.node], ref.output) for ref in node.inputs)
        if inputs != node.inputs or owner != node.owner:
            node = replace(node, inputs=inputs, owner=owner)
        found.append(node)
    return found, index
