"""Readers and writers of files of weights. Strictly data: nothing in a file is run, every size is bounded."""

from __future__ import annotations

import json
import os
import stat
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from resspec.weights.archive import Archive
from resspec.weights.files.refusal import AGAIN, reading, refused, shown


def open_any(path: Path) -> Archive:
    """What `archive.open_archive` says."""
    with ExitStack() as resources:
        with reading(path):
            file = resources.enter_context(_opened(path))
            size = os.fstat(file.fileno()).st_size
            start = file.read(64)
            file.seek(0)
            archive = _read(path, file, size, start, resources)
        resources.pop_all()
        return archive


def _opened(path: Path) -> IO[bytes]:
    """A regular file; asks the open file, never the name, what it is."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:  # ValueError: NUL or a lone surrogate in the name
        missing = isinstance(error, FileNotFoundError | NotADirectoryError | ValueError)
        reason = "" if missing else f": {os.strerror(error.errno).lower()}"
        raise refused(
            f"there is no file `{shown(path)}`" if missing else f"`{shown(path)}` cannot be read{reason}"
        ) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise refused(f"`{shown(path)}` is not a regular file", "name a file of weights")
    return open(descriptor, "rb")


def _read(path: Path, file: IO[bytes], size: int, start: bytes, resources: ExitStack) -> Archive:
    from resspec.weights.files import hdf5, zips

    if start.startswith(hdf5.MAGIC):
        return _hdf5(path, file, size, resources)
    if start.startswith(zips.MAGIC):
        return _zip(path, zips.Zip(file, path, size), resources)
    raise refused(
        f"`{shown(path)}` is no file of weights",
        "`.keras`, `.h5`, `.safetensors`, `.npz`, and PyTorch's `.pth` are read",
    )


def _hdf5(path: Path, file: IO[bytes], size: int, resources: ExitStack) -> Archive:
    import h5py  # type: ignore[import-untyped]

    from resspec.weights.files import keras3
    from resspec.weights.files.hdf5 import Walk

    root = resources.enter_context(h5py.File(file, "r"))
    return Archive(path, "keras-weights", "keras", keras3.tensors(root, path, None, Walk.of(path, size)), (), resources)


def _zip(path: Path, archive: object, resources: ExitStack) -> Archive:
    import h5py

    from resspec.weights.files import keras3, zips
    from resspec.weights.files.hdf5 import Walk

    assert isinstance(archive, zips.Zip)
    if {keras3.CONFIG, keras3.MEMBER} <= archive.members.keys():
        config = json.loads(archive.text(keras3.CONFIG))
        root = resources.enter_context(h5py.File(archive.open(keras3.MEMBER, resources), "r"))
        walk = Walk.of(path, archive.size)
        found = keras3.tensors(root, path, config if isinstance(config, dict) else {}, walk)
        return Archive(path, "keras", "keras", found, (), resources)
    raise refused(f"`{shown(path)}` is a ZIP file, but holds no weights", AGAIN)
