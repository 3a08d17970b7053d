"""What is wrong with a scene as a drawing: lines through boxes, overlaps, texts outside their boxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, product

from resspec.render.metrics import width
from resspec.render.scene import Box, Edge, Group, Item, Line, Scene, Text

Rect = tuple[float, float, float, float]
"""left, top, right, bottom"""
SLACK = 0.5


def rect(box: Box) -> Rect:
    return box.x, box.y, box.x + box.width, box.y + box.height


def text_rect(text: Text) -> Rect:
    wide = width(text.text, text.size, text.bold)
    left = text.x - {"start": 0.0, "middle": wide / 2, "end": wide}[text.anchor]
    return left, text.y - 0.76 * text.size, left + wide, text.y + 0.2 * text.size


def overlap(a: Rect, b: Rect, slack: float = SLACK) -> bool:
    return a[0] < b[2] - slack and b[0] < a[2] - slack and a[1] < b[3] - slack and b[1] < a[3] - slack


def inside(a: Rect, b: Rect, slack: float = SLACK) -> bool:
    return a[0] >= b[0] - slack and a[1] >= b[1] - slack and a[2] <= b[2] + slack and a[3] <= b[3] + slack


class Near:
    """Things by the squares of a grid that their rectangles touch, to be asked for those near a rectangle."""

    SIDE = 64.0

    def __init__(self, rects: Sequence[Rect]) -> None:
        self.squares: dict[tuple[int, int], list[int]] = {}
        for k, one in enumerate(rects):
            for square in self._touched(one):
                self.squares.setdefault(square, []).append(k)

    def to(self, one: Rect) -> list[int]:
        return sorted({k for square in self._touched(one) for k in self.squares.get(square, ())})

    def _touched(self, one: Rect) -> Iterator[tuple[int, int]]:
        left, top, right, bottom = (int(side // self.SIDE) for side in one)
        return product(range(left, right + 1), range(top, bottom + 1))


def problems(scene: Scene, most: int = 5) -> list[str]:
    """What is wrong, in words; empty for a good drawing."""
    found: list[str] = []
    boxes: list[Box] = []
    frames: list[Box] = []
    texts: list[Text] = []
    lines = [one for one in scene.walk() if isinstance(one, Line)]

    def look(items: tuple[Item, ...]) -> None:
        own = [one for one in items if isinstance(one, Box) and one.mark != "badge"]
        for one in items:
            if isinstance(one, Group):
                look(one.items if one.id != "legend" else ())
            elif isinstance(one, Box):
                (frames if one.mark == "frame" else boxes).append(one)
            elif isinstance(one, Text):
                texts.append(one)
                if (
                    len(own) == 1
                    and one.role in ("label", "note", "heading")
                    and not inside(text_rect(one), rect(own[0]))
                ):
                    found.append(f"text `{one.text}` leaves its box")

    look(scene.items)
    page = (0.0, 0.0, scene.width, scene.height)
    found += [f"box {box.id} leaves the page" for box in [*boxes, *frames] if not inside(rect(box), page)]
    found += [f"text `{text.text}` leaves the page" for text in texts if not inside(text_rect(text), page)]
    found += [
        f"line {line.id} leaves the page" for line in lines for x, y in line.points if not inside((x, y, x, y), page)
    ]
    solid = [box for box in boxes if box.mark != "badge"]
    near_solid = Near([rect(box) for box in solid])
    for k, one in enumerate(solid):
        others = (solid[other] for other in near_solid.to(rect(one)) if other > k)
        found += [f"boxes {one.id} and {two.id} overlap" for two in others if overlap(rect(one), rect(two))]
    for k, one in enumerate(frames):
        for two in frames[k + 1 :]:
            a, b = rect(one), rect(two)
            if overlap(a, b) and not inside(a, b) and not inside(b, a):
                found.append(f"frames {one.id} and {two.id} cross")
    places = [text_rect(text) for text in texts]
    near_text = Near(places)
    for k, place in enumerate(places):
        for other in near_text.to(place):
            if other > k and overlap(place, places[other]):
                found.append(f"texts `{texts[k].text}` and `{texts[other].text}` overlap")
    for line in lines:
        if line.curved:
            continue
        for (ax, ay), (bx, by) in pairwise(line.points):
            stretch = min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)
            beside = (solid[k] for k in near_solid.to(stretch))
            found += [f"line {line.id} runs through {box.id}" for box in beside if _through(stretch, rect(box))]
            found += [
                f"line {line.id} runs through the text `{texts[k].text}`"
                for k in near_text.to(stretch)
                if texts[k].role in ("shape", "heading") and _through(stretch, places[k])
            ]
    return found[:most]


def _through(stretch: Rect, box: Rect) -> bool:
    """Whether a horizontal or vertical stretch enters the inside of a box."""
    return (
        stretch[0] < box[2] - SLACK
        and stretch[2] > box[0] + SLACK
        and stretch[1] < box[3] - SLACK
        and stretch[3] > box[1] + SLACK
    )


def edges(scene: Scene) -> list[Edge]:
    """All leaf edges that the lines stand for."""
    return [edge for one in scene.walk() if isinstance(one, Line) for edge in one.edges]
