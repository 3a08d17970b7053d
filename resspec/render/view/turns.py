"""Turns of a loop that has no name: the same steps over and over, which make a block of their own in a figure.

`repeat: 16` without `as` leaves no level in the paths. Three or more stretches of equal steps in a
chain are drawn as one block, so that they fold like blocks with names.
"""

from __future__ import annotations

from collections.abc import Sequence

from resspec.graph import Graph

TURN = "turn"
"""kind of such a block; its path is that of its first step with `SUFFIX`"""
SUFFIX = "+"
LEAST = 3
"""stretches that must follow each other"""
LONGEST = 32
"""steps of a stretch at most"""


class Turns:
    """Finds stretches of equal steps in one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._last = [i for i, _ in enumerate(graph.nodes)]
        for i, node in enumerate(graph.nodes):
            for ref in node.inputs:
                self._last[ref.node] = i
        for ref in graph.outputs.values():
            self._last[ref.node] = len(graph.nodes)

    def at(self, start: int, signatures: Sequence[int], bounds: Sequence[tuple[int, int]]) -> tuple[int, int]:
        """(steps of a stretch, stretches) of the repetition that begins with step `start`, (0, 0) if none does.

        `bounds` are the first and last node of every step.
        """
        first = signatures[start]
        for period in range(2, min(LONGEST, (len(signatures) - start) // LEAST) + 1):
            if signatures[start + period] != first or signatures[start + 2 * period] != first:
                continue
            stretch = signatures[start : start + period]
            if len(set(stretch)) == 1:
                continue  # equal steps one by one
            count = 1
            while signatures[start + count * period : start + (count + 1) * period] == stretch:
                count += 1
            nodes = [(bounds[start + k * period][0], bounds[start + (k + 1) * period - 1][1]) for k in range(count)]
            count = self._chained(nodes)
            if count >= LEAST:
                return period, count
        return 0, 0

    def _chained(self, stretches: Sequence[tuple[int, int]]) -> int:
        """How many of the stretches, from the first on, read only from the one before, all in the same way."""
        form = self._form(*stretches[0])
        count = 0 if form is None else 1
        while 0 < count < len(stretches) and self._form(*stretches[count]) == form:
            begin, end = stretches[count - 1]
            left = {
                ref for i in range(*_whole(stretches[count])) for ref in self.graph.nodes[i].inputs if ref.node <= end
            }
            later = any(self._last[i] > stretches[count][1] for i in range(begin, end + 1))
            if later or any(ref.node < begin for ref in left):
                break
            count += 1
        return count

    def _form(self, begin: int, end: int) -> tuple[tuple[int, int], ...] | None:
        """What every operand of a stretch is, relative to its beginning; None if several tensors come in."""
        refs = [ref for i in range(begin, end + 1) for ref in self.graph.nodes[i].inputs]
        if len({ref for ref in refs if ref.node < begin}) != 1:
            return None
        return tuple((ref.node - begin, ref.output) if ref.node >= begin else (-1, 0) for ref in refs)


def _whole(stretch: tuple[int, int]) -> tuple[int, int]:
    return stretch[0], stretch[1] + 1
