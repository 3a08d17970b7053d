"""HDF5 files as plain data: groups and arrays that stand in the file itself, each at one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import h5py  # type: ignore[import-untyped]
import numpy

from resspec import limits
from resspec.weights.files.numbers import DTYPES, Reader, widened
from resspec.weights.files.refusal import AGAIN, bounded, reading, refused, shown

MAGIC = b"\x89HDF\r\n\x1a\n"
FILTERS = frozenset((h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32))
"""compressions that are part of HDF5; any other is a library that the file would have loaded"""


def root_of(file: IO[bytes], resources: ExitStack) -> h5py.File:
    """An HDF5 file, closed before what it is read from."""
    return resources.enter_context(h5py.File(file, "r"))


@dataclass
class Walk:
    """Looks at the parts of one file, each once, and refuses what is no plain number in it."""

    path: Path
    size: int
    """bytes of the file"""
    total: int = 0
    _seen: set[int] = field(default_factory=set)

    def children(self, group: h5py.Group) -> dict[str, h5py.Group | h5py.Dataset]:
        """What a group holds, in the order in which it stands in the file."""
        found = []
        for raw in group.id:
            link = group.id.links.get_info(raw)
            if link.type != h5py.h5l.TYPE_HARD:
                raise self.refused(f"the link `{shown(raw.decode(errors='replace'))}`, which may lead to another file")
            if link.u in self._seen:
                raise self.refused(f"`{shown(raw.decode(errors='replace'))}` at two places")
            self._seen.add(link.u)
            if len(self._seen) > limits.WEIGHT_PARTS:
                raise self.refused(f"more than {limits.WEIGHT_PARTS:,} parts")
            found.append((link.u, raw))
        found.sort()
        return {self.text(raw): group[raw] for _, raw in found}

    def arrays(self, group: h5py.Group) -> Iterator[tuple[str, h5py.Dataset]]:
        """All arrays below a group with their paths in it, checked."""
        waiting: list[tuple[str, Any]] = [("", group)]
        while waiting:
            prefix, part = waiting.pop()
            for key, child in self.children(part).items():
                if isinstance(child, h5py.Group):
                    waiting.append((f"{prefix}{key}/", child))
                else:
                    self.check(child)
                    yield f"{prefix}{key}", child

    def check(self, array: h5py.Dataset) -> None:
        """Refuse an array that is elsewhere, that is made of anything but numbers, or that is too large."""
        if not isinstance(array, h5py.Dataset):
            raise self.refused("a part that is no array where one is expected")
        plan = array.id.get_create_plist()
        filters = {plan.get_filter(number)[0] for number in range(plan.get_nfilters())}
        if array.external or array.is_virtual or filters - FILTERS or dtype_of(array) is None:
            raise self.refused(f"the array `{shown(array.name)}`, which is not plain numbers in the file itself")
        if array.shape is None or array.ndim > limits.WEIGHT_RANK:
            raise self.refused(f"the array `{shown(array.name)}`, which has no shape of an array")
        self.total += array.nbytes
        bounded(self.total, self.size, self.path)

    def refused(self, what: str) -> Exception:
        return refused(f"`{shown(self.path)}` has {what}", AGAIN)

    def text(self, raw: Any) -> str:
        """A name in the file as text."""
        try:
            return raw.decode() if isinstance(raw, bytes) else str.encode(raw).decode()
        except (UnicodeError, TypeError):
            raise self.refused("a name that is no text") from None

    def reader(self, array: h5py.Dataset) -> Reader:
        return lambda: _numbers(array, self.path)


def dtype_of(array: h5py.Dataset) -> str | None:
    """What the numbers of an array are; None if they are none that are read."""
    dtype = array.dtype
    if dtype.kind == "V" and dtype.itemsize == 2 and dtype.names is None:
        return "bfloat16"  # Keras marks these with an attribute, but not in files of the old form
    return dtype.name if dtype.name in DTYPES else None


def _numbers(array: h5py.Dataset, path: Path) -> numpy.ndarray:
    with reading(path):
        found = numpy.asarray(array[()])
    if found.dtype.kind == "V":
        return widened(found.view("<u2"))
    return found.astype(found.dtype.newbyteorder("="), copy=False)
