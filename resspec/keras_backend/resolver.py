"""Asks Keras for the shape and the weights of a layer that has no op of its own."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

import keras

from resspec.ops.base import OpError, Weight
from resspec.ops.foreign import ALLOWED, Resolved
from resspec.sizes import Size
from resspec.tensor import TensorSpec

PROBES = (61, 64, 67, 96)
"""numbers that stand in for unknown sizes; an axis that follows at all of them is the input's"""


def resolve(class_name: str, arguments: Mapping[str, Any], inputs: tuple[TensorSpec, ...]) -> Resolved:
    """Shapes and weights of `keras.layers.<class_name>(**arguments)`; `OpError` in Keras's words where it refuses.

    The layer is built on symbolic inputs, and what comes out is read off.
    """
    if class_name not in ALLOWED:
        raise OpError(f"`keras.{class_name}` cannot be used", code="unknown-op")
    try:
        return (_known if all(x.known for x in inputs) else _followed)(class_name, arguments, inputs)
    except OpError:
        raise
    except Exception as error:  # whatever Keras raises here is about the arguments or the input
        raise OpError(f"Keras refuses `keras.{class_name}`: {first_sentence(error)}", code="keras-refused") from None


def plain_arguments(kind: type, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments for `kind(...)`: named things with settings made, channels last where there is a choice."""
    found = dict(arguments)
    for name, value in found.items():
        module = next((m for end, m in _NAMED.items() if name.endswith(end)), None)
        if module is not None and isinstance(value, dict) and "name" in value:
            settings = {key: setting for key, setting in value.items() if key != "name"}
            found[name] = type(module.get(value["name"]))(**settings)
    if "data_format" in inspect.signature(kind.__init__).parameters:  # type: ignore[misc]
        found["data_format"] = "channels_last"
    return found


_NAMED: Mapping[str, Any] = {
    "_initializer": keras.initializers,
    "_regularizer": keras.regularizers,
    "_constraint": keras.constraints,
}


def _known(class_name: str, arguments: Mapping[str, Any], inputs: tuple[TensorSpec, ...]) -> Resolved:
    kind = getattr(keras.layers, class_name)
    layer = kind(**plain_arguments(kind, arguments))
    tensors = [keras.KerasTensor((None, *x.shape), dtype=x.dtype) for x in inputs]
    found = layer(tensors if len(tensors) > 1 else tensors[0])
    trainable = {id(variable) for variable in layer.trainable_weights}
    outputs = found if isinstance(found, list | tuple) else [found]
    for tensor in outputs:
        if None in tensor.shape[1:]:
            raise OpError(f"Keras does not know the shape that `keras.{class_name}` gives", code="unknown-size")
    return Resolved(
        tuple(TensorSpec(tuple(tensor.shape[1:]), keras.backend.standardize_dtype(tensor.dtype)) for tensor in outputs),
        tuple(
            Weight(
                variable.path.split(f"{layer.name}/", 1)[-1],
                tuple(variable.shape),
                id(variable) in trainable,
                keras.backend.standardize_dtype(variable.dtype),
            )
            for variable in layer.weights
        ),
    )


def _followed(class_name: str, arguments: Mapping[str, Any], inputs: tuple[TensorSpec, ...]) -> Resolved:
    """The same with unknown sizes: numbers stand in for them, and those that come out unchanged are theirs."""
    unknown: list[Size] = []
    for x in inputs:
        unknown.extend(size for size in x.shape if not isinstance(size, int) and size not in unknown)
    answers = []
    for probe in PROBES:
        numbers = {str(size): probe + 10 * k for k, size in enumerate(unknown)}
        stand_ins = tuple(
            x.with_shape(*(size if isinstance(size, int) else numbers[str(size)] for size in x.shape)) for x in inputs
        )
        answers.append((numbers, _known(class_name, arguments, stand_ins)))
    first = answers[0][1]
    if any(answer.weights != first.weights for _, answer in answers):
        raise OpError(
            f"the weights of `keras.{class_name}` depend on a size that is unknown",
            code="unknown-size",
            operand=0,
            help="give the input numbers along this axis",
        )
    outputs = []
    for k, spec in enumerate(first.outputs):
        shape: list[Size] = []
        for axis, size in enumerate(spec.shape):
            seen = [answer.outputs[k].shape[axis] for _, answer in answers]
            names = [s for s in unknown if all(numbers[str(s)] == n for (numbers, _), n in zip(answers, seen))]
            if len(set(seen)) > 1 and not names:
                raise OpError(
                    f"axis {axis} of `keras.{class_name}` depends on an unknown size in a way that is not followed",
                    code="unknown-size",
                    operand=0,
                    help="give the input numbers along this axis, or use an op of the language",
                )
            shape.append(names[0] if names else size)
        outputs.append(TensorSpec(tuple(shape), spec.dtype))
    return Resolved(tuple(outputs), first.weights)


def first_sentence(error: Exception) -> str:
    """Keras's message up to its first full stop, on one line."""
    text = " ".join(str(error).split())
    return re.split(r"(?<=[a-z`'\")\]])\. |\. Received", text, maxsplit=1)[0].rstrip(".")[:300] or type(error).__name__
