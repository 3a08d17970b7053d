"""Two networks line by line: which cells are partners. They are sought within bands of equal resolution."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import TypeVar

from resspec.graph import Graph
from resspec.ops.source import Input
from resspec.render.layout.plan_slabs import grouped
from resspec.render.layout.stops import Row, Skip, row
from resspec.render.view.view import EXIT, Cell, Leaf, Viewer

MOST = 30
"""boxes of one side, if its blocks can be closed that far"""
DEPTH = 6
"""levels of blocks that are opened at most"""

T = TypeVar("T")
Scale = Fraction | None
"""input positions between two positions of a map; None behind global pooling"""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A box of one side: a cell, and norms and activations that go with it."""

    cell: Cell
    times: int
    thin: tuple[Cell, ...]
    skip: Skip | None
    scale: Scale
    signature: str
    """equal where the same is computed the same number of times; shapes do not count"""
    likeness: str
    """equal where one may have been made of the other"""


@dataclass(frozen=True, slots=True)
class Side:
    """One network: its boxes in order, and what runs between them."""

    graph: Graph
    entries: tuple[Entry, ...]
    ways: dict[tuple[int, int], frozenset[Leaf]]


@dataclass(frozen=True, slots=True)
class Band:
    """Rows of one resolution: numbers of the boxes on either side, None where one has no partner."""

    scale: Scale
    rows: tuple[tuple[int | None, int | None], ...]


def sides(left: Graph, right: Graph, level: str) -> tuple[Side, Side]:
    """Both networks, opened equally far, and as far as no side gets more than `MOST` boxes."""
    for depth in (*range(DEPTH, -1, -1), None):
        found = _opened(left, right, level if depth is not None else "stages", depth or 0)
        if max(len(side.entries) for side in found) <= MOST:
            break
    return found


def _opened(left: Graph, right: Graph, level: str, depth: int) -> tuple[Side, Side]:
    """A kind of block that must stay closed in one is closed in both."""
    roots = [Viewer(graph).view(level) for graph in (left, right)]
    closed: set[str] = set()
    while True:
        rows = (row(left, roots[0], depth, closed), row(right, roots[1], depth, closed))
        kinds = {stop.cell.part.kind for one in rows for stop in one.stops if stop.cell.part.is_block}
        if kinds <= closed:
            return _side(left, rows[0]), _side(right, rows[1])
        closed |= kinds


def _side(graph: Graph, whole: Row) -> Side:
    scales = _scales(graph)
    entries: list[Entry] = []
    owner: dict[int, int] = {EXIT: EXIT}
    for before, main, behind in grouped(graph, whole, framed=False):
        stop = whole.stops[main]
        thin = tuple(whole.stops[k].cell for k in (*before, *behind))
        owner.update((k, len(entries)) for k in (*before, main, *behind))
        part = stop.cell.run[-1]
        result = graph.results.get(part.path)
        exit = result.node if result is not None and result.node in part.nodes else part.last
        nodes = [i for k in (*before, main, *behind) for i in whole.stops[k].cell.part.nodes]
        signature = json.dumps([stop.times, *_computed(graph, nodes)])
        kind = stop.cell.part.kind
        entries.append(Entry(stop.cell, stop.times, thin, stop.skip, scales[exit], signature, kind))
    ways: dict[tuple[int, int], frozenset[Leaf]] = {}
    for (a, b), leaves in whole.ways.items():
        if owner[a] != owner[b]:
            key = (owner[a], owner[b])
            ways[key] = ways.get(key, frozenset()) | leaves
    return Side(graph, tuple(entries), ways)


def _computed(graph: Graph, nodes: Sequence[int]) -> list[object]:
    """Ops with their arguments, and which of them they read."""
    place = {i: k for k, i in enumerate(nodes)}
    found: list[object] = []
    for i in nodes:
        node = graph.nodes[i]
        inputs = [[place.get(ref.node, -1), ref.output] for ref in node.inputs]
        name = node.path if isinstance(node.op, Input) else ""
        found.append([node.op.kind, node.op.canonical(*graph.operands(node)), inputs, name])
    return found


def _scales(graph: Graph) -> list[Scale]:
    """The product of the strides that lead to each node, along the first axis."""
    found: list[Scale] = []
    for node in graph.nodes:
        before = [scale for ref in node.inputs if (scale := found[ref.node]) is not None]
        scale = None if node.inputs and not before else max(before, default=Fraction(1))
        reach = node.op.reach(graph.operands(node)) if node.inputs else None
        if not node.outputs[0].spatial:
            scale = None
        elif reach is not None and reach.stride and scale is not None:
            scale *= Fraction(*reach.stride[0])
        found.append(scale)
    return found


def bands(left: Side, right: Side) -> list[Band]:
    """The rows of both sides: bands by resolution, in them partners beside each other."""
    runs = [_runs(left), _runs(right)]
    found = []
    for a, b in aligned(runs[0], runs[1], lambda one, two: int(one[0] == two[0])):
        ours = runs[0][a][1] if a is not None else []
        theirs = runs[1][b][1] if b is not None else []
        scale = runs[0][a][0] if a is not None else runs[1][b or 0][0]

        def worth(i: int, j: int) -> int:
            one, two = left.entries[i], right.entries[j]
            return 1000 if one.signature == two.signature else int(one.likeness == two.likeness)

        pairs = aligned(ours, theirs, worth)
        found.append(Band(scale, tuple((_at(ours, i), _at(theirs, j)) for i, j in pairs)))
    return found


def _at(numbers: Sequence[int], place: int | None) -> int | None:
    return None if place is None else numbers[place]


def _runs(side: Side) -> list[tuple[Scale, list[int]]]:
    """Boxes of equal scale that follow each other."""
    numbers = range(len(side.entries))
    return [(scale, list(run)) for scale, run in groupby(numbers, key=lambda k: side.entries[k].scale)]


def aligned(one: Sequence[T], two: Sequence[T], worth: Callable[[T, T], int]) -> list[tuple[int | None, int | None]]:
    """Both in order, partners together, so that the worth of all pairs is the most; 0 is no pair.

    With a worth of 1 for equal ones it is the longest common subsequence.
    """
    best = [[0] * (len(two) + 1) for _ in range(len(one) + 1)]
    for i in reversed(range(len(one))):
        for j in reversed(range(len(two))):
            pair = worth(one[i], two[j])
            best[i][j] = max(best[i + 1][j], best[i][j + 1], pair + best[i + 1][j + 1] if pair else 0)
    found: list[tuple[int | None, int | None]] = []
    i = j = 0
    while i < len(one) or j < len(two):
        pair = worth(one[i], two[j]) if i < len(one) and j < len(two) else 0
        if pair and best[i][j] == pair + best[i + 1][j + 1]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif i < len(one) and (j == len(two) or best[i + 1][j] >= best[i][j + 1]):
            found.append((i, None))
            i += 1
        else:
            found.append((None, j))
            j += 1
    return found
