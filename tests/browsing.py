"""A browser for tests of the interactive page: headless Chromium, one for each module."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from resspec import api
from resspec.render.figure import Figure
from resspec.render.paint.html import html

CHROMIUM, DRIVER = which("chromium"), which("chromedriver")


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


def shown_page(browser: Any, folder: Path, name: str = "resnet_v2", **options: Any) -> dict[str, Any]:
    return opened(browser, folder, html(Figure(api.load(name), **options)))


def press(browser: Any, *keys: str) -> None:
    """Keys, one after the other, to whatever has the focus."""
    from selenium.webdriver import ActionChains

    chain = ActionChains(browser, duration=0)
    for key in keys:
        chain.send_keys(key)
    chain.perform()
