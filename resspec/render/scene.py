"""A figure as data: rectangles, lines and texts in groups, in pixels, y downwards. Painters draw it as it is.

Nothing here has a colour: elements have roles, and a theme says what a role looks like. Painters
measure no text; whatever must fit was measured when the scene was made. Coordinates have one digit
behind the point, so that every painter writes the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Union

Point = tuple[float, float]

Mark = Literal["rect", "round", "plus", "times", "bar", "frame", "badge"]
"""outline of a box: `plus` and `times` are circled signs, `bar` a flat bar for concatenation, `frame`
surrounds what it holds, `badge` is the pill of a repeat count"""

Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle or sign. `role` is an op family (`conv`, `norm`, ...), `block`, `frame`, `badge` or `swatch`."""

    id: str
    x: float
    y: float
    width: float
    height: float
    role: str
    mark: Mark = "rect"
    depth: int = 0
    """levels of frames around it: frames of one another alternate in tint"""


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; `y` is its baseline. `role`: `title`, `label`, `note`, `shape`, `heading` or `badge`."""

    x: float
    y: float
    text: str
    size: float
    role: str
    anchor: Anchor = "middle"
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """One leaf edge of the graph that a line stands for, by paths, and which operand of the target it is."""

    source: str
    target: str
    operand: int


@dataclass(frozen=True, slots=True)
class Line:
    """A polyline with right angles, arrowhead at its end. `role`: `flow`, `identity`, `projection`, `arc` or
    `arc0` to `arc7`, a colour for each source."""

    id: str
    points: tuple[Point, ...]
    role: str
    arrow: bool = True
    edges: tuple[Edge, ...] = ()
    """what it stands for; one edge in a figure where nothing is folded"""
    curved: bool = False
    """a smooth curve through the points instead of corners: the arcs of a dense block"""


@dataclass(frozen=True, slots=True)
class Group:
    """Elements that belong together: a block, a fold, a box with its texts."""

    id: str
    label: str
    """what a screen reader says: `unit1, unit, 2 times, output (56, 56, 256)`"""
    items: tuple[Item, ...]
    path: str = ""
    """the path in the graph, empty for what stands for none (legend, title)"""
    folded: bool = False
    """whether it is a block that can be opened"""


Item = Union[Box, Text, Line, Group]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the legend: a box or line of a role, and its name."""

    role: str
    text: str
    mark: Mark | Literal["line"] = "rect"


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole figure. The origin is the upper left corner of the page."""

    title: str
    description: str
    width: float
    height: float
    items: tuple[Item, ...]
    legend: tuple[Entry, ...] = ()
    """what the roles in it mean; drawn already, among the items"""
    digest: str = ""
    """of the graph that it shows"""

    def walk(self) -> Iterator[Box | Text | Line]:
        """All elements in painting order, groups opened."""
        yield from _walk(self.items)

    def groups(self) -> Iterator[Group]:
        """All groups, outer ones first."""
        yield from _groups(self.items)


def _walk(items: tuple[Item, ...]) -> Iterator[Box | Text | Line]:
    waiting = list(reversed(items))
    while waiting:
        item = waiting.pop()
        if isinstance(item, Group):
            waiting += reversed(item.items)
        else:
            yield item


def _groups(items: tuple[Item, ...]) -> Iterator[Group]:
    waiting = [item for item in reversed(items) if isinstance(item, Group)]
    while waiting:
        group = waiting.pop()
        yield group
        waiting += [item for item in reversed(group.items) if isinstance(item, Group)]


def fixed(value: float) -> str:
    """A coordinate as text: at most one digit behind the point, `-0` never."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
