"""Places in a text as editors count them: lines from 0, columns in the client's code units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from resspec.diagnostics import Span


class Cursor(NamedTuple):
    """A place between two characters as spans count: line and column from 1, columns in characters."""

    line: int
    column: int


class Spot(NamedTuple):
    """The same place as an editor counts: line and column from 0, columns in code units."""

    line: int
    character: int


_BYTES = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a text; `unit` is the encoding whose code units the client counts columns in."""

    lines: tuple[str, ...]
    unit: str = "utf-16"

    @classmethod
    def of(cls, text: str, unit: str = "utf-16") -> Lines:
        return cls(tuple(text.replace("\r\n", "\n").split("\n")), unit)

    def line(self, number: int) -> str:
        """Line `number`, from 1; empty beyond the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def cursor(self, spot: Spot) -> Cursor:
        """What an editor means; columns beyond the end of a line are its end."""
        codec, size = _BYTES[self.unit]
        units = self.line(spot.line + 1).encode(codec, "surrogatepass")[: max(0, spot.character) * size]
        return Cursor(spot.line + 1, len(units.decode(codec, "ignore")) + 1)

    def spot(self, line: int, column: int) -> Spot:
        """The place of a character as the editor counts it."""
        codec, size = _BYTES[self.unit]
        return Spot(line - 1, len(self.line(line)[: column - 1].encode(codec, "surrogatepass")) // size)

    def ends(self, span: Span) -> tuple[Spot, Spot]:
        """Both ends of a span; one beyond the text ends with it."""
        return self.spot(span.line, span.column), self.spot(span.end_line, span.end_column)


def covers(span: Span, cursor: Cursor) -> bool:
    """Whether the cursor stands in a span or at one of its ends."""
    return (span.line, span.column) <= cursor <= (span.end_line, span.end_column)
