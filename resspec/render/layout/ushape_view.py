"""What must be open for an encoder-decoder to be seen: the blocks that hold its levels, without frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from resspec.analysis.cost import shape_at
from resspec.graph import Graph
from resspec.render import labels
from resspec.render.layout.boxes import Boxes
from resspec.render.view.outputs import is_output, with_outputs
from resspec.render.view.tree import Part
from resspec.render.view.view import Cell, Link, Viewer
from resspec.tensor import TensorSpec

HALF = 1.5
"""how many times fewer pixels are a lower resolution: less than a halving of one axis, more than a crop"""


def spread(boxes: Boxes, root: Cell) -> Cell | None:
    """The view `root` with every block that holds levels taken apart, and its outputs as cells. None where the
    resolution never rises: there is no decoder."""
    graph = boxes.graph
    known = {spec: _area(boxes, spec) for spec in {node.outputs[0] for node in graph.nodes}}
    area = [known[node.outputs[0]] for node in graph.nodes]
    before = [_largest(area[ref.node] for ref in node.inputs) for node in graph.nodes]
    falls = [a is not None and b is not None and a * HALF <= b for a, b in zip(area, before, strict=True)]
    rises = [a is not None and b is not None and b * HALF <= a for a, b in zip(area, before, strict=True)]
    if not any(rises):
        return None
    viewer = Viewer(graph)
    viewer.inline = _holders(viewer, falls, rises)
    whole = viewer.cell((viewer.root,), {*viewer.inline, *opened(graph, root)}, folding=folds(root))
    return _heads_beside(with_outputs(whole, list(graph.outputs)))


def pixels(boxes: Boxes, cells: Sequence[Cell]) -> list[float | None]:
    """How many pixels (or voxels, or steps) the result of each cell has; None for outputs and unknown sizes."""
    return [None if is_output(cell) else _area(boxes, labels.exit_spec(boxes.graph, cell)) for cell in cells]


def _area(boxes: Boxes, spec: TensorSpec) -> float | None:
    product = 1
    for size in shape_at(spec, boxes.at).shape[:-1]:
        if not isinstance(size, int):
            return None
        product *= size
    return float(product)


def opened(graph: Graph, root: Cell) -> set[str]:
    """The blocks that are open in a view, those without a frame too."""
    found: set[str] = set()
    waiting = [root]
    while waiting:
        cell = waiting.pop()
        if cell.is_open:
            found.add(cell.part.path)
            waiting += cell.cells
        path = cell.part.path
        while "/" in path:
            path = path.rpartition("/")[0]
            found.add(path)
    return {path for path in found if not path or path in graph.groups}


def folds(root: Cell) -> bool:
    """Whether a view may hold folds: only a view of every layer, nothing folded, has one cell a node."""
    return root.boxes() < len(root.part.nodes)


def _holders(viewer: Viewer, falls: Sequence[bool], rises: Sequence[bool]) -> set[str]:
    """The root, the blocks that a skip leaves or enters, and those in which the resolution falls and rises again.

    A block on a skip that weighs it by what it is merged with stays whole.
    """
    found = {""}
    waiting: list[Part] = [viewer.root]
    while waiting:
        for part in waiting.pop().parts:
            low = next((i for i in part.nodes if falls[i]), part.last)
            dips = any(rises[i] for i in range(low, part.last + 1))
            if part.is_block and (dips or not (viewer.simple(part) or _gates(viewer, part))):
                found.add(part.path)
                waiting.append(part)
    return found


def _gates(viewer: Viewer, part: Part) -> bool:
    """Whether a block makes one tensor of two, and its only reader reads one of the two as well."""
    nodes = viewer.graph.nodes
    entries = {ref for i in part.nodes for ref in nodes[i].inputs if ref.node < part.first}
    leaves = [leaf for i in part.nodes for leaf in viewer.readers[i] if leaf.node > part.last]
    if len(entries) != 2 or len(leaves) != 1 or any(i in viewer.outputs for i in part.nodes):
        return False
    return len(entries.intersection(nodes[leaves[0].node].inputs)) == 1


def _largest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _heads_beside(root: Cell) -> Cell:
    """The cells in another order: what leads to an output only, as the head of a level, follows what it reads."""
    sources: list[set[int]] = [set() for _ in root.cells]
    readers: list[set[int]] = [set() for _ in root.cells]
    for link in root.links:
        if link.source >= 0 and link.target >= 0:
            sources[link.target].add(link.source)
            readers[link.source].add(link.target)
    head = [False] * len(root.cells)
    for k in reversed(range(len(root.cells))):
        head[k] = len(sources[k]) == 1 and all(head[reader] for reader in readers[k])
    place: dict[int, int] = {}
    for k in range(len(root.cells)):
        waiting = [k] if not head[k] else []
        while waiting:
            one = waiting.pop()
            place[one] = len(place)
            waiting += sorted((reader for reader in readers[one] if head[reader]), reverse=True)
    cells = [root.cells[k] for k in place]
    links = [Link(place.get(link.source, link.source), place[link.target], link.leaves) for link in root.links]
    return Cell(root.part, root.run, True, cells, links)
