"""A file of weights as named arrays, whatever container it is. The numbers are read when they are asked for."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    import numpy

Form = Literal["keras", "keras-weights", "keras-legacy", "safetensors", "npz", "torch"]
FORMS: Mapping[Form, str] = {
    "keras": "a model of Keras 3",
    "keras-weights": "weights of Keras 3",
    "keras-legacy": "HDF5 of Keras, the older form",
    "safetensors": "safetensors",
    "npz": "arrays of NumPy",
    "torch": "a checkpoint of PyTorch",
}
"""what the forms are, in words"""
Dialect = Literal["keras", "torch"]


@dataclass(frozen=True, slots=True)
class Tensor:
    """One array of a file.

    `name` is unique in the file: `layer4.0.conv1.weight`, `conv1_conv/kernel`, `block/attn/query/kernel`.
    `layer` is the layer that holds it (`layer4.0.conv1`, `conv1_conv`, `attn`; the whole path where two
    layers bear one name), `part` the variable within the layer (`weight`, `kernel`, `query/kernel`). A
    `.weights.h5` file does not name the variables of a layer; where their number does not tell them, `part`
    is their position, `0`, `1`, ... in Keras's order. `read` gives the numbers in the machine's byte order,
    bfloat16 as float32; it raises SpecError where the file is damaged, and works while the archive is open.
    """

    name: str
    layer: str
    part: str
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], numpy.ndarray]

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


class Archive:
    """An open file of weights; a context manager that closes it."""

    path: Path
    form: Form
    dialect: Dialect
    """how variables are named and laid out"""
    tensors: tuple[Tensor, ...]
    """in the file's order; the variables of a layer of Keras in Keras's"""
    by_name: Mapping[str, Tensor]
    layers: Mapping[str, tuple[Tensor, ...]]
    """in the order of their first tensors"""
    notes: tuple[str, ...]
    """what else is in the file and was left out, or was read in another way than it is written"""
    reads: Mapping[str, Sequence[str]] | None
    """layer -> the layers that it reads, where the file holds the whole model; None where it holds weights alone"""

    def __init__(
        self,
        path: Path,
        form: Form,
        dialect: Dialect,
        tensors: Iterable[Tensor],
        notes: Iterable[str] = (),
        reads: Mapping[str, Sequence[str]] | None = None,
        resources: ExitStack | None = None,
    ) -> None:
        self.path, self.form, self.dialect = path, form, dialect
        self.tensors, self.notes, self.reads = tuple(tensors), tuple(notes), reads
        self.by_name = {tensor.name: tensor for tensor in self.tensors}
        layers: dict[str, list[Tensor]] = {}
        for tensor in self.tensors:
            layers.setdefault(tensor.layer, []).append(tensor)
        self.layers = {layer: tuple(members) for layer, members in layers.items()}
        self._resources = resources or ExitStack()

    @property
    def prefixes(self) -> list[str]:
        """With what all names of PyTorch begin, the shortest first: what holds the network within a larger one."""
        if self.dialect != "torch" or not self.tensors:
            return []
        levels = zip(*(tensor.layer.split(".")[:-1] for tensor in self.tensors), strict=False)
        firsts = [level[0] for level in itertools.takewhile(lambda level: len(set(level)) == 1, levels)]
        return [".".join(firsts[: k + 1]) + "." for k in range(len(firsts))]

    def without(self, prefix: str) -> Archive:
        """The same with names that lack their beginning; the file is closed with either."""
        tensors = [
            replace(one, name=one.name.removeprefix(prefix), layer=one.layer.removeprefix(prefix))
            for one in self.tensors
        ]
        note = f"every name begins with `{prefix}`, which is left out"
        return Archive(self.path, self.form, self.dialect, tensors, [*self.notes, note], self.reads, self._resources)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()


def open_archive(path: str | Path) -> Archive:
    """Open a file of weights of any form, which its content tells, not its name.

    Nothing in the file is run, and no more is read than its table of contents. Raises SpecError
    `weights-refused` for what is no such file or claims what it does not hold, `weights-code` for a pickle
    that asks to run something, `weights-form` for forms that are not read, and `weights-unnamed` for a file
    that does not say which layer its arrays belong to.
    """
    from resspec.weights.files import open_any

    return open_any(Path(path))
