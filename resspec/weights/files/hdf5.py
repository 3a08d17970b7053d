"""HDF5 files as plain data: groups and arrays that stand in the file itself, each at one place.

What is in a file is told by `hdf5_table`, in a process of its own; the numbers are read from where they lie.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import math
import os
import subprocess
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy

from resspec import limits
from resspec.weights.files import hdf5_table
from resspec.weights.files.numbers import DTYPES, Reader, array_of, size_of, stretch
from resspec.weights.files.refusal import AGAIN, bounded, reading, refused, shown

MAGIC = b"\x89HDF\r\n\x1a\n"
DEFLATE, SHUFFLE, FLETCHER = 1, 2, 3
"""compressions that are part of HDF5; any other is a library that the file would have loaded"""
MEMORY, SECONDS = 4 << 30, 20
"""what the table of contents may take, address space and processor time"""


@dataclass(frozen=True, slots=True)
class Group:
    """A folder of a file."""

    path: str
    parts: Mapping[str, Group | Array]
    """in the order in which they lie in the file"""
    said: Mapping[str, tuple[str, ...] | None]
    """its attributes that tell names"""


@dataclass(frozen=True, slots=True)
class Array:
    """Numbers of a file."""

    path: str
    shape: tuple[int, ...]
    dtype: str
    read: Reader


def root_of(file: IO[bytes], path: Path, start: int, size: int) -> Group:
    """The root of the HDF5 file that lies in `size` bytes of an open file from `start` on."""
    return _Tree(file, path, start, size).group("", _table(file, path, start, size))


def _table(file: IO[bytes], path: Path, start: int, size: int) -> dict[str, Any]:
    asked = (file.fileno(), start, size, limits.WEIGHT_PARTS, limits.WEIGHT_DEPTH, MEMORY, SECONDS)
    # the libraries that this process would import, never what lies in the current folder
    specs = [importlib.util.find_spec(name) for name in ("h5py", "numpy")]
    folders = [str(Path(spec.origin).parents[1]) for spec in specs if spec is not None and spec.origin]
    done = subprocess.run(
        [sys.executable, "-P", hdf5_table.__file__, *map(str, asked)],
        pass_fds=(file.fileno(),),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folders), "OPENBLAS_NUM_THREADS": "1"},
        check=False,
    )
    if done.returncode == hdf5_table.TOO_MANY:
        raise refused(f"`{shown(path)}` has more than {limits.WEIGHT_PARTS:,} parts", AGAIN)
    if done.returncode < 0:
        raise refused(f"`{shown(path)}` leads the HDF5 library astray, which was stopped", AGAIN)
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace").strip().rpartition("\n")[2])
    table: dict[str, Any] = json.loads(done.stdout)
    if "in" not in table:
        raise ValueError(table["not"])
    return table


class _Tree:
    """Makes a tree of a table, and refuses what is no plain number in the file itself."""

    def __init__(self, file: IO[bytes], path: Path, start: int, size: int) -> None:
        self.file, self.path, self.start, self.size = file, path, start, size
        self.total = 0

    def group(self, place: str, table: dict[str, Any]) -> Group:
        parts: dict[str, Group | Array] = {}
        for key, part in table["in"].items():
            inside = f"{place}/{key}".strip("/")
            if "not" in part:
                raise refused(f"`{shown(self.path)}` has {part['not']}: `{shown(inside)}`", AGAIN)
            parts[text(key, self.path)] = self.group(inside, part) if "in" in part else self.array(inside, part)
        said = {name: None if words is None else tuple(words) for name, words in table["say"].items()}
        return Group(place, parts, said)

    def array(self, place: str, table: dict[str, Any]) -> Array:
        shape, kind, where = tuple(table["shape"]), numpy.dtype(table["type"]), table["at"]
        # Keras marks bfloat16, which HDF5 does not know, with an attribute, but not in files of the older form
        dtype = "bfloat16" if kind.kind == "V" and kind.itemsize == 2 else kind.name
        filters = set(where.get("filters", ())) if isinstance(where, dict) else set()
        if dtype not in DTYPES or where == {"elsewhere": True} or filters - {DEFLATE, SHUFFLE, FLETCHER}:
            raise refused(f"`{shown(self.path)}` has numbers that are not read: `{shown(place)}`", AGAIN)
        self.total += size_of(dtype, shape)
        bounded(self.total, self.size, self.path)
        order = ">" if kind.byteorder == ">" else "<"

        def read() -> numpy.ndarray:
            with reading(self.path):
                return array_of(self.bits(where, dtype, shape), dtype, order).reshape(shape)

        return Array(place, shape, dtype, read)

    def bits(self, where: Any, dtype: str, shape: tuple[int, ...]) -> numpy.ndarray:
        """The bytes of an array, zeros if they were never written."""
        if where is None:
            return numpy.zeros(size_of(dtype, shape), "uint8")
        if isinstance(where, int):
            return self.stretch(where, size_of(dtype, shape))
        if "bytes" in where:
            return numpy.frombuffer(base64.b64decode(where["bytes"]), "uint8")
        return self.chunked(where, dtype, shape)

    def chunked(self, where: dict[str, Any], dtype: str, shape: tuple[int, ...]) -> numpy.ndarray:
        """The bytes of an array that lies in pieces, each compressed."""
        width, piece = size_of(dtype, ()), tuple(where["chunk"])
        whole = math.prod(piece) * width
        bounded(whole, self.size, self.path)
        found = numpy.zeros((*shape, width), "uint8")
        for corner, left_out, position, count in where["chunks"]:
            used = [code for number, code in enumerate(where["filters"]) if not left_out >> number & 1]
            data = _unpacked(self.stretch(position, count), used, whole, width).reshape(*piece, width)
            here = tuple(slice(at, min(at + step, size)) for at, step, size in zip(corner, piece, shape, strict=True))
            found[here] = data[tuple(slice(0, part.stop - part.start) for part in here)]
        return found.reshape(-1)

    def stretch(self, position: int, count: int) -> numpy.ndarray:
        if position + count > self.size:
            raise ValueError("it ends too early")
        return stretch(self.file, self.start + position, count)


def _unpacked(data: numpy.ndarray, filters: list[int], size: int, width: int) -> numpy.ndarray:
    """A chunk of `size` bytes without its compressions, the last of which was applied last."""
    for code in reversed(filters):
        if code == FLETCHER:
            data = data[:-4]  # a checksum
        elif code == DEFLATE:
            data = numpy.frombuffer(zlib.decompressobj().decompress(data.tobytes(), size), "uint8")
        else:
            data = numpy.ascontiguousarray(data.reshape(width, -1).T).reshape(-1)
    if len(data) != size:
        raise ValueError("a piece of an array has another size than it should")
    return data


def text(name: str, path: Path) -> str:
    """A name in the file, which is text."""
    try:
        return name.encode().decode()
    except UnicodeError:
        raise refused(f"`{shown(path)}` has a name that is no text", AGAIN) from None


def arrays(group: Group) -> dict[str, Array]:
    """All arrays below a group by their paths in it."""
    found: dict[str, Array] = {}
    for key, part in group.parts.items():
        if isinstance(part, Array):
            found[key] = part
        else:
            found.update((f"{key}/{inside}", array) for inside, array in arrays(part).items())
    return found
