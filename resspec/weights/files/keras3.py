"""Files of Keras 3: `.keras`, and the `.weights.h5` in it.

A layer is a group, called after its class and a number; its variables are `vars/0`, `vars/1`, ..., and its
own name is an attribute of `vars`. Files of early versions have no names; a `.keras` file has them in its
configuration, which is read as data. Nothing in the file says what the variables are called: that follows
from the class, and where several of its variables are optional, from the configuration.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from resspec.weights.archive import Tensor
from resspec.weights.files import names
from resspec.weights.files.hdf5 import Array, Group, text
from resspec.weights.files.refusal import AGAIN, refused, shown

MEMBER = "model.weights.h5"
"""where the weights stand in a `.keras` file"""
CONFIG = "config.json"

Config = Mapping[str, Any]

_KERNEL = "kernel bias?use_bias"
_SEPARABLE = "depthwise_kernel pointwise_kernel bias?use_bias"
_CELL = "kernel recurrent_kernel bias?use_bias"
_AFFINE = "gamma?scale beta?center"
VARIABLES = {
    "additive_attention": "scale?use_scale",
    "attention": "scale?use_scale concat_score_weight?score_mode=concat",
    "batch_normalization": f"{_AFFINE} moving_mean moving_variance",
    **dict.fromkeys((f"conv{n}d{more}" for n in (1, 2, 3) for more in ("", "_transpose")), _KERNEL),
    "dense": _KERNEL,
    "depthwise_conv1d": _KERNEL,
    "depthwise_conv2d": _KERNEL,
    "einsum_dense": "kernel bias?bias_axes",
    "embedding": "embeddings",
    "group_normalization": _AFFINE,
    **dict.fromkeys(("gru_cell", "lstm_cell", "simple_rnn_cell", "conv_lstm_cell"), _CELL),
    "layer_normalization": _AFFINE,
    "normalization": "mean variance count",
    "p_re_lu": "alpha",
    "reversible_embedding": "embeddings reverse_embeddings?tie_weights=False",
    "rms_normalization": "scale",
    "separable_conv1d": _SEPARABLE,
    "separable_conv2d": _SEPARABLE,
    "spectral_normalization": "- vector_u",  # the first is the kernel of the layer inside, a second time
}
"""class -> its variables in Keras's order; `name?argument` is there if the argument is set, or equals what follows"""

INNER = {
    "query_dense": "query",
    "key_dense": "key",
    "gate_dense": "gate",
    "value_dense": "value",
    "output_dense": "attention_output",
    "forward_layer": "",
    "backward_layer": "",
    "cell": "",
}
"""attributes of Keras's own layers that hold layers, in the order of their variables, with the names that these bear"""

ALIASES = {"group_query_attention": "grouped_query_attention"}
"""classes that the configuration calls by another name than the groups"""
INNER_CLASS = {**dict.fromkeys((key for key in INNER if key.endswith("_dense")), "einsum_dense"), "cell": "lstm_cell"}
"""their classes where nothing else tells; all cells have the same variables"""

_STATE = re.compile("optimizer|_?loss(_tracker)?|_?metrics|_?compile_(loss|metrics)|_?seed_generator(_[0-9]+)?")
"""what a model holds besides its weights"""


def tensors(root: Group, path: Path, config: Config | None) -> list[Tensor]:
    """The weights in a file; `config` is the configuration in the `.keras` file around it."""
    reader = _Reader(path, config is not None)
    found = names.unique(reader.visit(root, _Place((), "", _always(config))), path)
    return names.shortened(found)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a group stands: what is known of the layer that it is before it is looked at."""

    above: tuple[str, ...]
    """names of the models and layers around it"""
    key: str
    """its name in the file, empty for the root"""
    config: Callable[[str | None], Config | None]
    """the configuration of the layer, by the name in the file if it has one"""
    listed: bool = False
    """whether it stands in a list of layers, where groups are called after classes"""
    name: str = ""
    """what the layer is called unless the file says otherwise"""


class _Reader:
    def __init__(self, path: Path, configured: bool) -> None:
        self.path, self.configured = path, configured

    def visit(self, group: Group, place: _Place) -> Iterator[Tensor]:
        """The variables of a model or layer, or of a list of them, and of all below it."""
        if not place.key or "vars" in group.parts or "layers" in group.parts:
            yield from self._layer(group, place)
        else:
            yield from self._list(group, place, None)

    def _layer(self, group: Group, place: _Place) -> Iterator[Tensor]:
        held = group.parts.get("vars")
        name = self._attribute(held)
        config = place.config(name)
        name = name or _text(_settings(config), "name") or place.name
        kind = snake(_text(config or {}, "class_name"))
        if not kind and place.listed:
            kind = re.sub("_[0-9]+$", "", place.key)
        kind = kind or INNER_CLASS.get(place.key.lstrip("_"), "")
        inside = (*place.above, name) if place.key else ()
        if isinstance(held, Group):
            owner = inside or (name or "model",)
            for part, array in self._variables(held, kind, _settings(config)):
                if not all(owner):
                    raise self._unnamed(group)
                yield self._tensor((*owner, part), array)
        for key, child in sorted(self._groups(group), key=lambda item: _rank(item[0])):
            deeper = _Place(inside, key, _always(_inner(key, kind, config)))
            if key in ("layers", "_layer_checkpoint_dependencies"):
                yield from self._list(child, deeper, config)
            elif key != "vars":
                usual = _cell(kind) if key == "cell" and kind else INNER.get(key.lstrip("_"), "")
                yield from self.visit(child, replace(deeper, name=usual))

    def _list(self, group: Group, place: _Place, config: Config | None) -> Iterator[Tensor]:
        """Layers in a list, each group called after a class and how many of it came before."""
        by_key, by_name = _listed(config)
        for key, child in self._groups(group):

            def found(name: str | None, key: str = key) -> Config | None:
                return by_key.get(key) if name is None else by_name.get(name)

            yield from self.visit(child, _Place(place.above, key, found, listed=True))

    def _groups(self, group: Group) -> Iterator[tuple[str, Group]]:
        """What is in a model, layer or list besides its own variables and what is no weight."""
        for key, child in group.parts.items():
            if isinstance(child, Array):
                raise refused(
                    f"`{shown(self.path)}` has an array that belongs to no layer: `{shown(child.path)}`", AGAIN
                )
            if not _STATE.fullmatch(key):
                yield key, child

    def _variables(self, held: Group, kind: str, given: Config) -> Iterator[tuple[str, Array]]:
        """The variables of one layer by what they are called, or by their positions where that is not known."""
        keys = sorted(held.parts, key=lambda key: int(key) if key.isdecimal() else -1)
        for key, name in zip(keys, _called(kind, given, len(keys)) or keys, strict=True):
            array = held.parts[key]
            if isinstance(array, Group):
                raise refused(f"`{shown(self.path)}` has a group where an array is due: `{shown(array.path)}`", AGAIN)
            if name != "-":
                yield name, array

    def _attribute(self, held: Group | Array | None) -> str | None:
        """The name of a layer as the file tells it."""
        if not isinstance(held, Group) or "name" not in held.said:
            return None
        words = held.said["name"]
        if words is None or len(words) != 1:
            raise refused(f"`{shown(self.path)}` has a name that is no text: that of `{shown(held.path)}`", AGAIN)
        return names.plain(text(words[0], self.path), self.path)

    def _unnamed(self, group: Group) -> Exception:
        return refused(
            f"`{shown(self.path)}` does not say what its layers are called, such as `{shown(group.path)}`",
            "load it where its classes are defined, and save it again with Keras 3.6 or newer"
            if self.configured
            else "use the `.keras` file of the model, or load it with Keras and save it again, 3.6 or newer",
            code="weights-unnamed",
        )

    def _tensor(self, parts: tuple[str, ...], array: Array) -> Tensor:
        name = names.plain("/".join(parts), self.path)
        return Tensor(name, *names.split(name, "keras"), array.shape, array.dtype, array.read)


def _rank(key: str) -> int:
    order = [*INNER]
    return order.index(key.lstrip("_")) if key.lstrip("_") in INNER else len(order)


def _cell(kind: str) -> str:
    """The cell of a recurrence, which has the same name as its class: `lstm_cell`, `conv_lstm_cell`."""
    return re.sub("[123]d$", "", kind) + "_cell"


def snake(name: str) -> str:
    """The name of a class as Keras writes it into files."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


# -- the configuration, which is any JSON at all ---------------------------------------------------


def _always(config: Config | None) -> Callable[[str | None], Config | None]:
    return lambda name: config


def _settings(config: Config | None) -> Config:
    """The arguments of a layer."""
    found = (config or {}).get("config")
    return found if isinstance(found, dict) else {}


def _text(config: Config, key: str) -> str:
    found = config.get(key)
    return found if isinstance(found, str) else ""


def _listed(config: Config | None) -> tuple[dict[str, Config], dict[str, Config]]:
    """The layers of a model by their groups in the file, and by name."""
    by_key: dict[str, Config] = {}
    by_name: dict[str, Config] = {}
    count: Counter[str] = Counter()
    layers = _settings(config).get("layers")
    for layer in layers if isinstance(layers, list) else ():
        if isinstance(layer, dict) and not _text(layer, "module").startswith(("keras.ops", "keras.src.ops")):
            kind = snake(_text(layer, "class_name"))
            kind = ALIASES.get(kind, kind)
            by_key[f"{kind}_{count[kind]}" if count[kind] else kind] = layer
            by_name.setdefault(_text(_settings(layer), "name"), layer)
            count[kind] += 1
    return by_key, by_name


def reads(config: Config) -> dict[str, list[str]]:
    """Layer -> the layers whose outputs it reads, in order, of a functional model."""
    layers = _settings(config).get("layers")
    return {
        _text(_settings(layer), "name"): list(dict.fromkeys(_histories(layer.get("inbound_nodes"))))
        for layer in (layers if isinstance(layers, list) else ())
        if isinstance(layer, dict)
    }


def _histories(given: Any) -> Iterator[str]:
    """The layers that made the tensors in the arguments of a call."""
    ahead = [given]
    while ahead:
        one = ahead.pop()
        if isinstance(one, dict):
            history = one.get("keras_history")
            if isinstance(history, list) and history and isinstance(history[0], str):
                yield history[0]
            ahead.extend(reversed(one.values()))
        elif isinstance(one, list):
            ahead.extend(reversed(one))


def _inner(key: str, kind: str, config: Config | None) -> Config | None:
    """The configuration of the layer that another one holds as its attribute `key`."""
    given = _settings(config)
    if key in ("forward_layer", "backward_layer", "layer", "cell"):
        found = given.get(key) or given.get("layer")
        if isinstance(found, dict):
            return found
    if key == "cell" and config:
        return {"class_name": _cell(kind), "config": {**given, "name": _cell(kind)}}
    return None


def _called(kind: str, given: Config, count: int) -> list[str] | None:
    """What the `count` variables of a layer are called, or None where that cannot be told."""
    entries = [entry.partition("?") for entry in VARIABLES.get(kind, "").split()]
    choices: list[tuple[bool, ...]] = []
    for _, optional, condition in entries:
        argument, _, wanted = condition.partition("=")
        if not optional:
            choices.append((True,))
        elif argument in given:
            value = given[argument]
            choices.append((str(value) == wanted if wanted else bool(value),))
        else:
            choices.append((True, False))
    fitting = [taken for taken in itertools.product(*choices) if sum(taken) == count]
    if len(fitting) != 1:
        return None
    return [name for (name, _, _), taken in zip(entries, fitting[0], strict=True) if taken]
