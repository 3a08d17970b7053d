"""How long a block of the interactive page takes to open or close: `python tools/bench_page.py`. Needs Chromium.

A network of 1,000 layers; the time from the click until the browser has laid the page out.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from shutil import which

from selenium import webdriver

from resspec import api
from resspec.language import document
from resspec.render.figure import Figure
from resspec.render.paint.html import html

UNIT = "{conv: {filters: n, kernel_size: 3, padding: same}}, batch_norm, relu"
SPEC = f"""\
resspec: 1
inputs: {{image: [32, 32, 8]}}
blocks:
  unit:
    params: {{n: int}}
    graph: [{UNIT}, {UNIT}, {{conv: 8}}, batch_norm, {{add: [prev, in]}}, relu]
graph: [{{repeat: 100, as: u$i, do: [{{unit: 8 + i}}]}}]
"""
CLICKS = """
return [...Array(30).keys()].map((k) => {
  const all = document.querySelectorAll("#ui-figure [aria-expanded]"), one = all[(k * 37 + 5) % all.length];
  const start = performance.now();
  (one.querySelector(".grip") ?? one).dispatchEvent(new MouseEvent("click", { bubbles: true }));
  document.querySelector("#ui-figure svg > g").getBBox();
  return performance.now() - start;
})"""


def main() -> None:
    chromium, driver = which("chromium"), which("chromedriver")
    if chromium is None or driver is None:  # selenium would go and fetch them
        sys.exit("there is no Chromium: apt-get install chromium chromium-driver")
    network = api.network(api.Opened(*document.load(SPEC, "spec.yaml", Path()), None))
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1400,900"):
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        with tempfile.TemporaryDirectory() as folder:
            for level in ("stages", "layers"):
                page = Path(folder) / f"{level}.html"
                page.write_text(html(Figure(network, level=level)))
                browser.get(page.as_uri())
                times = browser.execute_script(CLICKS)
                told = f"median {statistics.median(times):.0f} ms, {min(times):.0f} to {max(times):.0f}"
                print(f"{len(network.nodes)} layers, opened at {level}: a toggle takes {told} (bar 50)")
    finally:
        browser.quit()


if __name__ == "__main__":
    main()
