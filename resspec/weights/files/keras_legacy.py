"""The older HDF5 form of Keras, of `model.save("x.h5")`: layers and variables are listed in attributes.

The root, or the group `model_weights`, lists its layers in `layer_names`, each of them its variables in
`weight_names`; long lists are cut into `layer_names0`, `layer_names1`, ... The configuration of the model,
another attribute, is not read.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

from resspec.weights.archive import Tensor
from resspec.weights.files import names
from resspec.weights.files.hdf5 import Array, Group, arrays, text
from resspec.weights.files.refusal import AGAIN, refused, shown

OLD = {"W": "kernel", "b": "bias"}
"""what Keras 1 called the variables of a layer, in files such as those of VGG16"""
_NUMBER = re.compile(r"(?:_[0-9]+)?(?::[0-9]+)?")
_STATE = re.compile("seed_generator_state|random_seed_generator|rng_state")


def home(root: Group) -> Group | None:
    """The group that lists the layers, or None if the file is of another form."""
    for group in (root, root.parts.get("model_weights")):
        if isinstance(group, Group) and group.said.keys() & {"layer_names", "layer_names0"}:
            return group
    return None


def tensors(group: Group, path: Path) -> list[Tensor]:
    """The weights that the layers in `group` list."""
    layers = _listed(group, "layer_names", path)
    found = []
    for layer in [*layers, "top_level_model_weights"]:
        held = group.parts.get(layer)
        if not isinstance(held, Group):
            if layer in layers:
                raise refused(f"`{shown(path)}` lists the layer `{shown(layer)}`, but does not hold it", AGAIN)
            continue
        inside = arrays(held)
        for name in _listed(held, "weight_names", path):
            array = inside.pop(name, None)
            if array is None:
                raise refused(f"`{shown(path)}` lists `{shown(name)}` once more than it holds it", AGAIN)
            if not _STATE.search(name):
                found.append(_tensor(layer, name, array, path))
    return names.shortened(names.unique(found, path))


def _tensor(layer: str, variable: str, array: Array, path: Path) -> Tensor:
    elements = variable.split("/")
    last = elements[-1].split(":")[0]
    if len(elements) == 1:  # Keras 1: the name of the layer, an underscore, and that of the variable
        old = _NUMBER.sub("", elements[0].removeprefix(f"{layer}_"))
        elements = [layer, OLD.get(old, last)]
    else:
        elements = [*([] if layer in elements[:-1] else [layer]), *elements[:-1], last]
    name = names.plain("/".join(elements), path)
    return Tensor(name, *names.split(name, "keras"), array.shape, array.dtype, array.read)


def _listed(group: Group, name: str, path: Path) -> list[str]:
    """A list of names in an attribute, or in several."""
    pieces = itertools.takewhile(group.said.__contains__, (f"{name}{number}" for number in itertools.count()))
    found: list[str] = []
    for piece in [name] if name in group.said else pieces:
        words = group.said[piece]
        if words is None:
            raise refused(f"`{shown(path)}` has names in `{shown(piece)}` that are no text", AGAIN)
        found += [names.plain(text(word, path), path) for word in words]
    return found
