"""The interactive page in a real browser: whatever is open, it draws what Python draws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browsing import browser, opened
from speccing import load
from test_random_graphs import network

from resspec import api
from resspec.graph import Graph
from resspec.render.figure import Figure, sizes
from resspec.render.layout.boxes import Boxes
from resspec.render.layout.compose import Composer
from resspec.render.layout.page import lines
from resspec.render.layout.pieces import Drawn
from resspec.render.layout.spine import spine
from resspec.render.metrics import shown
from resspec.render.paint.html import html
from resspec.render.view.view import Viewer

__all__ = ["browser"]

TOLERANCE = 0.2
"""px"""

SMALL = [
    "alexnet",
    "vgg@vgg11",
    "unet",
    "resnet_v2",
    "resnet@resnet50",
    "densenet@densenet201",
    "hourglass",
    "densenet_cifar",
    "nasnet",
    "unetpp",
]

BOXES = """
const moved = (one, [x, y]) => {
  const { e, f } = one.transform.baseVal.consolidate().matrix;
  return [x + e, y + f];
};
const boxes = () => [...document.querySelectorAll("#ui-figure .cell")].map((one) => {
  const { x, y, width, height } = one.querySelector("rect, circle").getBBox();
  return [Number(one.dataset.id), ...moved(one, [x, y]), width, height];
});
const ends = () => [...document.querySelectorAll("#ui-figure polygon")].map((one) => {
  const tip = one.getAttribute("points").split(" ")[0].split(",").map(Number);
  return [one.getAttribute("class").slice(5), ...moved(one.parentNode, tip)];
});
"""


def python(
    graph: Graph, data: dict[str, Any], open_cells: set[int], folding: bool = True
) -> tuple[list[Any], list[Any]]:
    """Boxes and ends of lines as Python draws them with these cells open."""
    paths: set[str] = set()
    for cell in (data["cells"][k] for k in open_cells):
        paths.add(cell["path"])
        if not cell["simple"]:  # all blocks of a fold without a frame
            inside = (one for one in data["groups"] if cell["first"] <= one["first"] and one["last"] <= cell["last"])
            paths |= {one["path"] for one in inside if one["last"] - one["first"] + 1 == cell["size"]}
    viewer = Viewer(graph)
    piece = spine(Composer(Boxes(graph, sizes(graph, {}))), viewer.cell((viewer.root,), paths, folding=folding))
    found: list[Any] = []

    def walk(one: Drawn) -> None:
        found.append([shown(one.cell.part.path), one.x, one.y, one.width, one.height])
        for inner in one.inner:
            walk(inner)

    for one in piece.drawn:
        walk(one)
    return found, [[line.role, *line.points[-1]] for line in lines(graph, piece.wires) if len(line.points) > 1]


def browsers(data: dict[str, Any], boxes: list[Any], ends: list[Any]) -> tuple[list[Any], list[Any]]:
    """The same as the browser has it."""
    named = [[(data["cells"][id] if id >= 0 else data["ends"][-1 - id])["path"], *place] for id, *place in boxes]
    return named, ends


def same(one: list[Any], other: list[Any]) -> bool:
    """Whether all are in both, whatever their order."""
    left: dict[str, list[Any]] = {}
    for name, *place in other:
        left.setdefault(name, []).append(place)
    for name, *place in one:
        near = (
            k
            for k, there in enumerate(left.get(name, []))
            if all(abs(a - b) <= TOLERANCE for a, b in zip(place, there))
        )
        found = next(near, None)
        if found is None:
            return False
        left[name].pop(found)
    return len(one) == len(other)


def walk(browser: Any, seed: int, steps: int) -> list[Any]:
    """Clicks on random blocks: the number of the cell, and what is drawn after it."""
    return list(
        browser.execute_script(
            BOXES + """
            let [seed, steps] = arguments, found = [[null, boxes(), ends()]];
            for (let k = 0; k < steps; k++) {
              const all = [...document.querySelectorAll("#ui-figure [aria-expanded]")];
              if (!all.length) break;
              seed = (seed * 1103515245 + 12345) % 2147483648;
              const one = all[seed % all.length];
              (one.querySelector(".grip") ?? one).dispatchEvent(new MouseEvent("click", { bubbles: true }));
              found.push([Number(one.dataset.id), boxes(), ends()]);
            }
            return found;""",
            seed, steps,
        )
    )  # fmt: skip


def compare(browser: Any, folder: Path, graph: Graph, level: str, seed: int, steps: int) -> int:
    data = opened(browser, folder, html(Figure(graph, level=level)))
    open_cells = set(data["opened"])
    stages = walk(browser, seed, steps)
    for clicked, boxes, ends in stages:
        if clicked is not None:
            open_cells ^= {clicked}
        for mine, theirs in zip(
            browsers(data, boxes, ends), python(graph, data, open_cells, level != "full"), strict=True
        ):
            assert same(mine, theirs), (graph.name, level, sorted(open_cells))
    return len(stages)


@pytest.mark.parametrize("name", SMALL)
def test_boxes_stand_where_python_puts_them(browser: Any, tmp_path: Path, name: str) -> None:
    graph = api.load(name)
    for seed, level in enumerate(("stages", "blocks", "layers")):
        compare(browser, tmp_path, graph, level, 7 * seed + 1, 6)


def test_unfolded_boxes_stand_where_python_puts_them(browser: Any, tmp_path: Path) -> None:
    graph = api.load("resnet_cifar")
    assert compare(browser, tmp_path, graph, "full", 3, 4) == 5
    data = opened(browser, tmp_path, html(Figure(graph, level="full")))
    assert {cell["times"] for cell in data["cells"]} == {1}


def test_boxes_of_random_networks_stand_where_python_puts_them(browser: Any, tmp_path: Path) -> None:
    assert sum(compare(browser, tmp_path, network(seed), "blocks", seed, 3) for seed in range(30)) > 60


PAIRS = """
    resspec: 1
    inputs: {image: [8, 8, 6]}
    blocks:
      pair:
        inputs: [left, right]
        graph:
          - {conv: {filters: 3, kernel_size: 3, padding: same}, from: right, as: f}
          - {add: [left, f], as: one}
          - {conv: {filters: 3, kernel_size: 3, padding: same}, from: one, as: g}
          - {add: [right, g], as: two}
        outputs: {one: one, two: two}
    graph:
      - {split: 2, as: halves}
      - {pair: , from: [halves.part0, halves.part1], as: pair0}
      - {pair: , from: [pair0.one, pair0.two], as: pair1}
      - {pair: , from: [pair1.one, pair1.two], as: pair2}
      - concat: [pair2.one, pair2.two]
"""


def test_folds_with_two_ways_through_them_open_without_a_frame(browser: Any, tmp_path: Path) -> None:
    graph = load(PAIRS)
    data = opened(browser, tmp_path, html(Figure(graph, level="stages")))
    (pair,) = (cell for cell in data["cells"] if cell["block"] and cell["parent"] == 0)
    assert (pair["times"], pair["simple"]) == (3, False)
    stages = walk(browser, 1, 1)
    assert [len(boxes) for _, boxes, _ in stages] == [5, 16]
    for open_cells, (_, boxes, ends) in zip(({0}, {0, data["cells"].index(pair)}), stages, strict=True):
        for mine, theirs in zip(browsers(data, boxes, ends), python(graph, data, open_cells), strict=True):
            assert same(mine, theirs)
