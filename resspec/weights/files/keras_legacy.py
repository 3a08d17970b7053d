"""The older HDF5 form of Keras, of `model.save("x.h5")`: layers and variables are listed in attributes.

The root, or the group `model_weights`, lists its layers in `layer_names`, each of them its variables in
`weight_names`; long lists are cut into `layer_names0`, `layer_names1`, ... The configuration of the model,
another attribute, is not read.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy

from resspec import limits
from resspec.weights.archive import Tensor
from resspec.weights.files import names
from resspec.weights.files.hdf5 import Walk, dtype_of
from resspec.weights.files.refusal import AGAIN, refused, shown

OLD = {"W": "kernel", "b": "bias"}
"""what Keras 1 called the variables of a layer, in files such as those of VGG16"""
_NUMBER = re.compile(r"(?:_[0-9]+)?(?::[0-9]+)?")
_STATE = re.compile("seed_generator_state|random_seed_generator|rng_state")


def home(root: h5py.File) -> h5py.Group | None:
    """The group that lists the layers, or None if the file is of another form."""
    for place in ("", "model_weights"):
        if not place:
            group = root
        elif isinstance(root.get(place, getlink=True), h5py.HardLink):
            group = root[place]
        else:
            continue
        if isinstance(group, h5py.Group) and ("layer_names" in group.attrs or "layer_names0" in group.attrs):
            return group
    return None


def tensors(group: h5py.Group, path: Path, walk: Walk) -> list[Tensor]:
    """The weights that the layers in `group` list."""
    parts = dict(walk.arrays(group))
    layers = _listed(group, "layer_names", walk)
    found = []
    for layer in [*layers, "top_level_model_weights"]:
        if layer not in group:
            if layer in layers:
                raise refused(f"`{shown(path)}` lists the layer `{shown(layer)}`, but does not hold it", AGAIN)
            continue
        for name in _listed(group[layer], "weight_names", walk):
            array = parts.pop(f"{layer}/{name}", None)
            if array is None:
                raise refused(f"`{shown(path)}` lists `{shown(name)}` once more than it holds it", AGAIN)
            if not _STATE.search(name):
                found.append(_tensor(layer, name, array, path, walk))
    return names.shortened(names.unique(found, path))


def _tensor(layer: str, variable: str, array: h5py.Dataset, path: Path, walk: Walk) -> Tensor:
    elements = variable.split("/")
    last = elements[-1].split(":")[0]
    if len(elements) == 1:  # Keras 1: the name of the layer, an underscore, and that of the variable
        old = _NUMBER.sub("", elements[0].removeprefix(f"{layer}_"))
        elements = [layer, OLD.get(old, last)]
    else:
        elements = [*([] if layer in elements[:-1] else [layer]), *elements[:-1], last]
    name = names.plain("/".join(elements), path)
    above, part = names.split(name, "keras")
    return Tensor(name, above, part, tuple(array.shape), dtype_of(array) or "", walk.reader(array))


def _listed(group: Any, name: str, walk: Walk) -> list[str]:
    """A list of names in an attribute, or in several."""
    attributes = group.attrs
    pieces = [name] if name in attributes else []
    while f"{name}{len(pieces)}" in attributes and name not in attributes:
        pieces.append(f"{name}{len(pieces)}")
    found: list[str] = []
    for piece in pieces:
        values = numpy.asarray(attributes[piece]).ravel()
        if len(found) + len(values) > limits.WEIGHT_PARTS:
            raise walk.refused(f"more than {limits.WEIGHT_PARTS:,} parts")
        if any(not isinstance(value, bytes | str) for value in values):
            raise walk.refused(f"names in `{shown(piece)}` that are no text")
        found += [names.plain(walk.text(value), walk.path) for value in values]
    return found
