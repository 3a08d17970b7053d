"""Budgets, deep chains, and files that load without resspec."""

from __future__ import annotations

import sys

import numpy as np
from graphs import chain
from modelling import refusal, run, small

from resspec import limits
from resspec.chain import deep_chain
from resspec.keras_backend.budget import check_budget
from resspec.keras_backend.build import build
from resspec.keras_backend.save import save


def test_budget():
    finding = refusal(check_budget, small(), 100)
    assert finding.code == "too-many-parameters"
    assert "`stem/conv`" in finding.notes[0]
    check_budget(small(), 1000)


def test_budget_is_refused_without_keras():
    run(
        "import sys\n"
        "sys.modules['keras'] = None\n"
        "from graphs import resnet\n"
        "from resspec.diagnostics import SpecError\n"
        "from resspec.chain import deep_chain\n"
        "from resspec.keras_backend.budget import check_budget\n"
        "try: check_budget(resnet(), 10)\n"
        "except SpecError as error: assert error.diagnostics[0].code == 'too-many-parameters'\n"
        "else: raise SystemExit('not refused')\n"
        "assert deep_chain(resnet()) is None\n"
    )


def test_a_chain_of_5000_layers(tmp_path):
    graph = chain(5000)
    before = sys.getrecursionlimit()
    model = build(graph)
    assert sys.getrecursionlimit() == before
    assert len(model.layers) == 5001
    note = deep_chain(graph)
    assert note is not None
    assert (note.code, note.severity) == ("deep-chain", "warning")
    assert "setrecursionlimit(7000)" in (note.help or "")
    assert deep_chain(chain(limits.KERAS_DEPTH - 1)) is None


def test_a_deep_chain_is_called_saved_and_loaded_by_plain_keras(tmp_path):
    graph = chain(2000)
    model = build(graph)
    assert model(np.ones((1, 4))).shape == (1, 4)
    save(model, graph, tmp_path / "deep.keras")
    run(
        "import sys; sys.setrecursionlimit(4000)\n"
        "import keras, numpy\n"
        f"model = keras.saving.load_model({str(tmp_path / 'deep.keras')!r})\n"
        "assert model(numpy.ones((1, 4))).shape == (1, 4)\n"
    )


BLOCKER = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "resspec":
            raise ImportError("resspec is not here")
sys.meta_path.insert(0, Blocker())
"""


def test_a_saved_model_loads_without_resspec(tmp_path):
    graph = small()
    model = build(graph, seed=2)
    batch = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    np.save(tmp_path / "in.npy", batch)
    np.save(tmp_path / "out.npy", model.predict(batch, verbose=0))
    target, beside = save(model, graph, tmp_path / "m.keras", "resspec: 1\n", version="0.1.0")
    text = beside.read_text()
    assert str(tmp_path) not in text
    assert graph.digest in text
    save(model, graph, target, "resspec: 1\n", version="0.1.0")
    assert beside.read_text() == text
    run(
        BLOCKER + "import keras, numpy, os\n"
        f"os.chdir({str(tmp_path)!r})\n"
        "model = keras.saving.load_model('m.keras', safe_mode=True)\n"
        "numpy.testing.assert_allclose(model.predict(numpy.load('in.npy'), verbose=0), numpy.load('out.npy'), rtol=1e-5, atol=1e-6)\n"
        "try: import resspec\n"
        "except ImportError: pass\n"
        "else: raise SystemExit('resspec was there')\n"
    )
    assert refusal(save, model, graph, tmp_path / "m.h5").code == "bad-argument"
