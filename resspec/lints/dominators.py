"""Where the ways to a node part: for every node the last one that all ways from the inputs to it lead through."""

from __future__ import annotations

from collections.abc import Sequence

from resspec.graph import Node

ROOT = -1
"""stands before all inputs"""


class Dominators:
    """The tree of immediate dominators; in a graph in topological order one pass finds it.

    Every node keeps a second, longer link upwards (Myers 1983, "An applicative random-access stack"),
    so that a meeting point is found in O(log n) steps however long the branches are.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.parent: list[int] = []
        self._depth: list[int] = []
        self._jump: list[int] = []
        for node in nodes:
            above = ROOT
            for k, ref in enumerate(node.inputs):
                above = self._meeting(above, ref.node) if k else ref.node
            self._append(above)

    def _append(self, above: int) -> None:
        i = len(self.parent)
        self.parent.append(above)
        self._depth.append(self._deep(above) + 1)
        if above == ROOT:
            self._jump.append(ROOT)
            return
        far = self._jump[above]
        further = self._jump[far] if far != ROOT else ROOT
        even = self._deep(above) - self._deep(far) == self._deep(far) - self._deep(further)
        self._jump.append(further if even else above)
        assert i == len(self._jump) - 1

    def _deep(self, i: int) -> int:
        return -1 if i == ROOT else self._depth[i]

    def _meeting(self, a: int, b: int) -> int:
        """The deepest node above or equal to both."""
        if self._deep(a) < self._deep(b):
            a, b = b, a
        while self._deep(a) > self._deep(b):
            a = self._jump[a] if self._deep(self._jump[a]) >= self._deep(b) else self.parent[a]
        while a != b:
            if self._jump[a] != self._jump[b]:
                a, b = self._jump[a], self._jump[b]
            else:
                a, b = self.parent[a], self.parent[b]
        return a
