"""Scenes as PDF: selectable text in embedded fonts, a page as large as the figure, an outline of its groups."""

from __future__ import annotations

from io import BytesIO
from math import ceil, inf
from pathlib import Path

from reportlab.lib.colors import HexColor
from reportlab.pdfbase import pdfdoc, pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from resspec.render.metrics import drawable, shown
from resspec.render.paint import shapes
from resspec.render.paint.problems import DoesNotFit
from resspec.render.scene import Box, Group, Item, Line, Point, Scene, Text
from resspec.render.styles import theme as named_theme
from resspec.render.theme import Theme

FONTS = Path(__file__).resolve().parent.parent / "fonts"
REGULAR, BOLD = "resspec-regular", "resspec-bold"

NATURAL = 0.75
"""points a px, as on paper: 96 px or 72 pt an inch"""

SMALLEST = 6.0
"""no text is smaller, pt: what journals ask for"""

MILLIMETRE = 72 / 25.4
"""points a mm"""

LONGEST = 14400.0
"""no page is longer, pt: an old limit of the format that readers still have"""


def pdf(scene: Scene, theme: str = "light", width_mm: float | None = None) -> bytes:
    """The bytes of a PDF file of one page.

    `width_mm` is the width of the page, 85 for one column of a paper and 174 for two, say. The
    figure is shrunk to fit, never enlarged, and stands in the middle. `theme`: `light`, `dark` or a style;
    `auto` is light. Raises DoesNotFit where text would be smaller than 6 pt.
    """
    scale, width = _scale(scene, width_mm)
    if REGULAR not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(REGULAR, str(FONTS / "DejaVuSans.ttf")))
        pdfmetrics.registerFont(TTFont(BOLD, str(FONTS / "DejaVuSans-Bold.ttf")))
    stream, height = BytesIO(), scene.height * scale
    # without a font of ours to begin with, the page would name Helvetica, which is not embedded
    canvas = Canvas(stream, (width, height), pageCompression=1, invariant=1, initialFontName=REGULAR)
    canvas._doc.info = _info(scene)
    canvas.setViewerPreference("DisplayDocTitle", "true")
    canvas.setLineJoin(1)
    look = named_theme(theme)
    canvas.setFillColor(HexColor(look.page))
    canvas.rect(0, 0, width, height, stroke=0, fill=1)
    left = (width - scene.width * scale) / 2
    canvas.translate(left, height)
    canvas.scale(scale, scale)
    _Painter(canvas, look, scale, left, height).paint(scene)
    canvas.showPage()
    canvas.save()
    return stream.getvalue()


def _scale(scene: Scene, width_mm: float | None) -> tuple[float, float]:
    """Points a px, and the width of the page in points."""
    least = SMALLEST / min((item.size for item in scene.walk() if isinstance(item, Text)), default=inf)
    scale = max(NATURAL, least)
    width = scene.width * scale if width_mm is None else width_mm * MILLIMETRE
    scale = min(scale, width / scene.width)
    if scale < least * (1 - 1e-9):
        raise DoesNotFit(
            f"a width of {width_mm:g} mm makes the smallest text {SMALLEST * scale / least:.1f} pt high, less than "
            f"{SMALLEST:g} pt; {ceil(scene.width * least / MILLIMETRE)} mm is the smallest width that works"
        )
    if max(width, scene.height * scale) > LONGEST:
        raise DoesNotFit(
            f"a page of {width / MILLIMETRE:.0f} x {scene.height * scale / MILLIMETRE:.0f} mm is larger than a PDF "
            f"can be, {LONGEST / MILLIMETRE:.0f} mm a side"
        )
    return scale, width


def _info(scene: Scene) -> pdfdoc.PDFInfo:
    """What a PDF file says about itself. Dates are left out: the same figure is the same file."""
    words = {"Title": shown(scene.title), "Subject": shown(scene.description), "Creator": "resspec"}
    if scene.digest:
        words["Keywords"] = f"resspec graph {shown(scene.digest)}"

    class Info(pdfdoc.PDFInfo):  # type: ignore[misc]
        def format(self, document: object) -> bytes:
            entries = {key: pdfdoc.PDFString(value) for key, value in words.items()}
            return bytes(pdfdoc.PDFDictionary(entries).format(document))

    return Info()


class _Painter:
    """Draws on a canvas whose origin is the upper left corner; its y goes upwards, that of scenes downwards."""

    def __init__(self, canvas: Canvas, theme: Theme, scale: float, left: float, height: float) -> None:
        self.canvas, self.theme = canvas, theme
        self.scale, self.left, self.height = scale, left, height

    def paint(self, scene: Scene) -> None:
        """Everything, and an entry of the outline for each group, which shows the boxes in it when chosen."""
        waiting: list[Item | None] = list(reversed(scene.items))  # None: the innermost group ends
        around: list[tuple[str, list[Box]]] = [("", [])]
        number = 0
        while waiting:
            item = waiting.pop()
            if item is None:
                key, boxes = around.pop()
                self._target(key, boxes)
                around[-1][1].extend(boxes)
            elif isinstance(item, Group):
                key = f"group{number}"
                number += 1
                self.canvas.addOutlineEntry(shown(item.label or item.id), key, len(around) - 1, closed=1)
                around.append((key, []))
                waiting += [None, *reversed(item.items)]
            elif isinstance(item, Box):
                self._box(item)
                around[-1][1].append(item)
            elif isinstance(item, Line):
                self._line(item)
            else:
                self._text(item)

    def _target(self, key: str, boxes: list[Box]) -> None:
        if not boxes:
            self.canvas.bookmarkPage(key, fit="Fit")
            return
        self.canvas.bookmarkPage(
            key,
            fit="FitR",
            left=self.left + min(box.x for box in boxes) * self.scale,
            right=self.left + max(box.x + box.width for box in boxes) * self.scale,
            top=self.height - min(box.y for box in boxes) * self.scale,
            bottom=self.height - max(box.y + box.height for box in boxes) * self.scale,
        )

    def _box(self, box: Box) -> None:
        paint, edge = self.theme.box(box.role, box.depth), shapes.outline(box)
        self.canvas.setFillColor(HexColor(paint.stroke if shapes.solid(box) else paint.fill))
        self._pen(paint.stroke, edge)
        drawn = 1 if edge else 0
        if shapes.circled(box):
            x, y = shapes.centre(box)
            self.canvas.circle(x, -y, shapes.radius(box), stroke=drawn, fill=1)
            for (x, y), (x2, y2) in shapes.strokes(box):
                self.canvas.line(x, -y, x2, -y2)
        else:
            corner = shapes.corner(box)
            self.canvas.roundRect(box.x, -box.y - box.height, box.width, box.height, corner, stroke=drawn, fill=1)

    def _line(self, line: Line) -> None:
        path, stroke = shapes.path(line), self.theme.line(line.role)
        if path is None:
            return
        self._pen(stroke.colour, stroke.width, stroke.dash)
        course = self.canvas.beginPath()
        course.moveTo(path.start[0], -path.start[1])
        for piece in path.pieces:
            numbers = _numbers(piece)
            (course.lineTo if len(piece) == 1 else course.curveTo)(*numbers)
        self.canvas.drawPath(course, stroke=1, fill=0)
        if path.head:
            self.canvas.setFillColor(HexColor(stroke.colour))
            head = self.canvas.beginPath()
            head.moveTo(*_numbers(path.head[:1]))
            for corner in path.head[1:]:
                head.lineTo(*_numbers((corner,)))
            head.close()
            self.canvas.drawPath(head, stroke=0, fill=1)

    def _text(self, text: Text) -> None:
        self.canvas.setFillColor(HexColor(self.theme.text(text.role)))
        self.canvas.setFont(BOLD if text.bold else REGULAR, text.size)
        canvas = self.canvas
        draw = {"start": canvas.drawString, "middle": canvas.drawCentredString, "end": canvas.drawRightString}
        draw[text.anchor](text.x, -text.y, drawable(text.text))

    def _pen(self, colour: str, width: float, dash: tuple[float, ...] = ()) -> None:
        self.canvas.setStrokeColor(HexColor(colour))
        self.canvas.setLineWidth(width)
        self.canvas.setDash(*([list(dash)] if dash else []))


def _numbers(points: tuple[Point, ...]) -> list[float]:
    return [number for x, y in points for number in (x, -y)]
