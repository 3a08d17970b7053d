"""What a lowering rule is given: the place where layers of one node are made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import keras
from pydantic import BaseModel

from resspec.ops.base import Op
from resspec.tensor import TensorSpec

Layout = Literal["any", "spatial", "last"]
"""`any`: elementwise, works however channels lie; `spatial`: the rule honours `site.data_format`;
`last`: needs channels last, the compiler permutes around it"""


@dataclass(slots=True)
class Build:
    """What is the same for all nodes of one build."""

    data_format: Literal["channels_last", "channels_first"] = "channels_last"
    seed: int = 0
    layers: dict[str, keras.layers.Layer] = field(default_factory=dict)
    """layers made so far by name; a shared node finds its owner's here"""
    derived: set[int] = field(default_factory=set)
    """seeds of initializers that no spec wrote: weights with one of these are told apart by their path"""


@dataclass(slots=True)
class Site:
    """One node being lowered. `name` is the Keras name of its layer, the owner's where weights are shared."""

    build: Build
    name: str
    path: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    trainable: bool = True
    dtype: Any = None
    """dtype policy of the layers, None for the global one"""
    own: str = ""
    """the node's own Keras name, where it differs from `name` because the weights are another's"""
    shared: bool = False
    """whether several nodes use this layer: then nothing in it may depend on this node's sizes alone"""

    @property
    def data_format(self) -> str:
        return self.build.data_format

    @property
    def rank(self) -> int:
        """Number of spatial axes of the first input."""
        return len(self.inputs[0].shape) - 1

    @property
    def channel_axis(self) -> int:
        """Axis of the channels in a batched tensor under `data_format`."""
        return -1 if self.data_format == "channels_last" or len(self.inputs[0].shape) < 2 else 1

    def layer(self, kind: type, suffix: str = "", **arguments: Any) -> Any:
        """The layer `kind(**arguments)` under this node's name, or the owner's where it is shared.

        `suffix` names helper layers (`stem-pad`); the hyphen cannot occur in a name of a spec.
        """
        name = f"{self.name}-{suffix}" if suffix else self.name
        found = self.build.layers.get(name)
        if found is None:
            if self.dtype is not None:
                arguments.setdefault("dtype", self.dtype)
            found = self.build.layers[name] = kind(name=name, **arguments)
            if not self.trainable:
                found.trainable = False
        return found

    def nd(self, name: str, suffix: str = "", **arguments: Any) -> Any:
        """`layer` for a class that Keras has once per rank: `nd("Conv")` is `Conv2D` on an image."""
        return self.layer(getattr(keras.layers, f"{name}{self.rank}D"), suffix, **arguments)

    def operation(self, function: Callable[..., Any], *arguments: Any, suffix: str = "", **named: Any) -> Any:
        """A `keras.ops` function applied in the graph, bearing this node's name so that builds are alike."""
        result = function(*arguments, **named)
        first = result[0] if isinstance(result, (list, tuple)) else result
        history = getattr(first, "_keras_history", None)
        if history is not None and not isinstance(history.operation, keras.layers.Layer):
            name = self.own or self.name
            history.operation.name = f"{name}-{suffix}" if suffix else name
        return result

    def initializer(self, weight: str, value: Any) -> Any:
        """A Keras initializer whose seed depends on the build's seed and the weight's path."""
        config = value.model_dump(exclude_none=True) if isinstance(value, BaseModel) else {"name": value}
        kind = _kind(keras.initializers, config.pop("name"))
        if "seed" not in config and kind not in _SEEDLESS:
            config["seed"] = self.seed(weight)
            self.build.derived.add(config["seed"])
        return kind(**config)

    def seed(self, what: str, given: int | None = None) -> int:
        """A seed that depends on the build's seed, this node's path and what it is for; `given` where there is one."""
        if given is not None:
            return given
        digest = hashlib.sha256(f"{self.build.seed}/{self.path}/{what}".encode()).digest()
        return int.from_bytes(digest[:4], "little") >> 1

    def regularizer(self, value: Any) -> Any:
        return _named(keras.regularizers, value)

    def constraint(self, value: Any) -> Any:
        return _named(keras.constraints, value)


_SEEDLESS = (
    keras.initializers.Zeros,
    keras.initializers.Ones,
    keras.initializers.Constant,
    keras.initializers.Identity,
)


def _named(module: Any, value: Any) -> Any:
    if value is None:
        return None
    config = value.model_dump(exclude_none=True) if isinstance(value, BaseModel) else {"name": value}
    return _kind(module, config.pop("name"))(**config)


def _kind(module: Any, name: str) -> Any:
    """The class of a name in snake case: `l1_l2` is `L1L2`, which Keras's own `get` does not know."""
    return getattr(module, "".join(part.capitalize() for part in name.split("_")))


class Lowering(NamedTuple):
    """How one op becomes Keras layers: `(site, op, *tensors) -> tensor or tuple of tensors`."""

    rule: Callable[..., Any]
    layout: Layout


Table = Mapping[type[Op], Lowering]
