"""One encoder-decoder: its bands below each other, each set inwards, and the lines between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from resspec.render.layout.pieces import CLOSED, Piece, Wire
from resspec.render.layout.ushape_band import Band
from resspec.render.layout.ushape_nest import Level
from resspec.render.scene import Point
from resspec.render.view.view import ENTRY, EXIT

FALL = 22.0
"""px between two bands, in which the lines lead inwards"""


@dataclass(slots=True)
class Unit:
    """An encoder-decoder with the bands of its levels from the top. Its place is that of its first left axis."""

    levels: list[Level]
    bands: list[Band]
    x: float = 0.0
    y: float = 0.0
    """the line of the first band"""
    wide: float = 0.0
    """px from axis to axis of the first band"""
    tails: list[Wire] = field(default_factory=list)
    """what comes down to the line of the first band, once it is drawn"""

    def measured(self, inwards: float, aside: float) -> tuple[float, float]:
        """px to the left of the first axis, and from there to the right end; `aside` px are free beside both axes."""
        rooms = [one.room + 2 * k * inwards for k, one in enumerate(self.bands)]
        rooms[0] += 2 * aside
        self.wide = max(rooms)
        left = max(one.outside[0] - k * inwards for k, one in enumerate(self.bands))
        right = max(one.outside[1] - k * inwards for k, one in enumerate(self.bands))
        return max(left, 0.0), self.wide + max(right, 0.0)

    @property
    def right(self) -> float:
        """x of the right axis of the first band."""
        return self.x + self.wide

    @property
    def above(self) -> float:
        """px above the first line."""
        return -self.bands[0].top

    @property
    def below(self) -> float:
        """px below the first line."""
        return sum(one.bottom - one.top + FALL for one in self.bands) - FALL - self.above

    def drawn(self, whole: Piece, inwards: float, feed: list[Wire]) -> list[Wire]:
        """Draw all bands into `whole`; `feed` comes to the top of the left axis. What leaves at the top right."""
        lines = [self.y]
        for upper, lower in zip(self.bands, self.bands[1:], strict=False):
            lines.append(lines[-1] + upper.bottom + FALL - lower.top)
        bends = [line + one.bottom + FALL / 2 for line, one in zip(lines, self.bands, strict=True)]
        axes = [(self.x + k * inwards, self.right - k * inwards) for k in range(len(self.bands))]
        crossing: list[list[Wire]] = []
        for k, one in enumerate(self.bands):
            left, right = axes[k]
            if k:
                feed = led(feed, (axes[k - 1][0], bends[k - 1]), (left, bends[k - 1]))
            if one.down is not None:
                feed = through(whole, feed, one.down.moved(left, lines[k]))
            feed = led(feed, (left, lines[k]))
            self.tails = self.tails if k else feed
            between = one.across.moved((left + right - one.across.width) / 2, lines[k])
            crossing.append(through(whole, feed, between))
        rising: list[Wire] = []
        for k, one in reversed(list(enumerate(self.bands))):
            right = axes[k][1]
            if one.up is not None:
                one.up.moved(right, lines[k])
            if one.merge is None:
                rising = led(crossing[k], (right, lines[k]))
                rising = through(whole, rising, one.up) if one.up is not None else rising
                continue
            assert one.up is not None
            merge = one.merge
            for gate, leaves in one.gates:
                x = gate.x + gate.width / 2
                ways = led(rising, (axes[k + 1][1], bends[k]), (x, bends[k]), (x, gate.y + gate.height))
                whole.wires += [Wire(way.points, leaves) for way in ways]
            ways = led(rising, (axes[k + 1][1], bends[k]), (right, bends[k]), (right, merge.y + merge.height))
            ways += led(crossing[k], (merge.x, lines[k]))
            whole.wires += [Wire(way.points, way.leaves, way.role) for way in ways]
            rising = through(whole, [], one.up)
        return rising


def led(wires: Sequence[Wire], *points: Point) -> list[Wire]:
    """The wires, led on through some points."""
    return [Wire([*wire.points, *points], wire.leaves, wire.role, wire.source, wire.target) for wire in wires]


def through(whole: Piece, feed: Sequence[Wire], piece: Piece) -> list[Wire]:
    """Put a piece into a larger one, what comes to it joined with what enters it. What leaves it."""
    whole.drawn += piece.drawn
    whole.texts += piece.texts
    leaving = [wire for wire in piece.wires if wire.source == CLOSED and wire.target == EXIT]
    whole.wires += [wire for wire in piece.wires if wire.source == CLOSED and wire.target != EXIT]
    for before in feed:
        for after in piece.wires:
            leaves = before.leaves & after.leaves
            if after.source != ENTRY or not leaves:
                continue
            role = after.role if before.role == "flow" else before.role
            one = Wire([*before.points, *after.points], leaves, role, CLOSED, after.target)
            (leaving if after.target == EXIT else whole.wires).append(one)
    return leaving
