"""Two networks side by side: rows of equal resolution share a band, partners a row, differences a mark."""

from __future__ import annotations

from collections.abc import Mapping

from resspec.analysis.cost import costs, shape_at, sum_costs
from resspec.graph import Graph
from resspec.render import labels
from resspec.render.layout.compare_column import Column
from resspec.render.layout.compare_rows import Band, Side, bands, sides
from resspec.render.layout.page import FAMILIES, MARGIN, SKIPS, legend
from resspec.render.metrics import fit
from resspec.render.scene import Box, Entry, Group, Item, Line, Scene, Text

LABEL = 62.0
"""px at the left of a band for its resolution"""
BETWEEN = 34.0
"""px between the two columns"""
PAD = 7.0
"""px above the rows of a band, and beside them"""
WIDE = (176.0, 300.0)
"""px of the width of a box: narrow ones, wider as long as the page would be too tall"""
SHAPE = 0.51
"""width over height of a page, at least"""
UNDER = 64.0
"""px of the legend"""
TOP = 66.0
"""px of the headings"""
CHANGED, ALONE = "\N{NOT EQUAL TO}", "+"
MARKS = ((CHANGED, "differs from its partner"), (ALONE, "only on this side"))


def compare(
    left: Graph,
    right: Graph,
    at_left: Mapping[str, int],
    at_right: Mapping[str, int],
    *,
    level: str = "blocks",
    names: tuple[str, str] | None = None,
) -> Scene:
    """The figure of two networks; `at_...` fix the unknown sizes of each, `names` stand above them."""
    heads = names or (left.name, right.name)
    ours, theirs = sides(left, right, level)
    rows = bands(ours, theirs)
    marks = _marks(ours, theirs, rows)
    wide = WIDE[0]
    while True:
        columns = (Column(ours, at_left, marks[0], -1, wide), Column(theirs, at_right, marks[1], 1, wide))
        x = [MARGIN + LABEL + columns[0].lanes, 0.0]
        x[1] = x[0] + wide + BETWEEN
        right_edge = x[1] + wide + columns[1].lanes + PAD
        tops, ends = _places(columns, rows)
        if wide >= WIDE[1] or (right_edge + MARGIN) / (ends[-1] + UNDER) >= SHAPE:
            break
        wide += 10
    y = ends[-1]
    grounds = zip(rows, [TOP, *ends], ends)
    both, at = (ours, theirs), (at_left, at_right)
    frames = [_band(band, k, both, at, (a, b, right_edge)) for k, (band, a, b) in enumerate(grounds)]
    items: list[Item] = [*frames]
    roles: set[str] = set()
    for side, column in enumerate(columns):
        found = column.items(x[side], tops[side], "left" if side == 0 else "right")
        items += found
        roles |= column.roles | {one.role for one in found if isinstance(one, Line)}
        items += _heading((left, right)[side], heads[side], (at_left, at_right)[side], x[side] + wide / 2, wide)
    entries = _entries(roles, {mark for side in marks for mark in side.values()})
    below, tall = legend(entries, right_edge - MARGIN, y + 18)
    name = " and ".join(heads)
    return Scene(
        name,
        f"{name}, side by side: {len(ours.entries)} boxes and {len(theirs.entries)}, "
        f"{sum(len(side) for side in marks)} of them without an equal partner",
        round(right_edge + MARGIN, 1),
        round(y + 18 + tall + MARGIN / 2, 1),
        (*items, Group("legend", "legend", tuple(below))),
        tuple(entries),
        f"{left.digest} {right.digest}",
    )


def _marks(ours: Side, theirs: Side, rows: list[Band]) -> tuple[dict[int, str], dict[int, str]]:
    """The marks of the boxes that have no equal partner."""
    found: tuple[dict[int, str], dict[int, str]] = ({}, {})
    for a, b in (pair for band in rows for pair in band.rows):
        if a is not None and b is not None:
            if ours.entries[a].signature != theirs.entries[b].signature:
                found[0][a] = found[1][b] = CHANGED
        elif a is not None:
            found[0][a] = ALONE
        elif b is not None:
            found[1][b] = ALONE
    return found


def _places(columns: tuple[Column, Column], rows: list[Band]) -> tuple[list[dict[int, float]], list[float]]:
    """The top of every box of either side, and the bottom of every band."""
    tops: list[dict[int, float]] = [{}, {}]
    ends: list[float] = []
    y = TOP
    for band in rows:
        y += PAD
        gap = 0.0
        for pair in band.rows:
            here = [(column, k) for column, k in zip(columns, pair, strict=True) if k is not None]
            y += max(gap, *(column.before(k) for column, k in here))
            for side, k in enumerate(pair):
                if k is not None:
                    tops[side][k] = y
            y += max(column.high(k) for column, k in here)
            gap = max(column.below(k) for column, k in here)
        y += gap + 4
        ends.append(y)
    return tops, ends


def _band(
    band: Band,
    number: int,
    both: tuple[Side, Side],
    at: tuple[Mapping[str, int], Mapping[str, int]],
    place: tuple[float, float, float],
) -> Group:
    """The ground of a band with its resolution: the size where it is one, else the part of the input.

    `place` is its top, bottom and right.
    """
    top, bottom, right = place
    seen = set()
    for side, (whole, values) in enumerate(zip(both, at, strict=True)):
        for k in (pair[side] for pair in band.rows):
            if k is not None:
                spec = shape_at(labels.exit_spec(whole.graph, whole.entries[k].cell), values)
                seen.add(labels.MULTIPLY.join(map(str, spec.spatial)))
    scale = band.scale
    name = next(iter(seen)) if len(seen) == 1 else "input" if scale == 1 else f"1/{scale}"
    if scale is None:
        name = "vector"
    box = Box(f"band:{number}", MARGIN, top, round(right - MARGIN, 1), round(bottom - top, 1), "frame", "frame", number)
    text = Text(MARGIN + 8, round(top + 16, 1), fit(name, 9, LABEL - 6, bold=True), 9, "heading", "start", True)
    return Group(f"band:{number}:group", f"resolution {name}", (box, text))


def _heading(graph: Graph, name: str, at: Mapping[str, int], middle: float, wide: float) -> list[Item]:
    """Name, parameters and multiply-accumulates."""
    cost = sum_costs(costs(graph, at))
    facts = f"{cost.params.total:,} parameters"
    more = f"{labels.compact(cost.macs)} MACs" if cost.macs is not None else ""
    sizes = ", ".join(f"{name} = {size}" for name, size in at.items())
    middle = round(middle, 1)
    lines = [line for line in (facts, ", ".join(part for part in (more, sizes) if part)) if line]
    return [
        Text(middle, MARGIN + 12, fit(name, 13, wide, bold=True), 13, "title", "middle", True),
        *(Text(middle, MARGIN + 25 + 11.5 * k, fit(line, 9, wide), 9, "note") for k, line in enumerate(lines)),
    ]


def _entries(roles: set[str], marks: set[str]) -> list[Entry]:
    found = [Entry(role, words) for role, words in {**FAMILIES, "merge": "merge"}.items() if role in roles]
    found += [Entry(role, words, "line") for role, words in SKIPS.items() if role in roles]
    return found + [Entry("badge", f"{mark} {words}", "badge") for mark, words in MARKS if mark in marks]
