"""The interactive page as a file: it runs nothing but itself, asks for nothing, and is the same every time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from browsing import browser, opened, press, shown_page
from graphs import Sketch
from test_safety_output import CONTROL, HOSTILE
from test_theme import contrast

from resspec import api
from resspec.graph import Graph
from resspec.ops.activation import Relu
from resspec.render.figure import Figure
from resspec.render.metrics import shown
from resspec.render.paint.html import HEAT, html
from resspec.render.paint.svg import svg
from resspec.render.theme import THEMES

__all__ = ["browser"]

ATTACKS = {
    **HOSTILE,
    "handler": "<img src=x onerror=document.title='taken'>",
    "end of script": "</script><script>document.title='taken'</script>",
    "end of comment": "--><svg onload=document.title='taken'>",
    "attribute": '" onfocus="document.title=\'taken\'" autofocus x="',
    "address": "javascript:document.title='taken'",
}


def hostile() -> Graph:
    """A network whose name, inputs, nodes and outputs try to get out of the page."""
    sketch = Sketch("</title><script>document.title='taken'</script>")
    x = sketch.input(ATTACKS["handler"], 4)
    for name in ATTACKS.values():
        x = sketch(Relu(), name, x)
    return sketch.graph(**dict.fromkeys(ATTACKS.values(), x))


def test_hostile_names_run_nothing_and_are_shown(browser: Any, tmp_path: Path) -> None:
    graph = hostile()
    browser.get_log("browser")
    data = opened(browser, tmp_path, html(Figure(graph, title=ATTACKS["end of script"])))
    browser.execute_script("for (const one of document.querySelectorAll('.cell')) { one.focus(); one.click?.(); }")
    press(browser, "/", "x")
    assert browser.title == ATTACKS["end of script"]
    assert browser.execute_script("return document.querySelectorAll('#ui-figure .cell').length") == len(
        graph.nodes
    ) + len(ATTACKS)
    assert browser.execute_script("return [document.images.length, document.scripts.length]") == [0, 2]
    assert {shown(name) for name in ATTACKS.values()} <= {cell["path"] for cell in data["cells"]}
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("kind", ATTACKS)
def test_pages_of_hostile_names_are_text(kind: str) -> None:
    sketch = Sketch(ATTACKS[kind])
    graph = sketch.graph(**{ATTACKS[kind]: sketch(Relu(), ATTACKS[kind], sketch.input("x", 4))})
    text = html(Figure(graph, title=ATTACKS[kind]))
    text.encode()
    assert not CONTROL.search(text.replace("\n", ""))
    assert len(re.findall(r"<script", text)) == 2
    assert len(re.findall(r"</script", text)) == 2
    assert "<img" not in text


def test_the_policy_lets_nothing_else_run(browser: Any, tmp_path: Path) -> None:
    shown_page(browser, tmp_path, "alexnet")
    browser.execute_script(
        """const made = document.createElement("script");
        made.textContent = "document.title = 'taken'";
        document.body.append(made);
        document.body.insertAdjacentHTML("beforeend", "<img src='x.png' onerror=\\"document.title = 'taken'\\">");
        document.body.insertAdjacentHTML("beforeend", "<p id='p' style='color: red'>p</p>");"""
    )
    assert browser.title == "alexnet"
    assert browser.execute_script("return getComputedStyle(document.getElementById('p')).color") != "rgb(255, 0, 0)"
    refused = [entry["message"] for entry in browser.get_log("browser")]
    assert len(refused) == 4
    assert all("Content Security Policy" in message for message in refused)


def test_a_page_asks_for_nothing_and_says_nothing(browser: Any, tmp_path: Path) -> None:
    browser.get_log("browser")
    shown_page(browser, tmp_path, "unet")
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert browser.get_log("browser") == []
    text = html(Figure(api.load("unet")))
    assert set(re.findall(r"https?://[^\s\"']+", text)) == {"http://www.w3.org/2000/svg"}


def test_every_box_has_a_name_and_blocks_say_whether_they_are_open(browser: Any, tmp_path: Path) -> None:
    shown_page(browser, tmp_path)
    cells = browser.execute_script(
        "return [...document.querySelectorAll('#ui-figure .cell')].map((one) =>"
        " [one.getAttribute('role'), one.getAttribute('aria-label'), one.tabIndex, one.getAttribute('aria-expanded'), one.classList[1]])"
    )
    assert len(cells) > 50
    for role, label, index, expanded, kind in cells:
        assert (role, index) == ("button", 0)
        assert label
        assert expanded == {"leaf": None, "open": "true", "closed": "false"}[kind]


def test_without_scripts_the_figure_is_there() -> None:
    graph = api.load("resnet@resnet18")
    text = html(Figure(graph))
    assert svg(Figure(graph, "spine").scene(), "light").rstrip() in text
    assert f'<meta name="resspec-digest" content="{graph.digest}">' in text


def test_the_same_spec_gives_the_same_page() -> None:
    code = "import hashlib; from resspec import api; from resspec.render.figure import Figure; from resspec.render.paint.html import html; print(hashlib.sha256(html(Figure(api.load('unet'))).encode()).hexdigest())"
    pages = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "7")
    }
    assert len(pages) == 1


def test_text_can_be_read_on_every_heat() -> None:
    for name, fills in HEAT.items():
        for fill in fills:
            assert contrast(fill, THEMES[name].text("label")) >= 4.5
            assert contrast(fill, THEMES[name].text("note")) >= 4.5
