"""Readers and writers of files of weights. Strictly data: nothing in a file is run, every size is bounded."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from resspec.weights.archive import Archive, Dialect, Form, Tensor
from resspec.weights.files.refusal import reading, refused, shown

if TYPE_CHECKING:
    from resspec.weights.files.zips import Zip


class Contents(NamedTuple):
    """What a reader finds in a file."""

    form: Form
    dialect: Dialect
    tensors: Sequence[Tensor]
    notes: Sequence[str] = ()
    reads: Mapping[str, Sequence[str]] | None = None


def open_any(path: Path) -> Archive:
    """What `archive.open_archive` says."""
    with ExitStack() as resources, reading(path):
        file = resources.enter_context(opened(path))
        found = _contents(path, file, resources)
        return Archive(path, *found, resources=resources.pop_all())


def opened(path: Path) -> IO[bytes]:
    """A regular file; asks the open file, never the name, what it is."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: NUL or a lone surrogate in the name
        raise refused(f"there is no file `{shown(path)}`") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise refused(f"`{shown(path)}` is not a regular file", "name a file of weights")
    return open(descriptor, "rb")


def _contents(path: Path, file: IO[bytes], resources: ExitStack) -> Contents:
    from resspec.weights.files import hdf5, safetensors, torch, zips

    size = os.fstat(file.fileno()).st_size
    start = file.read(512)
    file.seek(0)
    if start.startswith(hdf5.MAGIC):
        return _hdf5(path, file, size)
    if start.startswith(zips.MAGIC):
        return _zip(zips.Zip(file, path, size), resources)
    if safetensors.looks_so(start, size):
        return Contents("safetensors", *safetensors.tensors(file, path, size))
    if start.startswith(torch.OLD) or start[257:262] == b"ustar":
        raise torch.old(path)
    if re.match(rb"\x80[\x02-\x05]", start):
        raise refused(
            f"`{shown(path)}` is a pickle, which can run code when it is read",
            "load it where it comes from, if you trust it, and save its arrays as `.safetensors` or `.npz`",
            code="weights-code",
        )
    raise refused(
        f"`{shown(path)}` is no file of weights",
        "`.keras`, `.h5`, `.safetensors`, `.npz`, and PyTorch's `.pth` are read",
    )


def _hdf5(path: Path, file: IO[bytes], size: int) -> Contents:
    from resspec.weights.files import keras3, keras_legacy
    from resspec.weights.files.hdf5 import root_of

    root = root_of(file, path, 0, size)
    legacy = keras_legacy.home(root)
    if legacy is not None:
        return Contents("keras-legacy", "keras", keras_legacy.tensors(legacy, path))
    return Contents("keras-weights", "keras", keras3.tensors(root, path, None))


def _zip(archive: Zip, resources: ExitStack) -> Contents:
    from resspec.weights.files import keras3, npz, torch
    from resspec.weights.files.hdf5 import root_of

    if {keras3.CONFIG, keras3.MEMBER} <= archive.members.keys():
        config = json.loads(archive.text(keras3.CONFIG))
        file, start = archive.place(keras3.MEMBER, resources)
        root = root_of(file, archive.path, start, archive.members[keras3.MEMBER].file_size)
        config = config if isinstance(config, dict) else {}
        return Contents("keras", "keras", keras3.tensors(root, archive.path, config), reads=keras3.reads(config))
    if any(name.endswith(f"/{torch.PICKLE}") for name in archive.members):
        found, notes = torch.tensors(archive)
        return Contents("torch", "torch", found, notes)
    if archive.members and all(name.endswith(npz.SUFFIX) for name in archive.members):
        return Contents("npz", *npz.tensors(archive))
    raise refused(
        f"`{shown(archive.path)}` is a ZIP file, but not one of weights",
        "`.keras`, `.npz`, and PyTorch's `.pth` are read",
    )
