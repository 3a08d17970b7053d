"""Pieces of a figure: boxes and wires with a size, put together into larger ones. Nothing overlaps by construction.

Every piece has an axis at `axis`: what comes in enters at the top of it, what goes out leaves at the
bottom. Wires whose ends are open are joined when the piece is put below, above or into another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from resspec.render.scene import Mark, Point, Text
from resspec.render.view.view import ENTRY, EXIT, Cell, Leaf

CLOSED = -3
"""an end of a wire that is at a box"""


@dataclass(slots=True)
class Drawn:
    """A cell with its place: a box with texts, or a frame with more inside."""

    cell: Cell
    x: float
    y: float
    width: float
    height: float
    mark: Mark
    role: str
    texts: list[Text] = field(default_factory=list)
    inner: list[Drawn] = field(default_factory=list)
    badge: str = ""
    """the repeat count that a frame or box wears"""


@dataclass(slots=True)
class Wire:
    """A line with what it stands for. Its ends are at boxes (CLOSED) or open towards a cell, ENTRY or EXIT."""

    points: list[Point]
    leaves: frozenset[Leaf]
    role: str = "flow"
    source: int = CLOSED
    target: int = CLOSED


@dataclass(slots=True)
class Piece:
    """Boxes and wires in a rectangle. Wires with an open end run to the axis at the top or bottom."""

    width: float
    height: float
    axis: float
    drawn: list[Drawn] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    drop: float = 0.0
    """how far the last box ends above the bottom: there its shape is written"""
    rise: float = 0.0
    """how far the axis of a sign lies below its top, 0 where wires enter at the top only"""
    reach: float = 0.0
    """half the width of the sign"""

    def moved(self, dx: float, dy: float) -> Piece:
        """This piece, which nobody else holds, at another place."""
        for one in self.drawn:
            _move(one, dx, dy)
        for wire in self.wires:
            wire.points = [(x + dx, y + dy) for x, y in wire.points]
        self.texts = [_moved_text(text, dx, dy) for text in self.texts]
        return self


def _move(drawn: Drawn, dx: float, dy: float) -> None:
    waiting = [drawn]
    while waiting:
        one = waiting.pop()
        one.x += dx
        one.y += dy
        one.texts = [_moved_text(text, dx, dy) for text in one.texts]
        waiting += one.inner


def _moved_text(text: Text, dx: float, dy: float) -> Text:
    return Text(text.x + dx, text.y + dy, text.text, text.size, text.role, text.anchor, text.bold)


@dataclass(slots=True)
class Place:
    """A cell's piece where it stands, for the wires that reach it: its wires with open ends."""

    top: Point
    bottom: Point
    heads: list[Wire] | None = None
    """of an open block: wires from its top; None for a box"""
    tails: list[Wire] | None = None
    """of an open block: wires to its bottom"""
    folded: bool = False


def connected(wires: Iterable[Wire], places: dict[int, Place]) -> list[Wire]:
    """The wires, those that meet at the border of an open block joined to one line.

    `places` are in topological order, and so are the wires by their source. What is left open are
    the ends at ENTRY and EXIT.
    """
    done: list[Wire] = []
    for place in places.values():
        for wire in [*(place.heads or ()), *(place.tails or ())]:
            wire.points = list(wire.points)
    for wire in wires:
        starts = [wire]
        source = places.get(wire.source)
        if source is not None and source.tails is not None:
            starts = [_joined(tail, wire, source.folded) for tail in source.tails if _meet(tail, wire, source.folded)]
        elif source is not None:
            starts = [Wire([source.bottom, *wire.points], wire.leaves, wire.role, CLOSED, wire.target)]
        target = places.get(wire.target)
        for start in starts:
            if target is None:
                done.append(start)
            elif target.heads is None:
                start.target = CLOSED
                if start.points[-1] != target.top and start.points[-1][1] <= target.top[1]:
                    start.points.append(target.top)
                done.append(start)
            else:
                for head in target.heads:
                    if not _meet(start, head, target.folded):
                        continue
                    whole = _joined(start, head, target.folded)
                    if head.target == EXIT:
                        assert target.tails is not None
                        target.tails.append(whole)
                    else:
                        done.append(whole)
    return done


def _meet(one: Wire, other: Wire, folded: bool) -> bool:
    """Whether two wires at a border carry the same edge; in a fold the inside is that of the first block."""
    return folded or bool(one.leaves & other.leaves)


def _joined(one: Wire, other: Wire, folded: bool) -> Wire:
    leaves = one.leaves & other.leaves
    if not leaves:
        leaves = other.leaves if one.source == CLOSED else one.leaves
    role = one.role if one.role != "flow" else other.role
    return Wire([*one.points, *other.points], leaves, role, one.source, other.target)


def straight(points: list[Point]) -> tuple[Point, ...]:
    """The corners of a line: points in the middle of a straight stretch, and repeated ones, left out."""
    found: list[Point] = []
    for x, y in points:
        point = (round(x, 1), round(y, 1))
        if found and found[-1] == point:
            continue
        if len(found) > 1:
            (ax, ay), (bx, by) = found[-2], found[-1]
            if (ax == bx == point[0] and (by - ay) * (point[1] - by) >= 0) or (
                ay == by == point[1] and (bx - ax) * (point[0] - bx) >= 0
            ):
                found.pop()
        found.append(point)
    return tuple(found)


__all__ = ["CLOSED", "ENTRY", "EXIT", "Drawn", "Piece", "Place", "Wire", "connected", "straight"]
