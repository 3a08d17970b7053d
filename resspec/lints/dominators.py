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
        depth, jump = self._depth, self._jump
        for node in nodes:
            above = node.inputs[0].node if node.inputs else ROOT
            for ref in node.inputs[1:]:
                above = self._meeting(above, ref.node)
            self.parent.append(above)
            if above == ROOT:
                depth.append(0)
                jump.append(ROOT)
                continue
            depth.append(depth[above] + 1)
            far = jump[above]
            further = jump[far] if far != ROOT else ROOT
            even = depth[above] - self._deep(far) == self._deep(far) - self._deep(further)
            jump.append(further if even else above)

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
