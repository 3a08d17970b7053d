"""The interactive page in a real browser: search, keys, zoom, facts, heat, themes, speed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from browsing import browser, opened, press, shown_page
from speccing import load

from resspec import api
from resspec.render.figure import Figure
from resspec.render.paint.html import html

__all__ = ["browser"]


def focused(browser: Any, data: dict[str, Any]) -> str:
    """The path of the cell that has the focus, empty if none has."""
    id = browser.execute_script("return document.activeElement.dataset.id ?? null")
    return "" if id is None else str(data["cells"][int(id)]["path"])


def panel(browser: Any) -> str:
    return str(browser.execute_script("return document.getElementById('ui-panel').innerText"))


def paths_of_blocks(browser: Any, data: dict[str, Any], expanded: bool) -> set[str]:
    ids = browser.execute_script(
        "return [...document.querySelectorAll(`[aria-expanded=${arguments[0]}][data-id]`)].map((one) => +one.dataset.id)",
        str(expanded).lower(),
    )
    return {data["cells"][id]["path"] for id in ids}


def test_search_opens_the_fold_that_holds_the_hit_and_centres_it(browser: Any, tmp_path: Path) -> None:
    data = shown_page(browser, tmp_path, level="stages")
    assert not paths_of_blocks(browser, data, True)
    press(browser, "/", "unit17 stage3 conv", "\ue007")
    assert focused(browser, data).startswith("stage3/unit1/")
    assert paths_of_blocks(browser, data, True) >= {"stage3", "stage3/unit1"}
    assert "drawn here for stage3/unit17/" in panel(browser)
    assert "9\u2009175\u2009040 in all 35 blocks" in panel(browser)
    place, figure = browser.execute_script(
        "const box = (one) => { const { x, y, width, height } = one.getBoundingClientRect(); return [x + width / 2, y + height / 2]; };"
        "return [box(document.activeElement), box(document.getElementById('ui-figure'))]"
    )
    assert abs(place[0] - figure[0]) < 80
    assert abs(place[1] - figure[1]) < 80


def test_search_finds_nothing_in_words(browser: Any, tmp_path: Path) -> None:
    shown_page(browser, tmp_path, "alexnet")
    press(browser, "/", "no such thing")
    assert browser.execute_script("return document.getElementById('ui-results').innerText") == "nothing found"


def test_keys_open_close_and_walk(browser: Any, tmp_path: Path) -> None:
    data = shown_page(browser, tmp_path, level="stages")
    browser.execute_script("document.getElementById('ui-figure').focus()")
    press(browser, "\ue004")
    assert focused(browser, data) == "image"
    for _ in range(4):
        press(browser, "\ue015")
    assert focused(browser, data) == "stage1"
    press(browser, "\ue007")
    assert focused(browser, data) == "stage1", "the focus stays with the block"
    assert paths_of_blocks(browser, data, True) == {"stage1"}
    press(browser, "\ue015")
    assert focused(browser, data) == "stage1/unit0"
    press(browser, "c")
    assert not paths_of_blocks(browser, data, True)
    assert focused(browser, data) == "stage1"
    press(browser, "\ue00c")
    assert focused(browser, data) == ""
    assert "64\u2009834\u2009472" in panel(browser)


def test_shift_opens_all_of_a_kind(browser: Any, tmp_path: Path) -> None:
    data = shown_page(browser, tmp_path, level="stages")
    browser.execute_script(
        "document.querySelector(`[data-id='${arguments[0]}']`).dispatchEvent(new MouseEvent('click', {bubbles: true, shiftKey: true}))",
        next(k for k, cell in enumerate(data["cells"]) if cell["path"] == "stem_act"),
    )
    kinds = {cell["kind"] for cell in data["cells"] if cell["path"] in paths_of_blocks(browser, data, True)}
    assert kinds == {"bn_relu"}
    assert paths_of_blocks(browser, data, True) == {"stem_act", "last_act"}


def test_zoom_pan_and_fit(browser: Any, tmp_path: Path) -> None:
    shown_page(browser, tmp_path)
    read = "const m = document.querySelector('#ui-figure svg > g').transform.baseVal.consolidate().matrix; return [m.a, m.e, m.f]"
    scale, x, y = browser.execute_script(read)
    press(browser, "+")
    assert browser.execute_script(read)[0] == pytest.approx(1.25 * scale, rel=1e-3)
    press(browser, "-")
    browser.execute_script("document.getElementById('ui-figure').focus()")
    press(browser, "\ue014", "\ue015")
    assert browser.execute_script(read)[1:] == pytest.approx([x - 60, y - 60], abs=1)
    press(browser, "0")
    assert browser.execute_script(read) == pytest.approx([scale, x, y], abs=0.1)
    from selenium.webdriver import ActionChains

    figure = browser.find_element("id", "ui-figure")
    ActionChains(browser, duration=0).drag_and_drop_by_offset(figure, 70, 30).perform()
    assert browser.execute_script(read)[1:] == pytest.approx([x + 70, y + 30], abs=1)
    at = figure.rect
    browser.execute_script(
        "arguments[0].dispatchEvent(new WheelEvent('wheel', {deltaY: -400, clientX: arguments[1], clientY: arguments[2]}))",
        figure, at["x"] + x + 70, at["y"] + y + 30,
    )  # fmt: skip
    zoomed = browser.execute_script(read)
    assert zoomed[0] > 1.5 * scale
    assert zoomed[1:] == pytest.approx([x + 70, y + 30], abs=1.5), "the point below the pointer stays"


def test_the_panel_says_what_is_known(browser: Any, tmp_path: Path) -> None:
    graph = api.load("resnet_v2")
    data = opened(browser, tmp_path, html(Figure(graph)))
    id = next(k for k, cell in enumerate(data["cells"]) if cell["path"] == "stage3/unit1")
    browser.execute_script("document.querySelector(`[data-id='${arguments[0]}']`).focus()", id)
    text = panel(browser)
    inside = [i for i, node in enumerate(graph.nodes) if re.match(r"stage3/unit([1-9]|[12]\d|3[0-5])/", node.path)]
    params = sum(weight.size for i in inside for weight in graph.weights[i])
    total = sum(weight.size for weights in graph.weights for weight in weights)
    assert f"{params:,}".replace(",", "\u2009") in text
    assert f"{round(100 * params / total)} %" in text
    assert "35 blocks of equal structure" in text
    assert re.search(r"source\s+resnet_v2\.yaml:\d+", text)
    assert "receptive field" in text
    leaf = next(k for k, cell in enumerate(data["cells"]) if cell["path"] == "image")
    browser.execute_script("document.querySelector(`[data-id='${arguments[0]}']`).focus()", leaf)
    assert "224\u00d7224\u00d73" in panel(browser)


def test_shares_of_the_boxes_add_up_to_the_whole(browser: Any, tmp_path: Path) -> None:
    """What a box in an open fold stands for is counted once for every block of the fold."""
    shown_page(browser, tmp_path, "densenet", level="layers")
    shares = browser.execute_script(
        """return [...document.querySelectorAll("#ui-figure .cell:not(.open)")].map((one) => {
          one.focus();
          const told = [...document.querySelectorAll("#ui-panel meter")];
          return told.length === 2 ? told.map((meter) => Number(meter.value)) : null;
        }).filter(Boolean)"""
    )
    assert len(shares) > 10
    assert sum(one[1] for one in shares) == pytest.approx(1, abs=0.01)
    assert 0.9 < sum(one[0] for one in shares) < 1, "norms have parameters, but no products"


def test_heat_colours_by_share(browser: Any, tmp_path: Path) -> None:
    data = shown_page(browser, tmp_path, "vgg@vgg16")
    browser.execute_script(
        "const h = document.getElementById('ui-heat'); h.value = 'params'; h.dispatchEvent(new Event('change'))"
    )
    heat = {
        data["cells"][id]["path"]: name
        for id, name in browser.execute_script(
            "return [...document.querySelectorAll('.leaf')].filter((one) => +one.dataset.id >= 0)"
            ".map((one) => [+one.dataset.id, one.querySelector('rect').classList[1]])"
        )
    }
    assert heat["image"] == "heat0"
    assert sorted(heat.values())[-1] == "heat5"
    assert {path for path, name in heat.items() if name == "heat5"} == largest()
    assert "> 15 %" in browser.execute_script("return document.getElementById('ui-legend').innerText")


def largest() -> set[str]:
    """Nodes of VGG-16 with more than 15 % of its parameters."""
    graph = api.load("vgg@vgg16")
    sizes = {node.path: sum(w.size for w in weights) for node, weights in zip(graph.nodes, graph.weights, strict=True)}
    return {path for path, size in sizes.items() if size > 0.15 * sum(sizes.values())}


def test_light_and_dark(browser: Any, tmp_path: Path) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    shown_page(browser, tmp_path, "alexnet")
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    assert browser.execute_script(ground) == "rgb(20, 23, 28)"
    browser.execute_script("document.getElementById('ui-theme').click()")
    assert browser.execute_script(ground) == "rgb(255, 255, 255)"
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.execute_script("document.getElementById('ui-theme').click()")
    assert browser.execute_script(ground) == "rgb(20, 23, 28)"


def test_blocks_of_a_thousand_layers_open_and_close(browser: Any, tmp_path: Path) -> None:
    steps = "\n".join(f"      - {{{step}}}" if ":" in step else f"      - {step}" for step in (
        "conv: {filters: n, kernel_size: 3, padding: same}", "batch_norm", "relu",
        "conv: {filters: n, kernel_size: 3, padding: same}", "batch_norm", "relu", "conv: {filters: 8, kernel_size: 1}", "batch_norm",
    ))  # fmt: skip
    graph = load(
        "resspec: 1\ninputs: {image: [32, 32, 8]}\nblocks:\n  unit:\n    params: {n: int}\n    graph:\n"
        + steps + "\n      - add: [prev, in]\n      - relu\ngraph: [{repeat: 100, as: u$i, do: [{unit: 8 + i}]}]\n"
    )  # fmt: skip
    assert len(graph.nodes) == 1001
    for level in ("stages", "layers"):
        opened(browser, tmp_path, html(Figure(graph, level=level)))
        toggled = browser.execute_script(
            """return [...Array(10).keys()].map((k) => {
              const all = document.querySelectorAll("#ui-figure [aria-expanded]"), one = all[(k * 37 + 5) % all.length];
              const id = one.id, before = one.getAttribute("aria-expanded");
              (one.querySelector(".grip") ?? one).dispatchEvent(new MouseEvent("click", { bubbles: true }));
              return before !== document.getElementById(id)?.getAttribute("aria-expanded");
            })"""
        )
        assert all(toggled)  # how long it takes, `tools/bench_page.py` measures
