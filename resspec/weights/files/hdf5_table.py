"""The table of contents of an HDF5 file, as JSON: a program of its own, which imports nothing of resspec.

The HDF5 library follows pointers wherever a damaged file leads it, into endless loops and beyond its memory.
So it is asked in a process of its own, with little memory and little time, and only what there is and where it
lies: links are not followed, no array is read.

A group is `{"in": {name: part}, "say": {attribute: texts}}` with its parts in the order in which they lie in
the file, an array `{"shape": sizes, "type": numbers, "at": place}`, anything else `{"not": why}`. A place is a
position in the file; null if nothing was written there; `{"bytes": base64}` for what lies among the table; and
`{"chunk": sizes, "filters": codes, "chunks": [[coordinates, filters left out, position, bytes], ...]}`.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import resource
import sys
from typing import Any

SAID = ("name", "layer_names", "weight_names")
"""attributes that are read, the last two also in pieces: `layer_names0`, ..."""
TOO_MANY = 3
"""exit code for files with too many parts"""


class Window(io.RawIOBase):
    """A stretch of a file that another process holds open."""

    def __init__(self, descriptor: int, start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = descriptor, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        count = max(0, min(len(buffer), self._size - self._at))
        done = os.preadv(self._file, [memoryview(buffer)[:count]], self._start + self._at) if count else 0
        self._at += done
        return done


class Table:
    """What is in a file, up to so many parts and levels."""

    def __init__(self, h5py: Any, parts: int, levels: int) -> None:
        self.h5py, self.parts, self.levels = h5py, parts, levels
        self.seen: set[int] = set()

    def group(self, group: Any, level: int = 0) -> dict[str, Any]:
        entries = []
        for raw in group.id:
            self._count()
            link = group.id.links.get_info(raw)
            entries.append((link.u if link.type == self.h5py.h5l.TYPE_HARD else -1, raw))
        found = {}
        for address, raw in sorted(entries):
            found[raw.decode("utf-8", "surrogateescape")] = self.part(group, address, raw, level + 1)
        said = {name: self._texts(group, name) for name in group.attrs if name.rstrip("0123456789") in SAID}
        return {"in": found, "say": said}

    def part(self, group: Any, address: int, raw: bytes, level: int) -> dict[str, Any]:
        if address < 0:
            return {"not": "a link, which may lead to another file"}
        if address in self.seen:
            return {"not": "at two places"}
        if level > self.levels:
            return {"not": f"below more than {self.levels} levels of groups"}
        self.seen.add(address)
        part = group[raw]
        if isinstance(part, self.h5py.Group):
            return self.group(part, level)
        return self.array(part) if isinstance(part, self.h5py.Dataset) else {"not": "neither group nor array"}

    def array(self, array: Any) -> dict[str, Any]:
        h5t = self.h5py.h5t
        dtype, shape = array.dtype, array.shape
        if shape is None:
            return {"not": "an array without a shape"}
        plain = dtype.kind in "fiubV" and dtype.names is None and dtype.subdtype is None
        if not plain or h5t.py_create(dtype, logical=True) != array.id.get_type():
            return {"not": "an array of anything but numbers"}
        return {"shape": [int(size) for size in shape], "type": dtype.str, "at": self._place(array)}

    def _place(self, array: Any) -> Any:
        h5d = self.h5py.h5d
        plan = array.id.get_create_plist()
        layout = plan.get_layout()
        if plan.get_external_count() or layout not in (h5d.CONTIGUOUS, h5d.COMPACT, h5d.CHUNKED):
            return {"elsewhere": True}
        if layout == h5d.CONTIGUOUS:
            return array.id.get_offset()
        if layout == h5d.COMPACT:
            return {"bytes": base64.b64encode(array[()].tobytes()).decode()}
        chunks: list[Any] = []

        def add(chunk: Any) -> None:
            self._count()
            chunks.append([list(chunk.chunk_offset), chunk.filter_mask, chunk.byte_offset, chunk.size])

        array.id.chunk_iter(add)
        filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
        return {"chunk": list(plan.get_chunk()), "filters": filters, "chunks": chunks}

    def _texts(self, group: Any, name: str) -> list[str] | None:
        """The text or texts of an attribute; None if it has anything else."""
        import numpy

        value = group.attrs[name]
        values: list[Any] = [value] if isinstance(value, bytes | str) else numpy.ravel(value).tolist()
        texts = [one.decode("utf-8", "surrogateescape") if isinstance(one, bytes) else one for one in values]
        return texts if all(isinstance(text, str) for text in texts) else None

    def _count(self) -> None:
        self.parts -= 1
        if self.parts < 0:
            sys.exit(TOO_MANY)


def main() -> None:
    """Arguments: a descriptor, where the HDF5 file starts and its size; then the most parts, levels, bytes, seconds."""
    descriptor, start, size, parts, levels, memory, seconds = map(int, sys.argv[1:])
    for kind, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, memory)):
        hard = resource.getrlimit(kind)[1]
        with contextlib.suppress(ValueError, OSError):  # macOS has no limit on memory
            resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    import h5py  # type: ignore[import-untyped]

    try:
        with h5py.File(io.BufferedReader(Window(descriptor, start, size)), "r") as file:
            print(json.dumps(Table(h5py, parts, levels).group(file)))
    except Exception as error:
        print(json.dumps({"not": str(error).splitlines()[0][:200] if str(error) else type(error).__name__}))


if __name__ == "__main__":
    main()
