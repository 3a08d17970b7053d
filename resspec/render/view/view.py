"""What a figure shows of a graph: which blocks are open, which runs of equal blocks stand folded, and every edge.

A fold never lies: it stands for blocks of equal structure in a chain, each of which reads only from
the one before. What it holds is drawn once, with the number of times.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from string import digits

from resspec.graph import Graph, Ref
from resspec.render.view.tree import Part, tree

ENTRY, EXIT = -1, -2
"""the ends of links that come from outside a cell, or go there"""

MOST = 140
"""boxes of a figure in which levels are opened by themselves"""

LEVELS = ("stages", "blocks", "layers", "full")


@dataclass(frozen=True, slots=True)
class Leaf:
    """An edge of the graph: a tensor and the operand of the node that reads it. A node of -1 is an output's label."""

    ref: Ref
    node: int
    operand: int


@dataclass(frozen=True, slots=True)
class Link:
    """What runs from one cell to another of the same body, by index; ENTRY and EXIT for the world outside."""

    source: int
    target: int
    leaves: tuple[Leaf, ...]


@dataclass(slots=True)
class Cell:
    """A box of the figure: a node, a closed block, a fold of equal blocks, or an open block with cells inside."""

    part: Part
    run: tuple[Part, ...]
    """the parts that it stands for: one, or the blocks of a fold"""
    is_open: bool = False
    cells: list[Cell] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    @property
    def times(self) -> int:
        return len(self.run)

    @property
    def first(self) -> int:
        return self.run[0].first

    @property
    def last(self) -> int:
        return self.run[-1].last

    def boxes(self) -> int:
        """How many boxes are drawn."""
        return sum(cell.boxes() for cell in self.cells) if self.is_open else 1


class Viewer:
    """Makes views of one graph. Open blocks that are `inline` have no frame: their parts stand in the block around."""

    def __init__(self, graph: Graph, inline: Collection[str] = ()) -> None:
        self.graph = graph
        self.inline = inline
        self.root = tree(graph)
        self.readers: list[list[Leaf]] = [[] for _ in graph.nodes]
        for i, node in enumerate(graph.nodes):
            for operand, ref in enumerate(node.inputs):
                self.readers[ref.node].append(Leaf(ref, i, operand))
        self.outputs: dict[int, list[Leaf]] = {}
        for k, ref in enumerate(graph.outputs.values()):
            self.outputs.setdefault(ref.node, []).append(Leaf(ref, -1, k))

    def view(self, level: str = "blocks", expand: Collection[str] = (), most: int = MOST) -> Cell:
        """The root cell at a level of detail; blocks at the paths `expand` are open in any case.

        At the level `blocks` the figure has `most` boxes at most.
        """
        if level == "full":
            return self.cell((self.root,), _All(), folding=False)
        if level == "layers":
            return self.cell((self.root,), _All())
        around = {path[:end] for path in expand for end, c in enumerate(path) if c == "/"}
        opened: set[str] = {"", *expand, *around}
        found = self.cell((self.root,), opened)
        while level == "blocks":
            closed = [cell for cell in _closed(found) if _worth(cell, self.graph)]
            if not closed:
                break
            depth = min(cell.part.path.count("/") for cell in closed)
            wider = opened | {cell.part.path for cell in closed if cell.part.path.count("/") == depth}
            bigger = self.cell((self.root,), wider)
            if bigger.boxes() > most:
                break
            opened, found = wider, bigger
        return found

    def cell(self, run: tuple[Part, ...], opened: Collection[str], *, folding: bool = True) -> Cell:
        """The cell of a run of parts; its inside is that of the first."""
        part = run[0]
        if not part.is_block or part.path not in opened:
            return Cell(part, run)
        parts = self._spliced(part, opened)
        links = self._links(parts, part)
        runs = _runs(parts, links) if folding else [(one,) for one in parts]
        cells = [self.cell(one, opened, folding=folding) for one in runs]
        owner = [k for k, one in enumerate(runs) for _ in one]
        joined: dict[tuple[int, int, int], list[Leaf]] = {}
        for link in links:
            source = owner[link.source] if link.source >= 0 else link.source
            target = owner[link.target] if link.target >= 0 else link.target
            if source == target:
                continue
            # two edges between the same two nodes are two lines
            leaf = source >= 0 and target >= 0 and not runs[source][0].is_block and not runs[target][0].is_block
            for leaf_edge in link.leaves:
                key = (source, target, leaf_edge.operand if leaf else -1)
                joined.setdefault(key, []).append(leaf_edge)
        found = [Link(s, t, tuple(leaves)) for (s, t, _), leaves in joined.items()]
        return Cell(part, run, True, cells, found)

    def _spliced(self, part: Part, opened: Collection[str]) -> list[Part]:
        """The parts of a block, open blocks that are inline, or have several ways in or out, replaced by theirs."""
        found: list[Part] = []
        for one in part.parts:
            if one.is_block and one.path in opened and (one.path in self.inline or not self.simple(one)):
                found += self._spliced(one, opened)
            else:
                found.append(one)
        return found

    def simple(self, part: Part) -> bool:
        """Whether one tensor goes in and one comes out."""
        nodes = self.graph.nodes
        entries = {ref for i in part.nodes for ref in nodes[i].inputs if ref.node < part.first}
        return len(entries) == 1 and len(self._exits(part)) == 1

    def branching(self) -> set[str]:
        """The root, the blocks in it out of which more than one tensor comes, and those whose names differ from theirs
        in the number only; and so on inside of them."""
        found = {""}
        waiting = [self.root]
        while waiting:
            blocks = [part for part in waiting.pop().parts if part.is_block]
            names = {part.path.rstrip(digits) for part in blocks if len(self._exits(part)) > 1}
            inside = [part for part in blocks if part.path.rstrip(digits) in names]
            found |= {part.path for part in inside}
            waiting += inside
        return found

    def _exits(self, part: Part) -> set[Ref]:
        exits = {leaf.ref for i in part.nodes for leaf in self.readers[i] if leaf.node > part.last}
        return exits | {leaf.ref for i in part.nodes for leaf in self.outputs.get(i, ())}

    def _links(self, parts: Sequence[Part], around: Part) -> list[Link]:
        """The edges between the parts of a block, and those that come in and go out."""
        owner = {i: k for k, one in enumerate(parts) for i in one.nodes}
        found: dict[tuple[int, int], list[Leaf]] = {}
        for k, one in enumerate(parts):
            for i in one.nodes:
                for operand, ref in enumerate(self.graph.nodes[i].inputs):
                    source = owner.get(ref.node, ENTRY)
                    if source != k:
                        found.setdefault((source, k), []).append(Leaf(ref, i, operand))
                for leaf in (*self.readers[i], *self.outputs.get(i, ())):
                    if leaf.node > around.last or leaf.node < 0:
                        found.setdefault((k, EXIT), []).append(leaf)
        return [Link(source, target, tuple(leaves)) for (source, target), leaves in found.items()]


def _runs(parts: Sequence[Part], links: Sequence[Link]) -> list[tuple[Part, ...]]:
    """The parts, equal blocks in a chain together."""
    before: list[set[int]] = [set() for _ in parts]
    after: list[set[int]] = [set() for _ in parts]
    for link in links:
        if link.target >= 0:
            before[link.target].add(link.source)
        if link.source >= 0:
            after[link.source].add(link.target)
    runs: list[list[Part]] = []
    for k, part in enumerate(parts):
        chained = (
            k > 0
            and part.is_block
            and parts[k - 1].signature == part.signature
            and parts[k - 1].path.rpartition("/")[0] == part.path.rpartition("/")[0]
            and before[k] == {k - 1}
            and after[k - 1] == {k}
        )
        if chained:
            runs[-1].append(part)
        else:
            runs.append([part])
    return [tuple(run) for run in runs]


def _closed(cell: Cell) -> list[Cell]:
    if not cell.is_open:
        return [cell] if cell.part.is_block else []
    return [one for inner in cell.cells for one in _closed(inner)]


def _worth(cell: Cell, graph: Graph) -> bool:
    """Whether there is something in a block to see: more than a norm and an activation."""
    families = {graph.nodes[i].op.family for i in cell.part.nodes}
    return not families <= {"norm", "activation", "regularization"}


class _All(set[str]):
    """Every block is open."""

    def __contains__(self, path: object) -> bool:
        return True
