"""Values and gradients of a model, on every backend of Keras. Imports Keras."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras

Tensor = Any


class Derivative(NamedTuple):
    """A scalar of a model's outputs, the outputs themselves, and the scalar's gradients; tensors of the backend."""

    value: Tensor
    outputs: Any
    inputs: list[Tensor]
    """by each input, in the order of the model's inputs"""
    weights: list[Tensor]
    """by each of `model.trainable_variables`; None for one that nothing depends on. Empty if not asked for"""


def differentiate(
    model: keras.Model,
    inputs: Sequence[Any],
    scalar: Callable[[Any], Tensor],
    *,
    weights: bool = False,
    training: bool = False,
) -> Derivative:
    """`scalar(model(inputs))` and its gradients by the inputs, and by the weights if they are asked for.

    `inputs` are arrays in the order of the model's; gradients by internal tensors are those by inputs
    that are added there (`surgery.offset`).
    """
    return _BACKENDS[keras.backend.backend()](model, list(inputs), scalar, weights, training)


def _tensorflow(model: Any, inputs: list[Any], scalar: Any, weights: bool, training: bool) -> Derivative:
    import tensorflow as tf

    tensors = [tf.convert_to_tensor(x) for x in inputs]
    real = [x for x in tensors if x.dtype.is_floating]
    chosen = [variable.value for variable in model.trainable_variables] if weights else []
    with tf.GradientTape() as tape:
        tape.watch(real)
        outputs = model(_entry(tensors), training=training)
        value = scalar(outputs)
    found = tape.gradient(value, [*real, *chosen], unconnected_gradients="zero")
    by_input = iter(found[: len(real)])
    return Derivative(
        value, outputs, [next(by_input) if x.dtype.is_floating else None for x in tensors], found[len(real) :]
    )


def _jax(model: Any, inputs: list[Any], scalar: Any, weights: bool, training: bool) -> Derivative:
    import jax
    import jax.numpy as jnp

    tensors = [jnp.asarray(x) for x in inputs]
    is_real = [bool(jnp.issubdtype(x.dtype, jnp.floating)) for x in tensors]
    trainable = [variable.value for variable in model.trainable_variables]
    fixed = [variable.value for variable in model.non_trainable_variables]

    def of(real: list[Any], chosen: list[Any]) -> Any:
        reals = iter(real)
        fed = [next(reals) if yes else x for yes, x in zip(is_real, tensors)]
        outputs, _ = model.stateless_call(chosen, fixed, _entry(fed), training=training)
        return scalar(outputs), outputs

    real = [x for yes, x in zip(is_real, tensors) if yes]
    which = (0, 1) if weights else (0,)
    (value, outputs), found = jax.value_and_grad(of, argnums=which, has_aux=True)(real, trainable)
    by_input = iter(found[0])
    return Derivative(
        value, outputs, [next(by_input) if yes else None for yes in is_real], list(found[1]) if weights else []
    )


def _torch(model: Any, inputs: list[Any], scalar: Any, weights: bool, training: bool) -> Derivative:
    import torch

    tensors = [keras.ops.convert_to_tensor(x) for x in inputs]
    real = [x.requires_grad_() for x in tensors if x.is_floating_point()]
    chosen = [variable.value for variable in model.trainable_variables] if weights else []
    outputs = model(_entry(tensors), training=training)
    value = scalar(outputs)
    found = torch.autograd.grad(value, [*real, *chosen], allow_unused=True, materialize_grads=True)
    by_input = iter(found[: len(real)])
    return Derivative(
        value, outputs, [next(by_input) if x.is_floating_point() else None for x in tensors], list(found[len(real) :])
    )


def _entry(tensors: list[Any]) -> Any:
    return tensors[0] if len(tensors) == 1 else tensors


_BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
