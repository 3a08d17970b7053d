"""Recurrence in Keras."""

from __future__ import annotations

from typing import Any

import keras

from resspec.keras_backend.lower.weights import reseeded, weight_arguments
from resspec.keras_backend.site import Lowering, Site, Table
from resspec.ops import recurrent as rec
from resspec.ops.base import per_axis

CLASSES = {"lstm": "LSTM", "gru": "GRU", "simple_rnn": "SimpleRNN"}
SHARED = ("activation", "use_bias", "dropout", "recurrent_dropout", "return_sequences", "return_state")


def common(site: Site, op: Any, *arguments: str) -> dict[str, Any]:
    return {
        **{name: getattr(op, name) for name in (*SHARED, *arguments)},
        **weight_arguments(site, op, "kernel", "recurrent", "bias"),
        "seed": site.seed("noise", op.seed),
    }


def results(op: Any, found: Any) -> Any:
    return tuple(found) if op.return_state else found


def cell(*arguments: str) -> Lowering:
    def rule(site: Site, op: rec.Cell, x: Any, *first: Any) -> Any:
        layer = site.layer(
            getattr(keras.layers, CLASSES[op.kind]),
            **common(site, op, "units", "unroll", "go_backwards", *arguments),
            activity_regularizer=site.regularizer(op.activity_regularizer),
        )
        return results(op, layer(x, initial_state=list(first)) if first else layer(x))

    return Lowering(rule, "last")


def bidirectional(site: Site, op: rec.Bidirectional, x: Any) -> Any:
    more = {"lstm": ("recurrent_activation",), "gru": ("recurrent_activation", "reset_after"), "simple_rnn": ()}
    arguments = common(site, op, "units", *more[op.layer])
    if site.dtype is not None:
        arguments["dtype"] = site.dtype
    inner = getattr(keras.layers, CLASSES[op.layer])(name=op.layer, **arguments)
    layer = site.layer(keras.layers.Bidirectional, layer=inner, merge_mode=op.merge_mode)
    found = layer(x)
    reseeded(site, layer, kernel=op.kernel_initializer, recurrent_kernel=op.recurrent_initializer)
    return results(op, found)


def conv_lstm(site: Site, op: rec.ConvLSTM, x: Any) -> Any:
    rank = site.rank - 1
    names = ("kernel_size", "strides", "dilation_rate")
    windows: dict[str, Any] = {name: per_axis(getattr(op, name), rank, name) for name in names}
    layer = site.layer(
        getattr(keras.layers, f"ConvLSTM{rank}D"),
        **windows,
        **common(site, op, "filters", "padding", "go_backwards", "recurrent_activation", "unit_forget_bias"),
        activity_regularizer=site.regularizer(op.activity_regularizer),
        data_format="channels_last",
    )
    return results(op, layer(x))


RECURRENT: Table = {
    rec.LSTM: cell("recurrent_activation", "unit_forget_bias"),
    rec.GRU: cell("recurrent_activation", "reset_after"),
    rec.SimpleRNN: cell(),
    rec.Bidirectional: Lowering(bidirectional, "last"),
    rec.ConvLSTM: Lowering(conv_lstm, "last"),
}
