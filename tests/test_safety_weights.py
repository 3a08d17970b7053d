"""Model files as data: what `--weights` reads, what it refuses, and that nothing in a file is ever run."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from graphs import Sketch
from modelling import array, dense, loaded, refusal

from resspec import limits
from resspec.graph import Graph
from resspec.keras_backend.build import build
from resspec.keras_backend.save import save

REFUSED = ("weights-refused", "weights-form", "weights-code")


def tiny() -> Graph:
    sketch = Sketch("tiny")
    return sketch.graph(output=sketch(dense(3), "head", sketch.input("x", 4)))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A good `.keras` file."""
    model = build(tiny(), seed=3)
    return save(model, tiny(), tmp_path / "good.keras")[0]


def repacked(source: Path, target: Path, **changed: bytes) -> Path:
    """A copy of a `.keras` file with some members exchanged."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            key = name.replace(".", "_")
            new.writestr(name, changed.get(key, old.read(name)))
    return target


def test_good_files_are_read(saved: Path, tmp_path: Path) -> None:
    model = keras.saving.load_model(saved)
    model.save_weights(tmp_path / "good.weights.h5")
    for path in (saved, tmp_path / "good.weights.h5"):
        again = loaded(tiny(), path)
        for one, two in zip(model.weights, again.weights, strict=True):
            np.testing.assert_array_equal(array(one), array(two))


def test_weights_of_a_trained_model_with_its_optimizer_are_read(tmp_path: Path) -> None:
    model = build(tiny())
    model.compile("adam", "mse")
    model.fit(np.ones((4, 4)), np.ones((4, 3)), verbose=0)
    model.save(tmp_path / "trained.keras")
    np.testing.assert_array_equal(array(loaded(tiny(), tmp_path / "trained.keras").weights[0]), array(model.weights[0]))


class Evil:
    """What a pickle of it would do when it is read."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.marker),)


def test_the_configuration_in_the_file_is_not_looked_at(saved: Path, tmp_path: Path) -> None:
    """A `Lambda`, a module to import, a pickle: only `model.weights.h5` is opened."""
    marker = tmp_path / "ran"
    config = {"module": "os", "class_name": "mkdir", "config": {"name": str(marker)}, "registered_name": "os>mkdir"}
    bad = repacked(
        saved, tmp_path / "bad.keras", config_json=json.dumps(config).encode(), metadata_json=pickle.dumps(Evil(marker))
    )
    loaded(tiny(), bad)
    assert not marker.exists()


@pytest.mark.parametrize("name", ["w.keras", "w.h5", "w.weights.h5", "w.npz", "w.pkl", "w.weights.json", "w"])
def test_a_pickle_is_never_read_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    (tmp_path / name).write_bytes(pickle.dumps(Evil(marker)))
    assert refusal(loaded, tiny(), tmp_path / name).code in REFUSED
    assert not marker.exists()


def hostile(path: Path, kind: str, secret: Path) -> None:
    """An HDF5 file that points elsewhere or claims too much."""
    with h5py.File(path, "w") as file:
        if kind == "external link":
            file["layers"] = h5py.ExternalLink(str(secret), "/layers")
        elif kind == "soft link":
            file["layers"] = h5py.SoftLink("/elsewhere")
        elif kind == "external storage":
            file.create_dataset("kernel", (4,), "uint8", external=[(str(secret), 0, 4)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout((4,), "uint8")
            layout[:] = h5py.VirtualSource(str(secret), "kernel", (4,))
            file.create_virtual_dataset("kernel", layout)
        elif kind == "objects":
            file.create_dataset("kernel", (4,), h5py.string_dtype())
        elif kind == "terabytes":
            file.create_dataset("kernel", (1 << 40,), "float32", chunks=(1 << 10,))
        else:
            file["again"] = file["/"]  # a circle


KINDS = ["external link", "soft link", "external storage", "virtual", "objects", "terabytes", "circle"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_arrays_stand_in_the_file_itself_and_fit_the_model(
    kind: str, suffix: str, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WEIGHT_PARTS", 1_000)
    secret = tmp_path / "secret"
    secret.write_bytes(b"hush")
    path = tmp_path / "bad.weights.h5"
    hostile(path, kind, secret)
    if suffix == ".keras":
        path = repacked(saved, tmp_path / "bad.keras", model_weights_h5=path.read_bytes())
    assert refusal(loaded, tiny(), path).code in REFUSED


def test_a_zip_bomb_is_refused_before_it_is_unpacked(saved: Path, tmp_path: Path) -> None:
    bomb = repacked(saved, tmp_path / "bomb.keras", model_weights_h5=bytes(limits.WEIGHT_SLACK + (1 << 25)))
    assert bomb.stat().st_size < 1 << 20
    finding = refusal(loaded, tiny(), bomb)
    assert "unpacks to" in finding.message


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + b"\xff" * 999]
)
@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_torn_files_are_findings(content: bytes, suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"torn{suffix}").write_bytes(content)
    assert refusal(loaded, tiny(), tmp_path / f"torn{suffix}").code in REFUSED


def test_every_cut_of_a_good_file_is_a_finding_or_good(saved: Path, tmp_path: Path) -> None:
    data = saved.read_bytes()
    for end in range(0, len(data), max(1, len(data) // 60)):
        (tmp_path / "cut.keras").write_bytes(data[:end])
        assert refusal(loaded, tiny(), tmp_path / "cut.keras").code in REFUSED


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.keras")
    for path in (tmp_path / "fifo.keras", tmp_path, Path("/dev/zero"), tmp_path / "gone.keras", tmp_path / "a\0.keras"):
        assert refusal(loaded, tiny(), path).code in REFUSED


def test_what_is_built_holds_no_code_and_loads_under_safe_mode(saved: Path) -> None:
    with zipfile.ZipFile(saved) as archive:
        assert set(archive.namelist()) == {"metadata.json", "config.json", "model.weights.h5"}
        config = archive.read("config.json").decode()
    assert "Lambda" not in config
    assert '"registered_name": null' in config
    keras.saving.load_model(saved, safe_mode=True)
