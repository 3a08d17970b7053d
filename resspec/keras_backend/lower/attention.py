"""Attention in Keras."""

from __future__ import annotations

from typing import Any

import keras

from resspec.keras_backend.lower.weights import reseeded, weight_arguments
from resspec.keras_backend.site import Lowering, Site, Table
from resspec.ops import attention as att


def flags(op: att.AttentionBase) -> dict[str, bool]:
    """Call arguments, those alone that are set."""
    names = ("use_causal_mask", "return_attention_scores")
    return {name: True for name in names if getattr(op, name)}


def unprojected(name: str, *arguments: str) -> Lowering:
    def rule(site: Site, op: att.DotAttention, *inputs: Any) -> Any:
        given = {argument: getattr(op, argument) for argument in ("use_scale", "dropout", *arguments)}
        layer = site.layer(getattr(keras.layers, name), **given, seed=site.seed("noise", op.seed))
        operands = list(inputs) if len(inputs) > 1 else [inputs[0], inputs[0]]
        result = layer(operands, **flags(op))
        # the one weight that is not a scalar; Keras offers no argument for its first value
        reseeded(site, layer, scale="glorot_uniform" if isinstance(op, att.AdditiveAttention) else "ones")
        return result

    return Lowering(rule, "last")


def projected(name: str, *arguments: str) -> Lowering:
    def rule(site: Site, op: att.ProjectedAttention, *inputs: Any) -> Any:
        layer = site.layer(
            getattr(keras.layers, name),
            **{argument: getattr(op, argument) for argument in ("use_bias", "dropout", *arguments)},
            **weight_arguments(site, op, "kernel", "bias"),
            activity_regularizer=site.regularizer(op.activity_regularizer),
            seed=site.seed("noise", op.seed),
        )
        query, *rest = inputs
        operands, (_, _, key_dim, value_dim) = (query, *(rest or [query])), op.heads()
        if key_dim == value_dim or op.return_attention_scores:
            result = layer(*operands, **flags(op))
        else:
            # JAX's fused kernel wants both alike and fails when it runs; asking for the scores avoids it
            result, _ = layer(*operands, **{**flags(op), "return_attention_scores": True})
        reseeded(site, layer, kernel=op.kernel_initializer, bias=op.bias_initializer)
        return result

    return Lowering(rule, "last")


ATTENTION: Table = {
    att.Attention: unprojected("Attention", "score_mode"),
    att.AdditiveAttention: unprojected("AdditiveAttention"),
    att.MultiHeadAttention: projected("MultiHeadAttention", "num_heads", "key_dim", "value_dim", "output_shape"),
    att.GroupedQueryAttention: projected("GroupQueryAttention", "head_dim", "num_query_heads", "num_key_value_heads"),
}
