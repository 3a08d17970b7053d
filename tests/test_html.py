"""The interactive page in a real browser: it draws what Python draws, whatever is open, and runs nothing but itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from test_random_graphs import network

from resspec import api
from resspec.graph import Graph
from resspec.render.boxes import Boxes
from resspec.render.compose import Composer
from resspec.render.figure import Figure, sizes
from resspec.render.html import html
from resspec.render.metrics import shown
from resspec.render.page import lines
from resspec.render.pieces import Drawn
from resspec.render.spine import spine
from resspec.render.view import Viewer

CHROMIUM, DRIVER = which("chromium"), which("chromedriver")

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
]

BOXES = """
const boxes = () => [...document.querySelectorAll("#ui-figure .cell")].map((one) => {
  const { x, y, width, height } = one.querySelector("rect, circle").getBBox();
  return [Number(one.dataset.id), x, y, width, height];
});
const ends = () => [...document.querySelectorAll("#ui-figure polygon")].map((one) =>
  [one.getAttribute("class").slice(5), ...one.getAttribute("points").split(" ")[0].split(",").map(Number)]);
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("NOT TESTED: there is no Chromium: `apt-get install chromium chromium-driver`")
    webdriver = pytest.importorskip("selenium.webdriver", reason="NOT TESTED: there is no selenium")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1400,900",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def opened(browser: Any, folder: Path, text: str) -> dict[str, Any]:
    """Shows a page, and gives the data in it."""
    path = folder / "page.html"
    path.write_text(text, "utf-8")
    browser.get(path.as_uri())
    found = re.search(r'id="ui-data">(.*?)</script>', text)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def python(graph: Graph, data: dict[str, Any], open_cells: set[int]) -> tuple[list[Any], list[Any]]:
    """Boxes and ends of lines as Python draws them with these cells open."""
    paths: set[str] = set()
    for cell in (data["cells"][k] for k in open_cells):
        paths.add(cell["path"])
        if not cell["simple"]:  # all blocks of a fold without a frame
            inside = (one for one in data["groups"] if cell["first"] <= one["first"] and one["last"] <= cell["last"])
            paths |= {one["path"] for one in inside if one["last"] - one["first"] + 1 == cell["size"]}
    viewer = Viewer(graph)
    piece = spine(Composer(Boxes(graph, sizes(graph, {}))), viewer.cell((viewer.root,), paths))
    found: list[Any] = []

    def walk(one: Drawn) -> None:
        found.append([shown(one.cell.part.path), one.x, one.y, one.width, one.height])
        for inner in one.inner:
            walk(inner)

    for one in piece.drawn:
        walk(one)
    return sorted(found), sorted(
        [line.role, *line.points[-1]] for line in lines(graph, piece.wires) if len(line.points) > 1
    )


def browsers(data: dict[str, Any], boxes: list[Any], ends: list[Any]) -> tuple[list[Any], list[Any]]:
    """The same as the browser has it."""
    named = [[(data["cells"][id] if id >= 0 else data["ends"][-1 - id])["path"], *place] for id, *place in boxes]
    return sorted(named), sorted(ends)


def same(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(
        a[0] == b[0] and all(abs(p - q) <= TOLERANCE for p, q in zip(a[1:], b[1:], strict=True))
        for a, b in zip(one, other)
    )


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
        for mine, theirs in zip(browsers(data, boxes, ends), python(graph, data, open_cells), strict=True):
            assert same(mine, theirs), (graph.name, level, sorted(open_cells))
    return len(stages)


@pytest.mark.parametrize("name", SMALL)
def test_boxes_stand_where_python_puts_them(browser: Any, tmp_path: Path, name: str) -> None:
    graph = api.load(name)
    for seed, level in enumerate(("stages", "blocks", "layers")):
        compare(browser, tmp_path, graph, level, 7 * seed + 1, 6)


def test_boxes_of_random_networks_stand_where_python_puts_them(browser: Any, tmp_path: Path) -> None:
    assert sum(compare(browser, tmp_path, network(seed), "blocks", seed, 3) for seed in range(30)) > 60
