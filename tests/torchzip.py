"""Checkpoints as PyTorch writes them, written by hand: what is pickled, opcode by opcode, and the storages beside it."""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

STORAGES = {
    "float64": "DoubleStorage",
    "float32": "FloatStorage",
    "float16": "HalfStorage",
    "bfloat16": "BFloat16Storage",
    "int64": "LongStorage",
    "int32": "IntStorage",
    "int16": "ShortStorage",
    "int8": "CharStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
}


@dataclass(frozen=True)
class Storage:
    """Numbers in a member of their own; bfloat16 as the bits that it has."""

    key: str
    numbers: np.ndarray
    dtype: str
    count: int | None = None
    """how many the pickle claims, if not as many as there are"""


@dataclass(frozen=True)
class View:
    """A tensor: a window on a storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    parameter: bool = False


@dataclass(frozen=True)
class Call:
    """Anything that a pickle may ask for."""

    module: str
    name: str
    arguments: tuple[Any, ...] | None = None


def dense(key: str, array: np.ndarray) -> View:
    """A tensor that is the whole of its storage."""
    array = np.asarray(array, order="C")
    stride = tuple(step // array.itemsize for step in array.strides)
    return View(Storage(key, array.reshape(-1), array.dtype.name), 0, array.shape, stride)


class Pickler:
    """Writes protocol 2 as `torch.save` does, with whatever is asked for by name."""

    def __init__(self) -> None:
        self.storages: dict[str, Storage] = {}

    def dumps(self, value: Any) -> bytes:
        return b"\x80\x02" + self.value(value) + b"."

    def value(self, value: Any) -> bytes:
        match value:
            case View():
                return self.view(value)
            case Call():
                return self.call(value)
            case dict():
                return b"}(" + b"".join(self.value(part) for item in value.items() for part in item) + b"u"
            case list():
                return b"](" + b"".join(self.value(part) for part in value) + b"e"
            case tuple():
                return b"(" + b"".join(self.value(part) for part in value) + b"t"
            case str():
                text = value.encode("utf-8", "surrogatepass")
                return b"X" + struct.pack("<I", len(text)) + text
            case _:
                return pickle.dumps(value, 2)[2:-1]

    def call(self, called: Call) -> bytes:
        name = f"c{called.module}\n{called.name}\n".encode()
        return name if called.arguments is None else name + self.value(called.arguments) + b"R"

    def view(self, view: View) -> bytes:
        storage = view.storage
        self.storages[storage.key] = storage
        count = len(storage.numbers) if storage.count is None else storage.count
        kind = Call("torch", STORAGES.get(storage.dtype, storage.dtype))
        persistent = self.value(("storage", kind, storage.key, "cpu", count)) + b"Q"
        hooks = b"ccollections\nOrderedDict\n)R"
        rest = (view.offset, view.shape, view.stride, False)
        arguments = b"(" + persistent + b"".join(self.value(part) for part in rest) + hooks + b"t"
        made = b"ctorch._utils\n_rebuild_tensor_v2\n" + arguments + b"R"
        if view.parameter:
            return b"ctorch._utils\n_rebuild_parameter\n(" + made + b"\x88" + hooks + b"tR"
        return made


def write(path: Path, value: Any, *, order: str = "little", compression: int = zipfile.ZIP_STORED) -> Path:
    """A checkpoint with `value` in it; the bytes of its storages in `order`."""
    pickler = Pickler()
    pickled = pickler.dumps(value)
    members = {"data.pkl": pickled, "byteorder": order.encode(), "version": b"3\n"}
    for key, storage in pickler.storages.items():
        numbers = storage.numbers
        members[f"data/{key}"] = numbers.astype(numbers.dtype.newbyteorder("<" if order == "little" else ">")).tobytes()
    return pack(path, members, compression)


def pack(path: Path, members: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(f"archive/{name}", data)
    return path
