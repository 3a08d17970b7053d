"""How wide texts are in the bundled fonts: the only place where text is measured."""

from __future__ import annotations

from functools import cache

from resspec.render import advances

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def width(text: str, size: float, bold: bool = False) -> float:
    """Width of one line of text in px, at a font size in px. A character that the fonts lack has the
    width of a replacement character, a little more than an em, so that one of another font fits too."""
    table = _table(bold)
    unknown = table[REPLACEMENT]
    return sum(table.get(character, unknown) for character in text) * size / advances.UNITS


def fit(text: str, size: float, width: float, bold: bool = False) -> str:
    """`text`, with an ellipsis for its middle where it is wider than `width` px: names often differ in
    their last characters. Empty where not even the ellipsis fits."""
    if _fits(text, size, width, bold):
        return text
    low, high = -1, len(text) - 1  # how many characters stay: `low` fits, `high` does not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _fits(_shortened(text, middle), size, width, bold) else (low, middle)
    return _shortened(text, low) if low >= 0 else ""


def shown(text: str) -> str:
    """`text` fit for a figure: one line, nothing that is invisible or turns the direction of the rest,
    and nothing that XML forbids (control characters, lone surrogates, U+FFFE)."""
    return "".join(c if c.isprintable() else " " if c.isspace() else REPLACEMENT for c in text)


def drawable(text: str) -> str:
    """`text` as far as the bundled fonts have it, for painters that embed them."""
    table = _table(False)
    return "".join(c if c in table else REPLACEMENT for c in shown(text))


def _fits(text: str, size: float, limit: float, bold: bool) -> bool:
    return width(text, size, bold) <= limit


def _shortened(text: str, kept: int) -> str:
    return text[: kept - kept // 2] + ELLIPSIS + text[len(text) - kept // 2 :]


@cache
def _table(bold: bool) -> dict[str, int]:
    """Character -> width in parts of an em."""
    table = {}
    for line in (advances.BOLD if bold else advances.REGULAR).split("\n"):
        first, *widths = line.split() or ["0"]
        table.update({chr(int(first, 16) + place): int(value) for place, value in enumerate(widths)})
    return table
