"""The order in a body of cells: what comes one after the other, what stands side by side, what is neither.

Between two cells through which every way leads lies a segment; its parts that do not touch each
other are branches, and each of them is taken apart in the same way. Nearly all published networks
come apart completely (they are series-parallel); what does not is a tangle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Union

from resspec.render.view.view import ENTRY, EXIT, Link

DEPTH = 100
"""levels of branches inside each other that are taken apart"""


@dataclass(slots=True)
class Tangle:
    """Cells in topological order that do not come apart, and all their links."""

    cells: list[int]
    links: list[Link]


@dataclass(slots=True)
class Segment:
    """What lies between two cells of a series: direct links, and branches beside each other."""

    direct: list[Link] = field(default_factory=list)
    branches: list[Union[Series, Tangle]] = field(default_factory=list)


@dataclass(slots=True)
class Series:
    """Cells one after the other; segment k lies before cell k, the last one behind the last cell."""

    cells: list[int]
    segments: list[Segment]


def series(count: int, links: Sequence[Link]) -> Series | Tangle:
    """The order of `count` cells, numbered in topological order.

    A cell that reads nothing is linked to ENTRY by a link without leaves. One that nobody reads is an end.
    """
    fed = {link.target for link in links if link.target >= 0}
    whole = [*links]
    whole += [Link(ENTRY, k, ()) for k in range(count) if k not in fed]
    return _region(list(range(count)), whole, 0)


def _region(cells: list[int], links: list[Link], depth: int) -> Series | Tangle:
    position = {cell: p for p, cell in enumerate(cells, 1)}
    position |= {ENTRY: 0, EXIT: len(cells) + 1}
    over = [0] * (len(cells) + 3)
    for link in links:
        over[position[link.source] + 1] += 1
        over[position[link.target]] -= 1
    crossing = 0
    cuts = []
    for p in range(1, len(cells) + 1):
        crossing += over[p]
        if crossing == 0:
            cuts.append(p)
    if not cuts and cells and (depth >= DEPTH or len(_components(cells, links)) == 1) and len(cells) > 1:
        direct = [link for link in links if link.source == ENTRY and link.target == EXIT]
        if not direct or depth >= DEPTH:
            return Tangle(cells, links)
    ends = [*cuts, len(cells) + 1]
    segments = [Segment() for _ in ends]
    inside: list[list[Link]] = [[] for _ in ends]
    which = [0] * (len(cells) + 2)
    k = 0
    for p in range(1, len(cells) + 2):
        which[p] = k
        if p == ends[k]:
            k += 1
    for link in links:
        inside[which[position[link.target]]].append(link)
    bounds = [0, *ends]
    for k, segment in enumerate(segments):
        low, high = bounds[k], bounds[k + 1]
        own = cells[low : high - 1]
        if not own:
            segment.direct = inside[k]
            continue
        members = set(own)
        segment.direct = [link for link in inside[k] if link.source not in members and link.target not in members]
        for part in _components(own, inside[k]):
            among = set(part)
            links_in = [
                Link(
                    link.source if link.source in among else ENTRY,
                    link.target if link.target in among else EXIT,
                    link.leaves,
                )
                for link in inside[k]
                if link.source in among or link.target in among
            ]
            segment.branches.append(_region(part, links_in, depth + 1))
    return Series([cells[p - 1] for p in cuts], segments)


def _components(cells: Sequence[int], links: Sequence[Link]) -> list[list[int]]:
    """The cells that hang together without their common ends, each set in topological order."""
    parent = {cell: cell for cell in cells}

    def top(cell: int) -> int:
        while parent[cell] != cell:
            parent[cell] = parent[parent[cell]]
            cell = parent[cell]
        return cell

    for link in links:
        if link.source in parent and link.target in parent:
            parent[top(link.target)] = top(link.source)
    groups: dict[int, list[int]] = {}
    for cell in cells:
        groups.setdefault(top(cell), []).append(cell)
    return list(groups.values())
