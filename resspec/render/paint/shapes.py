"""The geometry of marks and lines, once for all painters: corners, signs, arrowheads, smooth curves."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

from resspec.render.scene import Box, Line, Point

Piece = tuple[Point, ...]
"""what follows in a path: `(end,)` is a straight piece, `(control, control, end)` a cubic Bezier curve"""

BEND = 5.0
"""radius in px of the corners of a line"""

HEAD, HALF, NOTCH = 7.0, 3.2, 1.6
"""length, half the width, and depth of the notch of an arrowhead, px"""

SOLID_BAR = 9.0
"""a bar lower than this, px, holds no text and is filled with the colour of its outline"""


@dataclass(frozen=True, slots=True)
class Path:
    """A line as painters draw it: from `start` through `pieces`, and the corners of its arrowhead, if any."""

    start: Point
    pieces: tuple[Piece, ...]
    head: tuple[Point, ...] = ()


def corner(box: Box) -> float:
    """Radius of the corners of a box, px."""
    half = min(box.width, box.height) / 2
    return min(half, {"rect": 3.0, "round": 8.0, "bar": 1.0, "frame": 8.0}.get(box.mark, half))


def outline(box: Box) -> float:
    """Width of the outline of a box, px."""
    return {"frame": 1.0, "badge": 0.0, "plus": 1.4, "times": 1.4, "bar": 1.4}.get(box.mark, 1.1)


def solid(box: Box) -> bool:
    """Whether a box is filled with the colour of its outline."""
    return box.mark == "bar" and box.height < SOLID_BAR


def circled(box: Box) -> bool:
    """Whether a box is a circle around a sign."""
    return box.mark in ("plus", "times")


def centre(box: Box) -> Point:
    return (box.x + box.width / 2, box.y + box.height / 2)


def radius(box: Box) -> float:
    """Radius of the circle around a sign, px."""
    return min(box.width, box.height) / 2


def strokes(box: Box) -> tuple[tuple[Point, Point], ...]:
    """The two strokes of a circled sign; none for other boxes."""
    (x, y), arm = centre(box), radius(box)
    if box.mark == "plus":
        arm *= 0.56
        return (((x - arm, y), (x + arm, y)), ((x, y - arm), (x, y + arm)))
    if box.mark == "times":
        arm *= 0.42
        return (((x - arm, y - arm), (x + arm, y + arm)), ((x - arm, y + arm), (x + arm, y - arm)))
    return ()


def path(line: Line) -> Path | None:
    """How a line is drawn, ending where its arrowhead begins; None for a line of no length."""
    points = tuple(point for point, before in zip(line.points, (None, *line.points)) if point != before)
    if len(points) < 2:
        return None
    pieces = _smooth(points) if line.curved else _bent(points)
    if not line.arrow:
        return Path(points[0], pieces)
    before = ((points[0], *(point for piece in pieces for point in piece)))[-2]
    head, notch = _head(before, points[-1])
    return Path(points[0], (*pieces[:-1], (*pieces[-1][:-1], notch)), head)


def _head(before: Point, tip: Point) -> tuple[tuple[Point, ...], Point]:
    """The corners of an arrowhead that comes from `before` and ends in `tip`, and where its line ends."""
    way, size = _direction(before, tip), min(1.0, _distance(before, tip) / HEAD)
    back = _moved(tip, way, -HEAD * size)
    aside = (-way[1], way[0])
    notch = _moved(tip, way, (NOTCH - HEAD) * size)
    return (tip, _moved(back, aside, HALF * size), notch, _moved(back, aside, -HALF * size)), notch


def _bent(points: tuple[Point, ...]) -> tuple[Piece, ...]:
    """Straight pieces with rounded corners."""
    pieces: list[Piece] = []
    for number, (before, here, after) in enumerate(zip(points, points[1:], points[2:]), start=3):
        ahead = _distance(here, after)
        room = max(0.0, ahead - HEAD) if number == len(points) else ahead / 2  # an arrowhead needs a straight end
        bend = min(BEND, _distance(before, here) / 2, room)
        enter, leave = _moved(here, _direction(here, before), bend), _moved(here, _direction(here, after), bend)
        # the two controls are those of the quadratic curve with the corner as its control
        pieces += [(enter,), (_between(enter, here, 2 / 3), _between(leave, here, 2 / 3), leave)]
    return (*pieces, (points[-1],))


def _smooth(points: tuple[Point, ...]) -> tuple[Piece, ...]:
    """Curves through all points, each piece as near to an arc of a circle as its ends allow."""
    if len(points) == 2:
        return ((points[1],),)
    inner = [_direction(before, after) for before, after in zip(points, points[2:])]
    first, last = _direction(points[0], points[1]), _direction(points[-2], points[-1])
    ways = [_mirrored(inner[0], first), *inner, _mirrored(inner[-1], last)]
    pieces = []
    for here, there, leave, arrive in zip(points, points[1:], ways, ways[1:]):
        chord, length = _direction(here, there), _distance(here, there)
        out = length * _handle(leave, chord)
        back = -length * _handle(arrive, chord)
        pieces.append((_moved(here, leave, out), _moved(there, arrive, back), there))
    return tuple(pieces)


def _handle(way: Point, chord: Point) -> float:
    """How far a control stands from its end, in parts of the chord: what makes an arc of a circle of a curve
    that leaves its chord at that angle."""
    return 2 / (3 * max(0.5, 1 + way[0] * chord[0] + way[1] * chord[1]))


def _mirrored(way: Point, axis: Point) -> Point:
    """`way`, mirrored at an axis: the direction at the other end of an arc of a circle, `axis` its chord."""
    along = 2 * (way[0] * axis[0] + way[1] * axis[1])
    return (along * axis[0] - way[0], along * axis[1] - way[1])


def _direction(here: Point, there: Point) -> Point:
    length = _distance(here, there) or 1.0
    return ((there[0] - here[0]) / length, (there[1] - here[1]) / length)


def _moved(here: Point, way: Point, length: float) -> Point:
    return (here[0] + way[0] * length, here[1] + way[1] * length)


def _distance(one: Point, other: Point) -> float:
    return hypot(other[0] - one[0], other[1] - one[1])


def _between(one: Point, other: Point, part: float) -> Point:
    return (one[0] + (other[0] - one[0]) * part, one[1] + (other[1] - one[1]) * part)
