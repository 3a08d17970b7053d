"""`.npz`: a ZIP file of arrays of NumPy. Their headers, which NumPy takes for Python, are matched as text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy

from resspec import limits
from resspec.weights.archive import Dialect, Tensor
from resspec.weights.files import names
from resspec.weights.files.numbers import DTYPES, Reader, array_of, size_of
from resspec.weights.files.refusal import AGAIN, reading, refused, shown

if TYPE_CHECKING:
    from resspec.weights.files.zips import Zip

SUFFIX = ".npy"
MAGIC = b"\x93NUMPY"
HEADER_BYTES = 1 << 14
_HEADER = re.compile(
    r"""\{(?:\s*(?:
        'descr':\ '(?P<descr>[<>|=][biufcOSUV][0-9]{0,2})'
      | 'fortran_order':\ (?P<order>True|False)
      | 'shape':\ \((?P<shape>[0-9,\ ]*)\)
    )\s*,?){3}\s*\}\s*""",
    re.VERBOSE,
)


def tensors(archive: Zip) -> tuple[Dialect, list[Tensor]]:
    """The arrays of a file, in its order."""
    members = {name: names.plain(name.removesuffix(SUFFIX), archive.path) for name in archive.members}
    dialect = names.dialect_of(members.values())
    found = []
    for member, name in members.items():
        dtype, shape, read = _array(archive, member)
        layer, part = names.split(name, dialect)
        found.append(Tensor(name, layer, part, shape, dtype, read))
    found = names.unique(found, archive.path)
    return dialect, names.shortened(found) if dialect == "keras" else found


def _array(archive: Zip, member: str) -> tuple[str, tuple[int, ...], Reader]:
    path = archive.path
    start = archive.part(member, 0, HEADER_BYTES).tobytes()
    wide = 2 if start[6:7] == b"\1" else 4
    first = 8 + wide
    length = int.from_bytes(start[8:first], "little")
    header = start[first : first + length].decode("latin1")
    match = _HEADER.fullmatch(header)
    if not start.startswith(MAGIC) or len(header) < length or match is None or None in match.group(1, 2, 3):
        raise refused(f"`{shown(member)}` in `{shown(path)}` is no array of NumPy", AGAIN)
    order, kind = match["descr"][0], match["descr"][1:]
    if kind == "O":
        raise refused(
            f"the array `{shown(member)}` in `{shown(path)}` holds a pickle, which can run code when it is read",
            "save the weights as plain arrays",
            code="weights-code",
        )
    dtype = "bfloat16" if kind == "V2" else numpy.dtype(kind).name
    if dtype not in DTYPES:
        raise refused(
            f"the array `{shown(member)}` in `{shown(path)}` has the type `{shown(match['descr'])}`, which is not read",
            "save it as float32",
        )
    shape = tuple(int(size) for size in match["shape"].split(",") if size.strip())
    if len(shape) > limits.WEIGHT_RANK or first + length + size_of(dtype, shape) != archive.members[member].file_size:
        raise refused(f"`{shown(member)}` in `{shown(path)}` has another size than its shape says", AGAIN)
    by_columns = match["order"] == "True"

    def read() -> numpy.ndarray:
        with reading(path):
            bits = archive.part(member, first + length, size_of(dtype, shape))
            flat = array_of(bits, dtype, ">" if order == ">" else "<")
            return flat.reshape(shape[::-1]).T if by_columns else flat.reshape(shape)

    return dtype, shape, read
