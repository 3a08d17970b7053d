"""Writers of files of weights: named arrays, one after another, whole or not at all; same arrays, same bytes."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import numpy

from resspec import files
from resspec.weights.archive import Dialect, Tensor
from resspec.weights.files import safetensors
from resspec.weights.files.numbers import size_of
from resspec.weights.files.refusal import refused, shown

FORMATS: Mapping[Dialect, str] = {dialect: said for said, dialect in safetensors.DIALECTS.items()}
TYPES = {dtype: name for name, dtype in safetensors.DTYPES.items()}
EPOCH = (1980, 1, 1, 0, 0, 0)
"""the time of everything in a ZIP file, so that it tells nothing of when it was written"""

Progress = Callable[[Tensor], None]
"""is told each array once it is written"""


def write(path: Path, tensors: Sequence[Tensor], dialect: Dialect, progress: Progress | None = None) -> None:
    """Write arrays under their names, `.safetensors` or `.npz`, one in memory at a time.

    bfloat16 stays bfloat16 in safetensors and becomes float32 in `.npz`, which does not know it. Raises
    SpecError `weights-refused` for another suffix, FileProblem `output-problem`, and what reading raises.
    """
    writer = WRITERS.get(path.suffix)
    if writer is None:
        raise refused(
            f"weights are written to files that end in {' or '.join(f'`{suffix}`' for suffix in WRITERS)},"
            f" got `{shown(path.name)}`"
        )
    with files.replacing(path) as temporary, open(temporary, "xb") as file:
        writer(file, tensors, dialect, progress or (lambda tensor: None))


def _safetensors(file: IO[bytes], tensors: Sequence[Tensor], dialect: Dialect, progress: Progress) -> None:
    """The widest numbers come first, so that all lie where their width divides; the header keeps the order."""
    laid = sorted(tensors, key=lambda tensor: -size_of(tensor.dtype, ()))
    begins, end = {}, 0
    for tensor in laid:
        begins[tensor.name] = end
        end += size_of(tensor.dtype, tensor.shape)
    header: dict[str, object] = {"__metadata__": {"format": FORMATS[dialect]}}
    for tensor in tensors:
        begin = begins[tensor.name]
        header[tensor.name] = {
            "dtype": TYPES[tensor.dtype],
            "shape": tensor.shape,
            "data_offsets": [begin, begin + size_of(tensor.dtype, tensor.shape)],
        }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    file.write(struct.pack("<Q", len(text)) + text)
    for tensor in laid:
        array = _read(tensor)
        bits = narrowed(array) if tensor.dtype == "bfloat16" else array
        file.write(bits.astype(bits.dtype.newbyteorder("<"), copy=False).tobytes())
        progress(tensor)


def _npz(file: IO[bytes], tensors: Sequence[Tensor], dialect: Dialect, progress: Progress) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for tensor in tensors:
            array = numpy.ascontiguousarray(_read(tensor)).reshape(tensor.shape)
            array = array.astype(array.dtype.newbyteorder("<"), copy=False)
            member = zipfile.ZipInfo(f"{tensor.name}.npy", EPOCH)
            with archive.open(member, "w", force_zip64=True) as target:
                numpy.lib.format.write_array(target, array, allow_pickle=False)
            progress(tensor)


WRITERS: Mapping[str, Callable[[IO[bytes], Sequence[Tensor], Dialect, Progress], None]] = {
    ".safetensors": _safetensors,
    ".npz": _npz,
}


def _read(tensor: Tensor) -> numpy.ndarray:
    array = tensor.read()
    if array.shape != tensor.shape:
        raise ValueError(f"`{tensor.name}` has {array.shape}, not {tensor.shape}")  # a mistake of whoever made it
    return array


def narrowed(array: numpy.ndarray) -> numpy.ndarray:
    """The upper halves of float32 numbers, which is all that there is of those that were bfloat16."""
    return (numpy.ascontiguousarray(array, "float32").view("uint32") >> 16).astype("uint16")
