"""Two sequences of steps laid side by side, and where that can be done in one way only."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

MOST = 1_000_000
"""pairs that are compared; more are told as doubtful, not worked out"""


@dataclass(frozen=True, slots=True)
class Alignment:
    """For items of the new sequence: `old` their place in the old one, where it is certain; `doubtful` where it is not.

    The others are new.
    """

    old: dict[int, int]
    doubtful: frozenset[int]


def align(old: Sequence[Hashable], new: Sequence[Hashable]) -> Alignment:
    """The longest common subsequence, as far as all longest ones agree.

    A pair is certain if no longest common subsequence leaves it out. An item of `new` is doubtful if it takes
    part in some of them, but not as such a pair. O(len(old) * len(new)).
    """
    if len(old) * len(new) > MOST:
        common = set(old)
        return Alignment({}, frozenset(j for j, item in enumerate(new) if item in common))
    before = _lengths(old, new)
    reversed_ = _lengths(old[::-1], new[::-1])
    n, m = len(old), len(new)

    def after(i: int, j: int) -> int:
        return reversed_[n - i][m - j]

    best = before[n][m]
    certain: dict[int, int] = {}
    doubtful: set[int] = set()
    for i, item in enumerate(old):
        partners = [j for j in range(m) if new[j] == item and before[i][j] + 1 + after(i + 1, j + 1) == best]
        passed_over = any(before[i][j] + after(i + 1, j) == best for j in range(m + 1))
        if len(partners) == 1 and not passed_over:
            certain[partners[0]] = i
        else:
            doubtful.update(partners)
    return Alignment(certain, frozenset(doubtful - certain.keys()))


def _lengths(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[list[int]]:
    """Length of the longest common subsequence of the first i and the first j items."""
    rows = [[0] * (len(new) + 1)]
    for item in old:
        above, row = rows[-1], [0]
        for j, other in enumerate(new):
            row.append(above[j] + 1 if item == other else max(above[j + 1], row[j]))
        rows.append(row)
    return rows
