"""In which order vectors hold what was a picture: files of PyTorch have the channels first, Keras has them last.

Laid flat, a picture (h, w, c) of ours is (c, h, w) of theirs; a vector that becomes a picture, likewise. Weights of a
layer on such a vector are put into our order, be it in front of a picture, behind one, or behind several side by side.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from resspec.graph import Graph, Node, Ref
from resspec.ops import activation, merge, norm, reshape
from resspec.ops.base import Op
from resspec.ops.dense import Dense
from resspec.ops.parameter import LayerScale
from resspec.weights.layout import Order, Shape, bare, plain

Channels = Literal["first", "last"]
"""where files have the channels of what is laid flat"""

KEEPING = (
    activation.Elementwise, merge.Elementwise, norm.BatchNorm, norm.LayerNorm, norm.RmsNorm, reshape.Identity,
    LayerScale,
)  # fmt: skip
"""ops that leave the elements of a vector where they are"""

FIRST = ("conv", "pool", "resample")
LAST = ("dense", "attention", "recurrent")
"""families of ops on sequences, which have the channels so in PyTorch; with pictures they are always first"""


class Vectors:
    """The order of every vector of a graph, as a file holds it; worked out when the first is asked for.

    `channels` says it of everything; None for what the ops in front of it tell.
    """

    def __init__(self, graph: Graph, channels: Channels | None = None) -> None:
        self.graph = graph
        self.channels = channels
        self._class: dict[Ref, Ref] = {}
        self._given: dict[Ref, set[Order | None]] = defaultdict(set)
        self._wanted: dict[Ref, set[Order | None]] = defaultdict(set)
        self._joined: dict[Ref, list[tuple[Ref, ...]]] = defaultdict(list)
        self._found: dict[Ref, Order | None] = {}
        self._read = False

    def entering(self, index: int) -> Order | None:
        """That of the vector which a node reads; None if nobody can tell, `()` if it is no vector."""
        return self.order(self.graph.nodes[index].inputs[0])

    def leaving(self, index: int) -> Order | None:
        """That of the vector which a node makes."""
        return self.order(Ref(index))

    def pictured(self, index: int) -> bool:
        """Whether a node reads a vector that was, or may be, a picture: its elements are pixels, not channels."""
        order = self.entering(index)
        return order is None or not plain(order)

    def order(self, ref: Ref) -> Order | None:
        shape = self._vector(ref)
        if shape is None:
            return ()
        if not self._read:
            self._read = True
            for index, node in enumerate(self.graph.nodes):
                self._say(index, node)
        return self._of(self._root(ref))

    # one class of vectors for what keeps its order, and what is said of it

    def _say(self, index: int, node: Node) -> None:
        entering = [ref for ref in node.inputs if self._vector(ref) is not None]
        for k in range(len(node.outputs)):
            ref = Ref(index, k)
            size = self._vector(ref)
            if size is None:
                if entering and isinstance(node.op, reshape.Reshape):
                    self._wanted[self._root(entering[0])].add(self._picture(ref, self._after(ref)))
            elif self._keeps(node.op) and entering:
                for one in entering:
                    if self._vector(one) == size:
                        self._unite(ref, one)
            elif isinstance(node.op, merge.Concat):
                self._joined[self._root(ref)].append(node.inputs)
            elif isinstance(node.op, reshape.Flatten | reshape.Reshape):
                if entering:
                    self._unite(ref, entering[0])
                else:
                    self._given[self._root(ref)].add(self._picture(node.inputs[0], self._before(node.inputs[0])))
            elif not isinstance(node.op, Dense):  # whose weights can be put into any order
                self._given[self._root(ref)].add((size,))
                for one in entering:  # what picks elements out of a vector must find them in their places
                    self._wanted[self._root(one)].add((self._vector(one) or (1,),))

    def _of(self, root: Ref) -> Order | None:
        if root not in self._found:
            self._found[root] = None  # a part that has the order of its whole is in doubt
            self._found[root] = self._worked_out(root)
        return self._found[root]

    def _worked_out(self, root: Ref) -> Order | None:
        size = self._vector(root)
        assert size is not None
        given = set(self._given[root])
        for refs in self._joined[root]:
            parts = [self.order(ref) for ref in refs]
            given.add(None if None in parts else _together(part for order in parts if order for part in order))
        wanted = self._wanted[root]
        if None in given or None in wanted or len(given | wanted) > 1:
            return None
        return next(iter(given or wanted), (size,))

    def _keeps(self, op: Op) -> bool:
        return isinstance(op, KEEPING) or op.family == "regularization"

    def _vector(self, ref: Ref) -> Shape | None:
        shape = self.graph.spec(ref).shape
        return (shape[0],) if len(shape) == 1 and isinstance(shape[0], int) else None

    def _root(self, ref: Ref) -> Ref:
        while (above := self._class.get(ref, ref)) != ref:
            self._class[ref] = self._class.get(above, above)
            ref = above
        return ref

    def _unite(self, one: Ref, other: Ref) -> None:
        one, other = self._root(one), self._root(other)
        if one != other:
            self._class[one] = other
            for facts in (self._given, self._wanted):
                facts[other] |= facts.pop(one, set())
            self._joined[other] += self._joined.pop(one, [])

    # pictures

    def _picture(self, ref: Ref, channels: Channels | None) -> Order | None:
        """The order of a picture that is laid flat; None if nobody can tell."""
        shape = self.graph.spec(ref).shape
        sizes = tuple(size for size in shape if isinstance(size, int))
        if len(sizes) < len(shape):
            return None
        if len(bare(sizes)) < 2 or channels == "last":
            return ((math.prod(sizes),),)
        return (sizes,) if channels == "first" else None

    def _before(self, ref: Ref) -> Channels | None:
        """Where a picture has its channels, by the ops that made it."""
        return self._told(ref, lambda index: [one.node for one in self.graph.nodes[index].inputs[:1]], [ref.node])

    def _after(self, ref: Ref) -> Channels | None:
        """The same by the ops that read it."""
        readers: dict[int, list[int]] = defaultdict(list)
        for index in range(ref.node, len(self.graph.nodes)):
            for one in self.graph.nodes[index].inputs:
                readers[one.node].append(index)
        return self._told(ref, lambda index: readers[index][:1], readers[ref.node][:1])

    def _told(self, ref: Ref, following: Callable[[int], Sequence[int]], at: Sequence[int]) -> Channels | None:
        if self.channels is not None:
            return self.channels
        if self.graph.spec(ref).rank > 2:
            return "first"
        while at:
            family = self.graph.nodes[at[0]].op.family
            if family in FIRST:
                return "first"
            if family in LAST:
                return "last"
            at = following(at[0])
        return None


def _together(parts: Iterable[Shape]) -> Order:
    """Parts side by side; neighbours that are in our order already are one."""
    found: list[Shape] = []
    for part in parts:
        if found and len(part) == len(found[-1]) == 1:
            found[-1] = (found[-1][0] + part[0],)
        else:
            found.append(part)
    return tuple(found)
