"""Checkpoints of PyTorch: a ZIP file with a pickle, which is read but not run, and the bytes of every storage.

A tensor is a view of a storage: offset, sizes and strides. What is wanted is a state dict, a mapping of names
to tensors; checkpoints hold it under a key, beside the state of an optimizer and other things.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from resspec import limits
from resspec.weights.archive import Tensor
from resspec.weights.files import names
from resspec.weights.files.numbers import DTYPES, Reader, array_of, size_of
from resspec.weights.files.pickles import KEYS, Machine, Name, Persistent
from resspec.weights.files.refusal import AGAIN, bounded, reading, refused, shown

if TYPE_CHECKING:
    from resspec.weights.files.zips import Zip

PICKLE = "data.pkl"
OLD = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""how a file of PyTorch before 1.6 begins"""
STATE = ("state_dict", "model_state_dict", "model", "module", "net", "network", "weights", "params")
"""under which key a checkpoint holds the weights, the likeliest first; averaged ones (`ema`) are asked for by name"""
PREFIXES = ("module.", "_orig_mod.")
"""what DataParallel and torch.compile put before every name"""

STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
UNREAD = ("ComplexFloatStorage", "ComplexDoubleStorage", "QInt8Storage", "QUInt8Storage", "QInt32Storage")
TYPES = {**{name: name for name in DTYPES}, "double": "float64", "float": "float32", "half": "float16", "long": "int64"}


@dataclass(frozen=True, slots=True)
class View:
    """A tensor as the pickle describes it, unchecked."""

    storage: Any
    offset: Any
    shape: Any
    stride: Any
    dtype: Any = None


class Opaque:
    """A value that is no tensor and holds none."""


def _mapping(*pairs: Any) -> dict[Any, Any]:
    given = pairs[0] if pairs else ()
    items = given.items() if isinstance(given, dict) else given
    return {pair[0]: pair[1] for pair in items if len(pair) == 2 and isinstance(pair[0], KEYS)}


def _typed(function: Name, kind: Name, arguments: tuple[Any, ...], state: Any) -> Any:
    """A tensor with attributes of its own, which are left out."""
    if not isinstance(function, Name) or function.text not in REBUILD:
        raise TypeError("it makes no tensor")
    return REBUILD[function.text](*arguments)


REBUILD: Mapping[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": lambda storage, offset, shape, stride: View(storage, offset, shape, stride),
    "torch._utils._rebuild_tensor_v2": lambda storage, offset, shape, stride, grad, hooks, more=None: View(
        storage, offset, shape, stride
    ),
    "torch._utils._rebuild_tensor_v3": lambda storage, offset, shape, stride, grad, hooks, dtype, more=None: View(
        storage, offset, shape, stride, dtype
    ),
    "torch._utils._rebuild_parameter": lambda data, grad, hooks: data,
    "torch._utils._rebuild_parameter_with_state": lambda data, grad, hooks, state: data,
}
CALLS: Mapping[str, Callable[..., Any]] = {
    **REBUILD,
    "torch._tensor._rebuild_from_type_v2": _typed,
    "collections.OrderedDict": _mapping,
    "collections.Counter": _mapping,
    "collections.defaultdict": lambda *factory: {},
    "torch.Size": lambda sizes: sizes,
    "torch.device": lambda *where: Opaque(),
    "_codecs.encode": lambda text, encoding: Opaque(),
    "torch.serialization._get_layout": lambda name: Opaque(),
}
NAMES = frozenset(
    [f"torch.{storage}" for storage in (*STORAGES, *UNREAD)]
    + [f"torch.{dtype}" for dtype in (*TYPES, "complex64", "complex128", "float8_e4m3fn", "float8_e5m2", "strided")]
    + ["torch.storage.UntypedStorage", "torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer"]
)


def tensors(archive: Zip) -> tuple[list[Tensor], list[str]]:
    """The weights in a checkpoint, and what else there was."""
    root = home(archive)
    if any(name.startswith((f"{root}code/", f"{root}constants.pkl")) for name in archive.members):
        raise refused(
            f"`{shown(archive.path)}` is a program of TorchScript",
            f"save its weights alone: `torch.save(torch.jit.load({archive.path.name!r}).state_dict(), 'weights.pth')`",
            code="weights-form",
        )
    order = ">" if f"{root}byteorder" in archive.members and archive.text(f"{root}byteorder") == b"big" else "<"
    value = Machine(archive.path, CALLS, NAMES).run(archive.text(f"{root}{PICKLE}"))
    state, notes = _state(value, archive.path)
    prefix = next((p for p in PREFIXES if all(name.startswith(p) and name != p for name in state)), "")
    if prefix:
        notes.append(f"every name begins with `{prefix}`, which is left out")
    storages = _Storages(archive, f"{root}data/", order)
    found = []
    for name, view in state.items():
        short = names.plain(name, archive.path).removeprefix(prefix)
        layer, part = names.split(short, "torch")
        found.append(storages.tensor(short, layer, part, view))
    return found, notes


def home(archive: Zip) -> str:
    """The folder in the ZIP file that all else lies in."""
    found = [name.removesuffix(PICKLE) for name in archive.members if name.endswith(f"/{PICKLE}")]
    if len(found) != 1:
        raise refused(f"`{shown(archive.path)}` has {len(found)} pickles where PyTorch writes one", AGAIN)
    return found[0]


def old(path: Path) -> Exception:
    return refused(
        f"`{shown(path)}` is of the form that PyTorch wrote before 1.6",
        "load it with PyTorch and save it again:"
        f" `torch.save(torch.load({path.name!r}, map_location='cpu', weights_only=True), 'weights.pth')`",
        code="weights-form",
    )


def _state(value: Any, path: Path) -> tuple[dict[str, View], list[str]]:
    """The state dict in what was pickled."""
    taken: list[str] = []
    notes: list[str] = []
    while True:
        here = {key: view for key, view in _items(value) if isinstance(view, View)}
        others = [key for key, held in _items(value) if not isinstance(held, View)]
        holding = [key for key, held in _items(value) if _holds(held)]
        key = next((key for key in STATE if key in holding), None)
        if here and key is None:
            if taken:
                notes.insert(0, f"the weights are those under `{'/'.join(taken)}`")
            if others:
                notes.append(f"left out: {_list(others)}, no tensors")
            return here, notes
        if key is None and len(holding) == 1:
            (key,) = holding
        if key is None or len(taken) > 2:
            what = f"holds several of them: {_list(holding)}" if holding else "holds none"
            raise refused(
                f"`{shown(path)}` is a checkpoint of PyTorch where a state dict is looked for, and {what}",
                "save the one that is wanted alone: `torch.save(checkpoint['...'], 'weights.pth')`",
            )
        beside = [other for other, _ in _items(value) if other != key]
        if beside:
            notes.append(f"left out beside it: {_list(beside)}")
        taken.append(shown(key, 40))
        value = value[key]


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    return ((key, held) for key, held in value.items() if isinstance(key, str)) if isinstance(value, dict) else iter(())


def _holds(value: Any, levels: int = 2) -> bool:
    """Whether a state dict is in there."""
    return any(
        isinstance(held, View) or (levels > 1 and key in STATE and _holds(held, levels - 1))
        for key, held in _items(value)
    )


def _list(words: list[str]) -> str:
    told = ", ".join(f"`{shown(word, 40)}`" for word in words[:5])
    return told if len(words) <= 5 else f"{told} and {len(words) - 5:,} more"


class _Storages:
    """Checks views against the storages that they look at, and reads them."""

    def __init__(self, archive: Zip, folder: str, order: str) -> None:
        self.archive, self.folder, self.order = archive, folder, order
        self.total = 0

    def tensor(self, name: str, layer: str, part: str, view: View) -> Tensor:
        path = self.archive.path
        member, dtype, count = self._storage(name, view)
        shape, stride, offset = view.shape, view.stride, view.offset
        if not (_sizes(shape) and _sizes(stride) and _sizes((offset,)) and len(shape) == len(stride)):
            raise self._refused(name, "has no sizes of a tensor")
        last = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
        if len(shape) > limits.WEIGHT_RANK or (math.prod(shape) and last >= count):
            raise self._refused(name, f"reaches beyond its storage of {count:,} numbers")
        self.total += size_of(dtype, shape)
        bounded(self.total, self.archive.size, path)
        return Tensor(name, layer, part, shape, dtype, self._reader(member, dtype, shape, stride, offset, last))

    def _storage(self, name: str, view: View) -> tuple[str, str, int]:
        """The member of the ZIP file that a view looks at, the type of its numbers, and how many there are."""
        key = view.storage.key if isinstance(view.storage, Persistent) else None
        if not isinstance(key, tuple) or len(key) < 5 or key[0] != "storage" or not isinstance(key[1], Name):
            raise self._refused(name, "has no storage")
        said = view.dtype if isinstance(view.dtype, Name) else key[1]
        kind = said.text.rpartition(".")[2]
        dtype = STORAGES.get(kind) or TYPES.get(kind)
        if dtype is None:
            raise refused(
                f"the tensor `{shown(name)}` in `{shown(self.archive.path)}` has the type `{shown(kind)}`,"
                " which is not read",
                "save it as float32",
            )
        member = f"{self.folder}{key[2]}" if isinstance(key[2], str) else ""
        info = self.archive.members.get(member)
        if info is None:
            raise self._refused(name, f"lies in the storage `{shown(key[2], 40)}`, which is not in the file")
        if self.archive.start(member) is None:
            raise refused(f"`{shown(self.archive.path)}` is compressed", "unpack it, and pack it without compression")
        return member, dtype, info.file_size // size_of(dtype, ())

    def _reader(
        self, member: str, dtype: str, shape: tuple[int, ...], stride: tuple[int, ...], offset: int, last: int
    ) -> Reader:
        width = size_of(dtype, ())

        def read() -> numpy.ndarray:
            with reading(self.archive.path):
                if not math.prod(shape):
                    return array_of(numpy.empty(0, "uint8"), dtype).reshape(shape)
                bits = self.archive.part(member, offset * width, (last + 1 - offset) * width)
                flat = array_of(bits, dtype, self.order)
                steps = tuple(step * flat.itemsize for step in stride)
                return numpy.ascontiguousarray(numpy.lib.stride_tricks.as_strided(flat, shape, steps)).reshape(shape)

        return read

    def _refused(self, name: str, what: str) -> Exception:
        return refused(f"the tensor `{shown(name)}` in `{shown(self.archive.path)}` {what}", AGAIN)


def _sizes(value: Any) -> bool:
    return isinstance(value, tuple) and all(type(size) is int and 0 <= size < 1 << 63 for size in value)
