"""The blocks of a graph as a tree: every part is one node or a run of nodes that follow each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resspec.graph import Graph
from resspec.ops.source import Input
from resspec.render.view.turns import SUFFIX, TURN, Turns


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One node, or a block with its parts in order. It holds the nodes from `first` up to `last`, `last` included."""

    path: str
    kind: str
    first: int
    last: int
    parts: tuple[Part, ...] = ()
    signature: int = 0
    """equal for parts of equal structure: the same ops with the same arguments, joined in the same way"""

    @property
    def is_block(self) -> bool:
        return bool(self.parts)

    @property
    def nodes(self) -> range:
        return range(self.first, self.last + 1)


def tree(graph: Graph) -> Part:
    """The whole graph as a part. Blocks whose nodes do not follow each other are taken apart."""
    broken: set[str] = set()
    levels = [_levels(node.path, graph) for node in graph.nodes]
    closed: set[str] = set()
    before: list[str] = []
    for own in levels:
        if own == before:
            continue
        broken.update(closed.intersection(own))
        closed.update(path for path in before if path not in own)
        before = own
    return _Builder(graph).block("", "network", [[p for p in own if p not in broken] for own in levels], 0, 0)


def _levels(path: str, graph: Graph) -> list[str]:
    """The blocks around a node, outermost first."""
    found = []
    end = path.find("/")
    while end >= 0:
        if path[:end] in graph.groups:
            found.append(path[:end])
        end = path.find("/", end + 1)
    return found


class _Builder:
    """Makes parts from the nodes up; equal structures get equal numbers."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.turns = Turns(graph)
        self._numbers: dict[object, int] = {}
        self._ops: dict[int, str] = {}

    def number(self, structure: object) -> int:
        return self._numbers.setdefault(structure, len(self._numbers) + 1)

    def leaf(self, i: int) -> Part:
        node = self.graph.nodes[i]
        if id(node.op) not in self._ops:
            self._ops[id(node.op)] = f"{node.op.kind} {node.op.model_dump_json(exclude_defaults=True)}"
        own = i if isinstance(node.op, Input) else 0  # two inputs are never one
        return Part(node.path, node.op.kind, i, i, (), self.number((self._ops[id(node.op)], own)))

    def block(self, path: str, kind: str, levels: Sequence[list[str]], first: int, depth: int) -> Part:
        """The part of the nodes from `first` on whose levels are given."""
        parts: list[Part] = []
        i = 0
        while i < len(levels):
            if len(levels[i]) <= depth:
                parts.append(self.leaf(first + i))
                i += 1
                continue
            inner, end = levels[i][depth], i
            while end < len(levels) and len(levels[end]) > depth and levels[end][depth] == inner:
                end += 1
            kind_of = self.graph.groups[inner].kind
            parts.append(self.block(inner, kind_of, levels[i:end], first + i, depth + 1))
            i = end
        parts = self._with_turns(parts)
        last = first + len(levels) - 1
        if len(parts) == 1 and parts[0].is_block and path:
            # a level that only holds another says nothing of its own
            only = parts[0]
            return Part(path, kind, first, last, only.parts, only.signature)
        return Part(path, kind, first, last, tuple(parts), self.number((kind, *self._inside(parts, first, last))))

    def _with_turns(self, parts: list[Part]) -> list[Part]:
        """The parts, turns of loops without a name put together."""
        signatures = [part.signature for part in parts]
        bounds = [(part.first, part.last) for part in parts]
        found: list[Part] = []
        i = 0
        while i < len(parts):
            period, count = self.turns.at(i, signatures, bounds)
            for _ in range(count):
                turn = parts[i : i + period]
                begin, end = turn[0].first, turn[-1].last
                number = self.number((TURN, *self._inside(turn, begin, end)))
                found.append(Part(turn[0].path + SUFFIX, TURN, begin, end, tuple(turn), number))
                i += period
            if not count:
                found.append(parts[i])
                i += 1
        return found

    def _inside(self, parts: Sequence[Part], first: int, last: int) -> tuple[object, ...]:
        """The parts and the edges between them, by position."""
        owner = {i: k for k, part in enumerate(parts) for i in part.nodes}
        edges = [
            (owner.get(ref.node, -1), ref.node - parts[owner[ref.node]].first if ref.node in owner else 0, k, operand)
            for k, part in enumerate(parts)
            for i in part.nodes
            for operand, ref in enumerate(self.graph.nodes[i].inputs)
            if owner.get(ref.node) != k
        ]
        return (tuple(part.signature for part in parts), tuple(edges))
