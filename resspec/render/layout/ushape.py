"""The layouts `u` and `hourglass`: encoder-decoders as their papers draw them.

Levels hang below each other, the encoder on the left, the decoder on the right, what has one
resolution at one height, each skip a horizontal line between. Several encoder-decoders stand in a row.
"""

from __future__ import annotations

from resspec.ops.merge import Concat
from resspec.render.layout.compose import Composer
from resspec.render.layout.pieces import Piece
from resspec.render.layout.ushape_band import Column, band, widest
from resspec.render.layout.ushape_nest import Nest, nest
from resspec.render.layout.ushape_sheet import Sheet
from resspec.render.layout.ushape_unit import Unit
from resspec.render.layout.ushape_view import pixels, spread
from resspec.render.view.view import Cell


def u(composer: Composer, root: Cell) -> Piece | None:
    """A U-Net: skips that lead what they carry on as it is, or cropped."""
    return _drawn(composer, root, "u")


def hourglass(composer: Composer, root: Cell) -> Piece | None:
    """An hourglass: skips with layers of their own that are added."""
    return _drawn(composer, root, "hourglass")


def _drawn(composer: Composer, root: Cell, family: str) -> Piece | None:
    whole = spread(composer.boxes, root)
    if whole is None:
        return None
    found = nest(whole, pixels(composer.boxes, whole.cells), lambda s: composer.series(whole.cells, s, 0).height)
    if found is None or _family(composer, whole, found) != family:
        return None
    units = []
    for levels in found.units:
        even = Column(composer.boxes, least=widest(composer, whole.cells, levels))
        units.append(Unit(levels, [band(even, whole.cells, level) for level in levels]))
    return Sheet(whole.cells, units, found.skips, composer.room).piece()


def _family(composer: Composer, root: Cell, found: Nest) -> str:
    """By the skip of the first level: an hourglass adds what layers made of it."""
    level = found.units[0][0]
    assert level.up is not None
    merge = root.cells[level.up.cells[0]].last
    concat = isinstance(composer.boxes.graph.nodes[merge].op, Concat)
    plain = not level.across.cells
    return "u" if concat or plain else "hourglass"
