"""Outputs as boxes of their own: a network ends in them, wherever in it they stand."""

from __future__ import annotations

from resspec.render.view.tree import Part
from resspec.render.view.view import EXIT, Cell, Link

KIND = "output"


def is_output(cell: Cell) -> bool:
    """Whether a cell is no part of the graph, but the end of a line to one of its outputs."""
    return cell.part.kind == KIND and cell.part.first < 0


def with_outputs(root: Cell, names: list[str]) -> Cell:
    """The root cell with a cell for every output, each behind the cell that yields it."""
    of: dict[int, list[Link]] = {}
    for link in root.links:
        if link.target == EXIT:
            of.setdefault(link.source, []).append(link)
    cells: list[Cell] = []
    links: list[Link] = []
    place: dict[int, int] = {}
    for k, cell in enumerate(root.cells):
        place[k] = len(cells)
        cells.append(cell)
        for leaf in [leaf for link in of.get(k, ()) for leaf in link.leaves]:
            links.append(Link(place[k], len(cells), (leaf,)))
            number = -1 - leaf.operand
            part = Part(f"output:{names[leaf.operand]}", KIND, number, number)
            cells.append(Cell(part, (part,)))
    links += [
        Link(place.get(link.source, link.source), place[link.target], link.leaves)
        for link in root.links
        if link.target != EXIT
    ]
    return Cell(root.part, root.run, True, cells, links)
