"""Figures against `keras.utils.plot_model`, in one run: time and page. Needs `pydot` and Graphviz for the other side.

`python tools/bench_figures.py [--repeat 5]`. Ours goes from the parsed graph to the bytes of an SVG, as theirs goes
from the built model; that Keras had to be imported and the model built first is not counted.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import resspec
from resspec.render.figure import Figure
from resspec.render.paint.svg import svg

SPECS = ("resnet_v2@resnet200_v2", "densenet@densenet201")
POINT = 25.4 / 72
PIXEL = 25.4 / 96


def timed(work: Callable[[], object], repeat: int) -> float:
    """Median seconds."""
    found = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    theirs_too = shutil.which("dot") is not None
    if theirs_too:
        import keras
    for spec in SPECS:
        network = resspec.load(spec)
        drawn: list[str] = []
        ours = timed(lambda network=network, drawn=drawn: drawn.append(svg(Figure(network).scene())), repeat)
        everything = timed(lambda spec=spec: svg(Figure(resspec.load(spec)).scene()), repeat)
        width, height = (float(size) * PIXEL for size in re.findall(r'(?:width|height)="([0-9.]+)"', drawn[0])[:2])
        print(f"{spec}: figure {ours * 1000:.0f} ms, from the file {everything * 1000:.0f} ms", end="")
        print(f", page {width:.0f} x {height:.0f} mm")
        if not theirs_too:
            print("  plot_model: Graphviz is not installed")
            continue
        model = network.to_keras()
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "model.svg"
            options = {"to_file": str(target), "show_shapes": True, "show_layer_names": True}
            theirs = timed(
                lambda model=model, options=options: keras.utils.plot_model(model, **options), max(1, repeat // 2)
            )
            sizes = re.search(r'width="(\d+)pt" height="(\d+)pt"', target.read_text())
        assert sizes is not None
        width, height = int(sizes[1]) * POINT, int(sizes[2]) * POINT
        times = f"{theirs / ours:.0f} times as long"
        print(f"  plot_model: {theirs * 1000:.0f} ms, page {width:.0f} x {height:.0f} mm, {times}")


if __name__ == "__main__":
    main()
