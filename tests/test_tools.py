"""The tools that measure: the twins written by hand are the specs' networks, and the tools run. Nothing is timed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from click import ClickException

import resspec

TOOLS = Path(__file__).resolve().parent.parent / "tools"
sys.path.insert(0, str(TOOLS))

import bench  # noqa: E402
import handwritten  # noqa: E402

SHAPE = (64, 64, 3)


@pytest.mark.parametrize(("spec", "depth"), [("resnet_v2", 18), ("resnet_v2", 50), ("densenet", 121)])
def test_the_twin_computes_what_the_spec_says(spec: str, depth: int) -> None:
    built = resspec.build(spec, depth=depth, inputs={"image": list(SHAPE)})
    twin = handwritten.twin(spec, depth, shape=SHAPE)
    assert twin.count_params() == built.count_params()
    handwritten.carry_over(built, twin)
    images = np.random.default_rng(0).standard_normal((2, *SHAPE), np.float32)
    ours, theirs = built(images, training=False), twin(images, training=False)
    assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(theirs).max()


@pytest.mark.parametrize(("spec", "depth"), [("resnet_v2", 18), ("densenet", 121)])
def test_twin_and_model_have_the_same_settings(spec: str, depth: int) -> None:
    def settings(model: keras.Model) -> dict[str, dict[str, object]]:
        found = {}
        for layer in model.layers:
            if layer.weights:
                config = {key: value for key, value in layer.get_config().items() if key not in ("dtype", "name")}
                for key in config:
                    if key.endswith("_initializer"):
                        config[key]["config"].pop("seed", None)
                found[layer.name] = config
        return found

    built = resspec.build(spec, depth=depth, inputs={"image": list(SHAPE)})
    assert settings(handwritten.twin(spec, depth, shape=SHAPE)) == settings(built)


@pytest.mark.parametrize(("spec", "depth"), [("resnet_v2", 200), ("densenet", 201)])
def test_the_twins_units_are_those_of_the_full_networks(spec: str, depth: int) -> None:
    paths = {node.path for node in resspec.load(spec, depth=depth).nodes}
    first = 0 if spec == "resnet_v2" else 1
    prefix = "stage" if spec == "resnet_v2" else "block"
    for stage, units in enumerate(handwritten.UNITS[spec][depth], 1):
        assert f"{prefix}{stage}/unit{units - 1 + first}/reduce" in paths
        assert f"{prefix}{stage}/unit{units + first}/reduce" not in paths


def test_what_is_compared_takes_turns() -> None:
    order: list[str] = []
    calls = {name: lambda name=name: float(order.append(name) or len(order)) for name in "ab"}
    samples = bench.rounds(calls, 3, lambda: None)
    assert "".join(order) == "abbaab"
    assert samples == {"a": [1.0, 4.0, 5.0], "b": [2.0, 3.0, 6.0]}


def test_a_row_says_the_ratio_of_medians_its_spread_and_the_verdict() -> None:
    samples = {"ours": [1.0, 2.0, 9.0], "theirs": [4.0, 4.0, 3.0]}
    row = bench.compared("build", "a network", samples, "ours", "theirs", bar=0.6)
    assert (row.figure, row.spread, row.verdict) == (0.5, (0.25, 3.0), "met")
    assert bench.cells(row) == ("build", "a network", "2.00 s", "4.00 s theirs", "0.50 (0.25 to 3.00)", "0.6", "met")
    assert bench.compared("build", "a network", samples, "ours", "theirs", bar=0.4).verdict == "missed"
    assert bench.compared("build", "a network", samples, "ours", "theirs").verdict == ""


def test_the_table_goes_between_the_markers_and_nowhere_else() -> None:
    begin, end = bench.BEGIN.format(part="core"), bench.END.format(part="core")
    page = f"before\n{begin}\nold\n{end}\nafter\n"
    row = bench.Row("core", "load", 0.004, "", None, 0.004, bench.WARM)
    table = bench.markdown([row], 5)
    assert "| core | load | 4.0 ms |  |  | 20.0 ms | met |" in table
    once = bench.written(page, "core", table)
    assert once == f"before\n{begin}\n\n{table}\n{end}\nafter\n"
    assert bench.written(once, "core", table) == once
    with pytest.raises(ClickException):
        bench.written(page, "build", table)


def test_the_page_says_how_busy_the_machine_was() -> None:
    row = bench.Row("core", "load", 0.004, "", None, 0.004, bench.WARM)
    assert "load average 0.5 before and" in bench.markdown([row], 5, before=0.5)
    assert "load average" not in bench.markdown([row], 5)


def run(tool: str, *arguments: str) -> str:
    command = [sys.executable, str(TOOLS / tool), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_benchmark_runs() -> None:
    found = json.loads(run("bench.py", "--quick", "--only", "core", "--json"))
    assert [row["what"].partition(" ")[0] for row in found["rows"]] == ["check", "load", "load"]
    assert all(row["ours"] > 0 for row in found["rows"])


def test_the_device_tool_runs_without_an_accelerator(tmp_path: Path) -> None:
    target = tmp_path / "device.json"
    run("gpu.py", "--quick", "--no-jit", "--dtype", "mixed_bfloat16", "--out", str(target))
    found = json.loads(target.read_text())
    assert [row["what"] for row in found["times"]] == ["inference", "training step"]
    assert all(row["met"] for row in found["agreement"])
