"""The lines between the boxes of a view, for formats that place boxes themselves (DOT, Mermaid)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from resspec.graph import Graph
from resspec.ops.merge import Add
from resspec.render.labels import entry_spec, exit_spec, shape
from resspec.render.view.regions import Segment, Series, Tangle, series
from resspec.render.view.view import EXIT, Cell, Leaf


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """A line from box to box. `target` is None for an output: `leaf.operand` says which."""

    source: Cell
    target: Cell | None
    leaf: Leaf
    projection: bool
    """whether it leads to or from a projection, the branch of one product beside a longer body"""
    label: str
    """result and shape, where the source has several results or changes the shape; once for every tensor"""


def edges(graph: Graph, root: Cell) -> list[Edge]:
    """All lines of a view, by their source. Between two nodes every edge of the graph is a line of its own."""
    found: dict[tuple[object, ...], Edge] = {}
    named: set[tuple[int, int]] = set()
    aside = _projected(graph, root)
    for source, target, leaf in _leaves(root):
        nodes = target is not None and not source.part.is_block and not target.part.is_block
        key = (id(source), id(target), leaf.operand if nodes or target is None else -1)
        if key in found:
            continue
        tensor = (id(source), leaf.ref.output)
        label = "" if tensor in named else _label(graph, source, leaf)
        found[key] = Edge(source, target, leaf, id(source) in aside or id(target) in aside, label)
        named.add(tensor)
    return sorted(found.values(), key=lambda edge: edge.source.first)


def _leaves(cell: Cell) -> Iterator[tuple[Cell, Cell | None, Leaf]]:
    """Edges of the graph with the boxes at their ends; those that stay inside a box or fold left out."""
    for link in cell.links:
        for leaf in link.leaves:
            if link.source >= 0 and link.target >= 0:
                yield _box(cell.cells[link.source], leaf.ref.node), _box(cell.cells[link.target], leaf.node), leaf
            elif link.source >= 0 and leaf.node < 0:
                yield _box(cell.cells[link.source], leaf.ref.node), None, leaf
    for inner in cell.cells:
        yield from _leaves(inner)


def _box(cell: Cell, node: int) -> Cell:
    """The box that stands for a node; what lies in a later block of a fold is drawn in the first."""
    while cell.is_open:
        part = cell.run[bisect_right([one.first for one in cell.run], node) - 1]
        node += cell.first - part.first
        cell = cell.cells[bisect_right([one.first for one in cell.cells], node) - 1]
    return cell


def _label(graph: Graph, source: Cell, leaf: Leaf) -> str:
    before, spec = entry_spec(graph, source), exit_spec(graph, source)
    node = graph.nodes[leaf.ref.node]
    if len(node.outputs) > 1:
        return f"{node.op.result_names()[leaf.ref.output]} {shape(graph.spec(leaf.ref))}"
    return "" if before is not None and before.shape == spec.shape else shape(spec)


def _projected(graph: Graph, cell: Cell, aside: bool = False) -> set[int]:
    """The boxes, by `id`, on a projection in a cell."""
    if not cell.is_open:
        return {id(cell)} if aside else set()
    own = projections(graph, cell)
    return set().union(*(_projected(graph, one, aside or k in own) for k, one in enumerate(cell.cells)))


def projections(graph: Graph, cell: Cell) -> set[int]:
    """The cells, by index, that are a projection: one product beside a branch with more, up to a sum."""
    if not cell.is_open or not any(isinstance(graph.nodes[one.first].op, Add) for one in cell.cells):
        return set()
    found: set[int] = set()
    waiting = [series(len(cell.cells), [link for link in cell.links if link.target != EXIT])]
    while waiting:
        region = waiting.pop()
        if isinstance(region, Tangle):
            continue
        for k, segment in enumerate(region.segments):
            waiting += segment.branches
            end = cell.cells[region.cells[k]] if k < len(region.cells) else None
            if end is not None and isinstance(graph.nodes[end.first].op, Add):
                found |= _aside(graph, cell, segment)
    return found


def _aside(graph: Graph, cell: Cell, segment: Segment) -> set[int]:
    products = [
        sum(graph.nodes[i].op.family in ("conv", "dense") for k in members(one) for i in cell.cells[k].part.nodes)
        for one in segment.branches
    ]
    return {
        k
        for one, count in zip(segment.branches, products, strict=True)
        if count == 1 < max(products)
        for k in members(one)
    }


def members(region: Series | Tangle) -> list[int]:
    """All cells of a region, by index."""
    found = list(region.cells)
    if isinstance(region, Series):
        for segment in region.segments:
            for branch in segment.branches:
                found += members(branch)
    return sorted(found)
