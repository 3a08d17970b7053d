"""`keras.<Class>` in Keras: the layer itself, with the spec's arguments."""

from __future__ import annotations

import inspect
from typing import Any

import keras

from resspec.keras_backend.resolver import plain_arguments
from resspec.keras_backend.site import Lowering, Site, Table
from resspec.ops.foreign import KerasLayer


def foreign(site: Site, op: KerasLayer, *inputs: Any) -> Any:
    kind = getattr(keras.layers, op.class_name)
    takes = inspect.signature(kind.__init__).parameters
    arguments = plain_arguments(kind, op.plain)
    if "seed" in takes and arguments.get("seed") is None:
        arguments["seed"] = site.seed("noise")
    for name, parameter in takes.items():
        if name.endswith("_initializer"):
            value = keras.initializers.get(arguments.get(name, parameter.default))
            if isinstance(value, keras.Initializer) and getattr(value, "seed", 0) is None:
                config = {**value.get_config(), "seed": site.seed(name.removesuffix("_initializer"))}
                arguments[name] = type(value).from_config(config)
    layer = site.layer(kind, **arguments)
    found = layer(list(inputs) if len(inputs) > 1 else inputs[0])
    return tuple(found) if isinstance(found, list | tuple) else found


FOREIGN: Table = {KerasLayer: Lowering(foreign, "last")}
