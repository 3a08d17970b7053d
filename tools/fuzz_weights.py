"""Files of weights for `tools/fuzz.py`: small good ones of every form, broken in their bytes or in their pickles.

An input is text, one character a byte, so that the fuzzer can make it smaller and keep it like any other.
"""

from __future__ import annotations

import io
import random
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import torchzip

from resspec import limits
from resspec.weights.archive import open_archive
from resspec.weights.files.write import WRITERS, write

NUMBERS = (0, 1, 2, 4, 0x7F, 0x80, 0xFF)
WIDE = (b"\xff" * 4, b"\xff" * 8, b"\0" * 8, b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\1\0\0\0", b"\0\0\0\0\0\0\0\x80")
OPCODES = bytes(range(0x28, 0x98))
SPLICES = (
    b"cos\nsystem\n",
    b"X\2\0\0\0ls",
    b"R",
    b"0",
    b"(",
    b"t",
    b"2",
    b"\x85",
    b"\x86",
    b"}",
    b"]",
    b"u",
    b"q\0",
    b"h\0",
)
HDF5 = 0.05
"""share of inputs that are HDF5"""
MOST = 1 << 22
"""numbers of a file that are read; more of them show nothing more"""


def seeds() -> list[bytes]:
    """A small good file of every form."""
    array = np.arange(6, dtype="float32").reshape(2, 3)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        views = {"a.weight": torchzip.dense("0", array), "a.bias": torchzip.dense("1", array[0].copy())}
        torchzip.write(place / "a.pth", views)
        torchzip.write(place / "b.pth", {"model": {f"module.{name}": view for name, view in views.items()}, "epoch": 3})
        with h5py.File(place / "k.weights.h5", "w") as file:
            _layer(file, "layers/dense", "head", array, array[0])
            _layer(file, "layers/multi_head_attention/query_dense", "query", array)
            file["layers/multi_head_attention"].create_group("vars").attrs["name"] = "attention"
        with zipfile.ZipFile(place / "k.keras", "w") as archive:
            archive.writestr("config.json", '{"class_name": "Sequential", "config": {"name": "net", "layers": []}}')
            archive.write(place / "k.weights.h5", "model.weights.h5")
        with h5py.File(place / "l.h5", "w") as file:
            file.attrs["layer_names"] = ["head"]
            file.create_group("head").attrs["weight_names"] = ["head/kernel:0"]
            file["head/head/kernel:0"] = array
        with open_archive(place / "a.pth") as torch:
            for suffix in WRITERS:
                write(place / f"w{suffix}", torch.tensors, "torch")
        np.savez_compressed(place / "c.npz", **{"a/kernel": array})
        found = [path.read_bytes() for path in sorted(place.iterdir())]
    return found


def _layer(file: h5py.File, path: str, name: str, *arrays: np.ndarray) -> None:
    group = file.create_group(path).create_group("vars")
    group.attrs["name"] = name
    for number, array in enumerate(arrays):
        group[str(number)] = array


class Files:
    """Endless broken files."""

    def __init__(self, source: random.Random) -> None:
        self.random = source
        self.hdf5, self.others = (
            [seed for seed in seeds() if (b"HDF" in seed) == is_hdf5] for is_hdf5 in (True, False)
        )

    def broken(self) -> str:
        # the library of HDF5 is asked in a process of its own, which takes its time
        data = self.random.choice(self.hdf5 if self.random.random() < HDF5 else self.others)
        if self.random.random() < 0.3 and data.startswith(b"PK") and b"data.pkl" in data:
            return self._repickled(data).decode("latin1")
        return self._changed(data, self.random.choice((1, 1, 2, 4, 16))).decode("latin1")

    def _repickled(self, data: bytes) -> bytes:
        """The pickle changed, in a ZIP file that is well formed."""
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
            for name in old.namelist():
                member = old.read(name)
                new.writestr(name, self._changed(member, 2, SPLICES) if name.endswith(".pkl") else member)
        return out.getvalue()

    def _changed(self, data: bytes, times: int, splices: tuple[bytes, ...] = WIDE) -> bytes:
        changed = bytearray(data)
        choose = self.random
        for _ in range(times):
            at = choose.randrange(len(changed) + 1)
            kinds: list[Callable[[], Any]] = [
                lambda at=at: changed.__setitem__(slice(at, at + 1), bytes([choose.choice(NUMBERS)])),
                lambda at=at: changed.__setitem__(slice(at, at + 1), bytes([choose.randrange(256)])),
                lambda at=at: changed.__setitem__(slice(at, at + 1), bytes([choose.choice(OPCODES)])),
                lambda at=at: changed.__setitem__(slice(at, at + len(splices[0])), choose.choice(splices)),
                lambda at=at: changed.__setitem__(slice(at, at), choose.choice(splices)),
                lambda at=at: changed.__delitem__(slice(at, at + choose.randrange(1, 40))),
                lambda at=at: changed.__setitem__(slice(at, at), changed[at : at + choose.randrange(1, 200)]),
                lambda at=at: changed.__delitem__(slice(at, None)),
            ]
            choose.choices(kinds, (6, 6, 4, 4, 2, 2, 1, 0.3))[0]()
        return bytes(changed)


def tried(source: str) -> None:
    """Any file -> its arrays, which can be read and written, or a SpecError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(source.encode("latin1", "replace"))
        size = path.stat().st_size
        with open_archive(path) as archive:
            total = sum(tensor.size for tensor in archive.tensors)
            assert total <= limits.WEIGHT_GROWTH * size + limits.WEIGHT_SLACK, "more numbers than bytes"
            if total <= MOST:
                for tensor in archive.tensors:
                    assert tensor.read().shape == tensor.shape, "a shape that is not the one announced"
                write(Path(folder) / "out.safetensors", archive.tensors, archive.dialect)
