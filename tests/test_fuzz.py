"""The fuzzer and its corpus: a few inputs of every target, and every input that was ever wrong.

The laws are in `tools/fuzz_laws.py`; `make fuzz` tries far more inputs than this.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from resspec import api, limits
from resspec.language import document

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

import fuzz
import fuzz_laws

CORPUS = sorted(fuzz.CORPUS.glob("*.yaml"))


@pytest.fixture
def metered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The laws' counters and the stand-in for Keras, taken away again afterwards."""
    for owner, name in fuzz_laws.METERED:
        monkeypatch.setattr(owner, name, getattr(owner, name))
    monkeypatch.setattr(api, "_KerasResolver", api._KerasResolver)
    fuzz_laws.isolate()
    fuzz_laws.meter()


@pytest.mark.parametrize(
    ("target", "count"), [("parse", 16_000), ("compile", 1_000), ("render", 250), ("weights", 300)]
)
def test_no_input_breaks_a_law(metered: None, target: str, count: int) -> None:
    run = fuzz.fuzz(target, 20_000, count=count, tell=lambda line: None)
    assert (run.inputs, run.found) == (count, {})


@pytest.mark.parametrize("path", CORPUS, ids=[path.stem for path in CORPUS])
def test_what_was_wrong_once_stays_right(metered: None, path: Path) -> None:
    source = path.read_bytes().decode("utf-8", "surrogatepass")
    for target in fuzz_laws.TARGETS:
        assert fuzz_laws.failure(target, source) is None
    assert fuzz_laws.done() <= fuzz_laws.WORK
    done = api.check(path)  # as a file that the command line reads
    fuzz_laws.sound(done.diagnostics, done.sources)


def test_the_corpus_is_there() -> None:
    assert len(CORPUS) >= 10
    assert all(path.stat().st_size < limits.FILE_BYTES for path in CORPUS)


# -- the fuzzer itself -----------------------------------------------------------------------------


def test_a_seed_names_its_inputs() -> None:
    one, two, other = (fuzz.Inputs(seed) for seed in (5, 5, 6))
    assert [one.spec() for _ in range(20)] == [two.spec() for _ in range(20)]
    assert one.text() != other.text()


@pytest.mark.parametrize("error", [RecursionError, KeyError, MemoryError, AssertionError])
def test_whatever_escapes_is_found_made_small_and_kept(
    metered: None, error: type[Exception], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    original = document.parse

    def breaks(text: str, name: str) -> Any:
        if "relu" in text:
            raise error("gone wrong")
        return original(text, name)

    monkeypatch.setattr(document, "parse", breaks)
    monkeypatch.setattr(fuzz_laws, "mended", lambda *_: None)  # a second way to the parser, past characters it refuses
    run = fuzz.fuzz("parse", 1, count=400, tell=lambda line: None)
    ((wrong, source),) = run.found.items()
    assert wrong.startswith(f"{error.__name__} in ")
    assert source == "relu"
    monkeypatch.setattr(fuzz, "CORPUS", tmp_path / "hostile")
    assert fuzz.save("parse", wrong, source).read_text() == "relu"


def test_work_without_an_end_is_found(metered: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_laws, "WORK", 30)
    assert (
        fuzz_laws.failure("compile", "resspec: 1\ninputs: {x: [4]}\ngraph: [{repeat: 100, do: [relu]}]")
        == "TooMuchWork"
    )


def test_an_unsound_finding_is_found(metered: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_laws, "CODE", fuzz_laws.re.compile("[0-9]"))
    wrong = fuzz_laws.failure("parse", "a: [")
    assert wrong is not None
    assert wrong.startswith("Broken in ")


def test_a_painter_that_breaks_its_law_is_found(metered: None, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = fuzz_laws.Painter("bad", lambda network: "\x1b[31m", fuzz_laws._plain)
    monkeypatch.setattr(fuzz_laws, "PAINTERS", (bad,))
    wrong = fuzz_laws.failure("render", "resspec: 1\ninputs: {x: [4]}\ngraph: [relu]")
    assert wrong is not None
    assert "`bad`" in wrong
