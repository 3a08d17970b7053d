"""Frames taken away: the cells of open blocks put beside those around them, so that a page can break between them."""

from __future__ import annotations

from collections.abc import Collection

from resspec.render.view.view import ENTRY, EXIT, Cell, Leaf, Link


def unframed(root: Cell, which: Collection[int]) -> Cell:
    """The root with the cells `which`, open blocks that stand once, replaced by their own cells."""
    cells = [inner for k, cell in enumerate(root.cells) for inner in (cell.cells if k in which else [cell])]
    owner = {i: k for k, cell in enumerate(cells) for i in range(cell.first, cell.last + 1)}
    leaves = dict.fromkeys(leaf for link in root.links for leaf in link.leaves)
    leaves |= dict.fromkeys(leaf for k in which for link in root.cells[k].links for leaf in link.leaves)
    found: dict[tuple[int, int, int], list[Leaf]] = {}
    for leaf in leaves:
        source, target = owner.get(leaf.ref.node, ENTRY), owner.get(leaf.node, EXIT)
        if source == target:
            continue
        single = source >= 0 <= target and not cells[source].part.is_block and not cells[target].part.is_block
        found.setdefault((source, target, leaf.operand if single else -1), []).append(leaf)
    links = [Link(source, target, tuple(of)) for (source, target, _), of in found.items()]
    return Cell(root.part, root.run, True, cells, links)
