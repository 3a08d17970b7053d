"""Files of weights, looked at as data before Keras reads them: of what kind, how large, what they point at."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterator
from os import PathLike
from typing import IO, Any

import h5py  # type: ignore[import-untyped]

from resspec.diagnostics import Diagnostic, SpecError

SLACK = 1 << 26
"""bytes that a file may have besides its numbers: names, and tables of HDF5"""
COPIES = 6
"""numbers of up to 8 bytes for each weight of the model: the weight itself, and what an optimizer keeps of it"""
OBJECTS = 1_000_000
"""groups and arrays of one file"""
MEMBER = "model.weights.h5"
"""where the weights stand in a `.keras` file; nothing else in it is read"""


def check(path: str | PathLike[str], weights: int) -> None:
    """Refuse what does not hold plain numbers for a model of about `weights` weights.

    A `.keras` or `.h5` file, regular, that unpacks to no more than such a model can need, whose arrays
    stand in the file itself. Raises SpecError `weights-refused`.
    """
    name = os.fspath(path)
    most = 8 * COPIES * weights + SLACK
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        raise _refused(f"there is no file `{name}`") from None
    if not stat.S_ISREG(mode):
        raise _refused(f"`{name}` is not a regular file")
    try:
        if name.endswith(".keras"):
            with zipfile.ZipFile(path) as archive:
                _check_size(archive.getinfo(MEMBER).file_size, most, name)
                with archive.open(MEMBER) as member:
                    _check_arrays(member, most, name)
        elif name.endswith(".h5"):
            with open(path, "rb") as file:
                _check_size(os.fstat(file.fileno()).st_size, most, name)
                _check_arrays(file, most, name)
        else:
            raise _refused(f"weights stand in a file that ends in `.keras` or `.h5`, got `{name}`")
    except (OSError, KeyError, ValueError, RuntimeError, NotImplementedError, EOFError, zipfile.BadZipFile) as error:
        raise _refused(f"`{name}` is not a file of weights: {str(error).splitlines()[0][:200]}") from None


def _check_arrays(file: IO[bytes], most: int, name: str) -> None:
    total = 0
    with h5py.File(file, "r") as root:
        for seen, item in enumerate(_items(root, name)):
            if seen > OBJECTS:
                raise _refused(f"`{name}` has more than {OBJECTS:,} parts")
            if isinstance(item, h5py.Dataset):
                if item.external or item.is_virtual or item.dtype.hasobject:
                    raise _refused(f"the array `{item.name}` in `{name}` is not plain numbers in the file itself")
                total += item.nbytes
                _check_size(total, most, name)


def _items(root: h5py.File, name: str) -> Iterator[Any]:
    """All groups and arrays; a link may lead in a circle, which the number of parts ends."""
    waiting = [root]
    while waiting:
        group = waiting.pop()
        for key in group:
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise _refused(f"`{name}` has the link `{key}`, which may lead to another file")
            item = group[key]
            if isinstance(item, h5py.Group):
                waiting.append(item)
            yield item


def _check_size(size: int, most: int, name: str) -> None:
    if size > most:
        raise _refused(f"`{name}` unpacks to {size:,} bytes, the weights of this model need {most:,} at most")


def _refused(message: str) -> SpecError:
    return SpecError([Diagnostic("weights-refused", message)])
