"""Dense blocks in a graph: chains of units whose result is their input and something made of it, concatenated."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from resspec.graph import Graph, Ref
from resspec.ops.merge import Concat
from resspec.render import labels
from resspec.render.view.tree import Part
from resspec.render.view.view import Cell


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """A dense block: the block that it stands in, and its units in order."""

    around: Part
    units: tuple[Part, ...]

    @property
    def first(self) -> int:
        return self.units[0].first

    @property
    def last(self) -> int:
        return self.units[-1].last


def items(graph: Graph, root: Cell) -> list[Dense | Cell]:
    """The network as dense blocks and closed cells, in topological order; straight open blocks are taken apart."""
    return list(_items(graph, root.part, set(_opened(root))))


def _opened(cell: Cell) -> Iterator[str]:
    if cell.is_open:
        yield cell.part.path
        for one in cell.cells:
            yield from _opened(one)


def _items(graph: Graph, part: Part, opened: Collection[str]) -> Iterator[Dense | Cell]:
    k = 0
    while k < len(part.parts):
        end = k
        while end < len(part.parts) and _joins(graph, part.parts[end], part.parts[end - 1] if end > k else None):
            end += 1
        one = part.parts[k]
        if end > k + 1:
            yield Dense(part, part.parts[k:end])
            k = end
            continue
        if _holds(graph, one) or (one.path in opened and _straight(graph, one)):
            yield from _items(graph, one, opened)
        else:
            yield Cell(one, (one,))
        k += 1


def _joins(graph: Graph, part: Part, before: Part | None) -> bool:
    """Whether a part is a dense unit that reads the result of the one before it."""
    entry = taken(graph, part)
    return entry is not None and (before is None or entry.node == before.last)


def taken(graph: Graph, part: Part) -> Ref | None:
    """What a dense unit reads and hands on; None if the part is none."""
    if not part.is_block or not isinstance(graph.nodes[part.last].op, Concat):
        return None
    entries = {ref for i in part.nodes for ref in graph.nodes[i].inputs if ref.node < part.first}
    operands = graph.nodes[part.last].inputs
    inside = [ref for ref in operands if ref.node >= part.first]
    if len(entries) != 1 or len(inside) != len(operands) - 1 or not inside or operands[0] not in entries:
        return None
    return operands[0]


def _holds(graph: Graph, part: Part) -> bool:
    """Whether there is a dense block somewhere in a part."""
    waiting = [part]
    while waiting:
        one = waiting.pop()
        pairs = zip(one.parts, one.parts[1:])
        if any(_joins(graph, a, None) and _joins(graph, b, a) for a, b in pairs):
            return True
        waiting += one.parts
    return False


def _straight(graph: Graph, part: Part) -> bool:
    """Whether the nodes of a block follow each other, and are worth a box each."""
    if labels.activations(graph, Cell(part, (part,))):
        return False
    return all(
        len(graph.nodes[i].inputs) == 1 and (i == part.first or graph.nodes[i].inputs[0].node == i - 1)
        for i in part.nodes
    )
