"""Names in files of weights: which are taken, and which layer a name belongs to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from resspec import limits
from resspec.weights.archive import Dialect, Tensor
from resspec.weights.files.refusal import AGAIN, refused, shown

_PROJECTION = re.compile("query|key|value|attention_output")
_CELL = re.compile("(?:.*_)?cell(?:_[0-9]+)?")
_DIRECTION = re.compile("(?:forward|backward)_.*")
_KERAS = (
    *("kernel", "depthwise_kernel", "pointwise_kernel", "embeddings"),
    *("gamma", "beta", "moving_mean", "moving_variance"),
)
_TORCH = ("weight", "running_mean", "running_var", "num_batches_tracked")
"""what only one of the libraries calls a variable"""


def plain(name: str, path: Path) -> str:
    """`name` if it can be a name: text that can be shown, not empty, not endless."""
    if not 0 < len(name) <= limits.WEIGHT_NAME_CHARS or not name.isprintable():
        what = "an empty name" if not name else f"the name `{shown(name, 40)}`, which is no name"
        raise refused(f"`{shown(path)}` has {what}", AGAIN)
    return name


def split(name: str, dialect: Dialect) -> tuple[str, str]:
    """The layer that a variable called `name` belongs to, with all that stands before it, and the part.

    PyTorch: all but the last element. Keras: so too, but the projections of an attention, and the cells and
    directions of a recurrence, are parts of their layer.
    """
    if dialect == "torch":
        layer, _, part = name.rpartition(".")
        return layer, part
    parts = name.split("/" if "/" in name else ".")
    at = len(parts) - 1
    if at > 1 and _CELL.fullmatch(parts[at - 1]):
        at -= 1
        if at > 1 and _DIRECTION.fullmatch(parts[at - 1]):
            at -= 1
    elif at > 1 and _PROJECTION.fullmatch(parts[at - 1]):
        at -= 1
    return "/".join(parts[:at]), "/".join(parts[at:]).removesuffix(":0")


def dialect_of(found: Collection[str]) -> Dialect:
    """Whose names these are, in a container that several libraries write."""
    last = Counter(re.split(r"[./]", name)[-1].removesuffix(":0") for name in found)
    keras, torch = (sum(last[part] for part in parts) for parts in (_KERAS, _TORCH))
    return "keras" if keras > torch or (keras == torch and any("/" in name for name in found)) else "torch"


def shortened(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Layers of Keras by their bare names, except where several bear one name."""
    bare = {layer: layer.rpartition("/")[2] for layer in {tensor.layer for tensor in tensors}}
    bearers = Counter(bare.values())
    return [replace(t, layer=bare[t.layer]) if bearers[bare[t.layer]] == 1 else t for t in tensors]


def unique(tensors: Iterable[Tensor], path: Path) -> list[Tensor]:
    """The tensors, no two of one name."""
    found: dict[str, Tensor] = {}
    for tensor in tensors:
        if tensor.name in found:
            raise refused(f"`{shown(path)}` has two arrays called `{shown(tensor.name)}`", AGAIN)
        found[tensor.name] = tensor
    return [*found.values()]
