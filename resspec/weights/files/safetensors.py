"""`.safetensors`: the length of a JSON header in eight bytes, the header, and the numbers one after another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Any, TypeGuard

from resspec import limits
from resspec.weights.archive import Dialect, Tensor
from resspec.weights.files import names
from resspec.weights.files.numbers import lying, size_of
from resspec.weights.files.refusal import AGAIN, refused, shown

DTYPES = {
    **{"F16": "float16", "F32": "float32", "F64": "float64", "BF16": "bfloat16", "BOOL": "bool"},
    **{
        f"{letter}{bits}": f"{kind}{bits}" for letter, kind in (("I", "int"), ("U", "uint")) for bits in (8, 16, 32, 64)
    },
}
"""types by their names in the header"""
LENGTH = 8
DIALECTS: dict[str, Dialect] = {"pt": "torch", "keras": "keras"}
"""what the entry `format` says of the names; the others that are in use say too little"""


def looks_so(start: bytes, size: int) -> bool:
    """Whether a file of `size` bytes that begins with `start` is meant to be one."""
    length = int.from_bytes(start[:LENGTH], "little")
    return len(start) > LENGTH and start[LENGTH : LENGTH + 1] == b"{" and 2 <= length <= max(size, 1 << 32)


def tensors(file: IO[bytes], path: Path, size: int) -> tuple[Dialect, list[Tensor]]:
    """The arrays of a file, in the order of its header."""
    length = int.from_bytes(file.read(LENGTH), "little")
    if length > size - LENGTH:
        raise refused(f"`{shown(path)}` ends before its header does", AGAIN)
    if length > limits.WEIGHT_TEXT_BYTES:
        raise refused(f"`{shown(path)}` has a header of {length:,} bytes", AGAIN)
    header = json.loads(file.read(length).decode(), object_pairs_hook=_once)
    if not isinstance(header, dict) or len(header) > limits.WEIGHT_PARTS:
        raise ValueError("its header is no list of arrays")
    about = header.pop("__metadata__", None)
    said = about.get("format") if isinstance(about, dict) else None
    dialect = DIALECTS.get(said, names.dialect_of(header)) if isinstance(said, str) else names.dialect_of(header)
    first, end = LENGTH + length, 0
    entries = [(name, *_entry(name, entry, path)) for name, entry in header.items()]
    for name, dtype, shape, begin in sorted(entries, key=lambda entry: entry[3]):
        if begin != end:
            raise refused(f"`{shown(name)}` in `{shown(path)}` does not begin where the array before it ends", AGAIN)
        end += size_of(dtype, shape)
    if first + end != size:
        raise refused(f"the arrays of `{shown(path)}` have {end:,} bytes, and {size - first:,} are there", AGAIN)
    found = [
        Tensor(name, *names.split(name, dialect), shape, dtype, lying(path, file, first + begin, dtype, shape))
        for name, dtype, shape, begin in entries
    ]
    return dialect, names.shortened(found) if dialect == "keras" else found


def _entry(name: str, entry: Any, path: Path) -> tuple[str, tuple[int, ...], int]:
    """Type, shape and place of an array."""
    names.plain(name, path)
    given = entry if isinstance(entry, dict) else {}
    dtype, shape, place = given.get("dtype"), given.get("shape"), given.get("data_offsets")
    if not _sizes(shape) or len(shape) > limits.WEIGHT_RANK or not _sizes(place) or len(place) != 2:
        raise refused(f"the array `{shown(name)}` in `{shown(path)}` has no shape or place", AGAIN)
    if dtype not in DTYPES:
        raise refused(
            f"the array `{shown(name)}` in `{shown(path)}` has the type `{shown(dtype)}`, which is not read",
            "save it as float32",
        )
    if place[1] - place[0] != size_of(DTYPES[dtype], tuple(shape)):
        raise refused(f"the array `{shown(name)}` in `{shown(path)}` has another size than its shape says", AGAIN)
    return DTYPES[dtype], tuple(shape), place[0]


def _sizes(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(size) is int and 0 <= size < 1 << 63 for size in value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("its header has a name twice")
    return found
