"""ZIP files as data: members by name, none larger than the file can hold, each read where it lies."""

from __future__ import annotations

import tempfile
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy

from resspec import limits
from resspec.weights.files.hdf5_table import Window
from resspec.weights.files.numbers import stretch
from resspec.weights.files.refusal import AGAIN, bounded, refused, shown

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_LOCAL = 30
"""bytes of the header in front of a member, without its name"""


class Zip:
    """An open ZIP file whose table of contents was looked at."""

    def __init__(self, file: IO[bytes], path: Path, size: int) -> None:
        self.file, self.path, self.size = file, path, size
        self._zip = zipfile.ZipFile(_Frugal(file.fileno(), 0, size))
        self.members: dict[str, zipfile.ZipInfo] = {}
        total = 0
        for info in self._zip.infolist():
            name = shown(info.filename)
            if info.filename in self.members:
                raise refused(f"`{shown(path)}` has two members called `{name}`", AGAIN)
            if info.flag_bits & 0x1:
                raise refused(f"`{shown(path)}` is encrypted", "save the weights without a password")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise refused(f"`{shown(path)}` compresses `{name}` in an unusual way", "save it without compression")
            total += info.file_size
            self.members[info.filename] = info
        if len(self.members) > limits.WEIGHT_PARTS:
            raise refused(f"`{shown(path)}` has more than {limits.WEIGHT_PARTS:,} members", AGAIN)
        bounded(total, size, path)
        end = 0
        for info in sorted(self.members.values(), key=lambda info: info.header_offset):
            if info.header_offset < end:
                raise refused(f"members of `{shown(path)}` overlap", AGAIN)
            end = info.header_offset + _LOCAL + info.compress_size

    def text(self, name: str) -> bytes:
        """A small member, whole; its checksum is not looked at, PyTorch leaves it out at times."""
        if self.members[name].file_size > limits.WEIGHT_TEXT_BYTES:
            raise refused(f"`{shown(name)}` in `{shown(self.path)}` has {self.members[name].file_size:,} bytes", AGAIN)
        start = self.start(name)
        if start is None:
            return self._zip.read(name)
        return stretch(self.file, start, self.members[name].file_size).tobytes()

    def part(self, name: str, at: int, count: int) -> numpy.ndarray:
        """Up to `count` bytes of a member from `at` on."""
        start = self.start(name)
        if start is not None:
            return stretch(self.file, start + at, max(0, min(count, self.members[name].file_size - at)))
        with self._zip.open(name) as member:
            member.seek(at)
            return numpy.frombuffer(member.read(count), "uint8")

    def place(self, name: str, resources: ExitStack) -> tuple[IO[bytes], int]:
        """An open file with a member in it, and where it begins: in place, or unpacked beside if it is compressed."""
        start = self.start(name)
        if start is not None:
            return self.file, start
        unpacked: IO[bytes] = resources.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  it closes it
        with self._zip.open(name) as member:
            while block := member.read(1 << 20):
                unpacked.write(block)
        unpacked.flush()
        return unpacked, 0

    def start(self, name: str) -> int | None:
        """Where the bytes of a member begin in the file; None if they are compressed."""
        info = self.members[name]
        if info.compress_type != zipfile.ZIP_STORED:
            return None
        self.file.seek(info.header_offset)
        header = self.file.read(_LOCAL)
        if len(header) < _LOCAL or not header.startswith(MAGIC[0]):
            raise refused(f"`{shown(name)}` is not where `{shown(self.path)}` says", AGAIN)
        name_and_extra = sum(int.from_bytes(header[at : at + 2], "little") for at in (26, 28))
        start = info.header_offset + _LOCAL + name_and_extra
        if info.file_size != info.compress_size or start + info.file_size > self.size:
            raise refused(f"`{shown(self.path)}` ends before `{shown(name)}` does", AGAIN)
        return start


class _Frugal(Window):
    """Takes no table of contents that is longer than one of a file of weights."""

    def read(self, size: int = -1) -> bytes:
        if size > max(limits.WEIGHT_PARTS * 256, 1 << 16):
            raise ValueError("its table of contents is too long")
        return super().read(size) or b""
