"""Where the weights of an op stand in a file: names of arrays within a layer, and how they lie. One rule an op."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from resspec.ops.activation import Prelu
from resspec.ops.attention import GroupedQueryAttention, MultiHeadAttention
from resspec.ops.base import Op, Weight
from resspec.ops.conv import Conv, ConvTranspose, DepthwiseConv, SeparableConv
from resspec.ops.dense import Dense, Embedding
from resspec.ops.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RmsNorm
from resspec.ops.parameter import LayerScale, Parameter, PositionEmbedding
from resspec.ops.recurrent import GRU, LSTM, Bidirectional, SimpleRNN
from resspec.weights import layout
from resspec.weights.layout import Layout, Order, Shape
from resspec.weights.vectors import Vectors

Dialect = Literal["keras", "torch"]


@dataclass(frozen=True, slots=True)
class Piece:
    """One weight of ours, and the arrays that it is made of: (role, name within the layer of that role).

    Several arrays are added, or stacked where `stack`. `doubt` says why nobody can tell how the weight lies there.
    """

    weight: Weight
    arrays: tuple[tuple[str, str], ...]
    layout: Layout
    stack: bool = False
    doubt: str | None = None


Pieces = tuple[Piece, ...]

DOUBT = (
    "nobody can tell in which order the file has what is laid flat here; `channels: first` or `last` in the map says it"
)

WHOLE = (Parameter, PositionEmbedding, LayerScale)
"""ops with one weight, which files hold as an array without a layer, or in a layer under any name"""


def alternatives(
    vectors: Vectors, index: int, weights: Sequence[Weight], dialect: Dialect, transposed: bool = False
) -> list[Pieces]:
    """The ways in which a file may hold the weights of a node of the graph of `vectors`, the usual one first.

    Where matrices are `transposed`, those of a dense layer or of attention in PyTorch lie there as (in, out).
    """
    op = vectors.graph.nodes[index].op
    if isinstance(op, LayerScale) and dialect == "torch":
        return [tuple(_along(weight, ("", ""), vectors.leaving(index)) for weight in weights)]
    if isinstance(op, WHOLE):
        return [tuple(Piece(weight, (("", ""),), layout.same(weight.shape)) for weight in weights)]
    if dialect == "torch":
        rule = TORCH.get(type(op))
        if rule is not None:
            found = rule(vectors, index, {weight.name: weight for weight in weights})
            if transposed and isinstance(op, Dense | MultiHeadAttention | GroupedQueryAttention):
                found = [tuple(replace(one, layout=layout.transposed(one.layout)) for one in way) for way in found]
            return found
    if isinstance(op, SeparableConv):
        return [_plain(weights), *_separate(weights)]
    if isinstance(op, BatchNorm):  # as which Keras's layer `Normalization` may be read
        return [_plain(weights), _plain(weights, {"moving_mean": "mean", "moving_variance": "variance"})]
    if isinstance(op, DepthwiseConv):  # whose kernel Keras 2 called so
        return [_plain(weights), _plain(weights, {"kernel": "depthwise_kernel"})]
    return [_plain(weights)]


def _plain(weights: Sequence[Weight], names: Mapping[str, str] = MappingProxyType({})) -> Pieces:
    """One layer with our names, but for those of `names`."""
    return tuple(
        Piece(weight, (("", names.get(weight.name, weight.name)),), layout.same(weight.shape)) for weight in weights
    )


def _separate(weights: Sequence[Weight]) -> list[Pieces]:
    """A separable convolution as two layers of Keras."""
    names = {
        "depthwise_kernel": [("depthwise", "kernel"), ("depthwise", "depthwise_kernel")],
        "pointwise_kernel": [("pointwise", "kernel")],
        "bias": [("pointwise", "bias")],
    }
    return [
        tuple(Piece(weight, (names[weight.name][min(k, len(names[weight.name]) - 1)],), layout.same(weight.shape))
              for weight in weights)
        for k in range(2)
    ]  # fmt: skip


# --- PyTorch --------------------------------------------------------------------------------------

Named = dict[str, Weight]
Rule = Callable[[Vectors, int, Named], list[Pieces]]
How = Callable[[Shape], Layout]


def _layer(names: dict[str, tuple[str, How]]) -> Rule:
    """A layer with one array for each weight: our name -> theirs, and how it lies."""

    def rule(vectors: Vectors, index: int, weights: Named) -> list[Pieces]:
        return [
            tuple(
                Piece(weight, (("", names[name][0]),), names[name][1](weight.shape)) for name, weight in weights.items()
            )
        ]

    return rule


_NORM = {
    "gamma": "weight", "beta": "bias", "scale": "weight",
    "moving_mean": "running_mean", "moving_variance": "running_var",
}  # fmt: skip


def _along(weight: Weight, array: tuple[str, str], order: Order | None) -> Piece:
    """A weight with a number for each element of a vector."""
    how = layout.same(weight.shape) if order is None else layout.vector(weight.shape, order)
    return Piece(weight, (array,), how, doubt=DOUBT if order is None else None)


def _elements(names: dict[str, str]) -> Rule:
    """A layer whose weights all have a number for each channel: our name -> theirs."""

    def rule(vectors: Vectors, index: int, weights: Named) -> list[Pieces]:
        order = vectors.leaving(index)
        return [tuple(_along(weight, ("", names[name]), order) for name, weight in weights.items())]

    return rule


def _dense(vectors: Vectors, index: int, weights: Named) -> list[Pieces]:
    entering, leaving, kernel = vectors.entering(index), vectors.leaving(index), weights["kernel"]
    doubt = DOUBT if entering is None or leaving is None else None
    how = layout.matrix(kernel.shape, entering or (), leaving or ())
    found = [Piece(kernel, (("", "weight"),), how, doubt=doubt)]
    if "bias" in weights:
        found.append(_along(weights["bias"], ("", "bias"), leaving))
    return [tuple(found)]


def _separable(vectors: Vectors, index: int, weights: Named) -> list[Pieces]:
    how: dict[str, tuple[tuple[str, str], How]] = {
        "depthwise_kernel": (("depthwise", "weight"), layout.depthwise),
        "pointwise_kernel": (("pointwise", "weight"), layout.kernel),
        "bias": (("pointwise", "bias"), layout.same),
    }
    return [tuple(Piece(one, (how[name][0],), how[name][1](one.shape)) for name, one in weights.items())]


def _attention(vectors: Vectors, index: int, weights: Named) -> list[Pieces]:
    """As `nn.MultiheadAttention`, as timm's `qkv` and `proj`, or with a layer for each of query, key and value."""
    parts = {"query": 0, "key": 1, "value": 2}

    def joint(names: dict[str, tuple[str, str]], out: tuple[str, str]) -> Pieces:
        found = []
        for name, weight in weights.items():
            role, _, kind = name.partition("/")
            theirs = {"kernel": "weight", "bias": "bias"}[kind]
            if role in parts:
                where = (names[theirs],)
                found.append(Piece(weight, where, layout.projection(weight.shape, parts[role], 3)))
            else:
                how = layout.joined(weight.shape) if kind == "kernel" else layout.same(weight.shape)
                found.append(Piece(weight, ((out[0], f"{out[1]}{theirs}"),), how))
        return tuple(found)

    def apart() -> Pieces:
        found = []
        for name, weight in weights.items():
            role, _, kind = name.partition("/")
            theirs = {"kernel": "weight", "bias": "bias"}[kind]
            if role in parts:
                how = layout.projection(weight.shape)
            else:
                how = layout.joined(weight.shape) if kind == "kernel" else layout.same(weight.shape)
            found.append(Piece(weight, ((role if role in parts else "out", theirs),), how))
        return tuple(found)

    own = {"weight": ("", "in_proj_weight"), "bias": ("", "in_proj_bias")}
    timm = {"weight": ("", "qkv.weight"), "bias": ("", "qkv.bias")}
    layers = {"weight": ("qkv", "weight"), "bias": ("qkv", "bias")}
    if isinstance(vectors.graph.nodes[index].op, GroupedQueryAttention):
        return [apart()]
    return [joint(own, ("", "out_proj.")), joint(timm, ("", "proj.")), joint(layers, ("out", "")), apart()]


_GATES = {LSTM: (0, 1, 2, 3), GRU: (1, 0, 2), SimpleRNN: (0,)}
"""where each of Keras's gates stands in PyTorch: i f g o alike; Keras has z r h, PyTorch r z n"""


BEFORE = "a GRU of PyTorch resets behind the product, this one in front of it: `reset_after: true` is PyTorch's"


def _recurrent(vectors: Vectors, index: int, weights: Named) -> list[Pieces]:
    op = vectors.graph.nodes[index].op
    if isinstance(op, Bidirectional):
        order = {"lstm": _GATES[LSTM], "gru": _GATES[GRU], "simple_rnn": _GATES[SimpleRNN]}[op.layer]
    else:
        order = _GATES[type(op)]
    gru = isinstance(op, GRU) or (isinstance(op, Bidirectional) and op.layer == "gru")
    doubt = BEFORE if gru and not getattr(op, "reset_after", True) else None
    found = []
    for name, weight in weights.items():
        end = "_l0_reverse" if name.startswith("backward") else "_l0"
        kind = name.rpartition("/")[2]
        if kind == "bias":
            both = (("", f"bias_ih{end}"), ("", f"bias_hh{end}"))
            stack = len(weight.shape) == 2
            found.append(Piece(weight, both, layout.gates(weight.shape[-1:], order), stack, doubt))
        else:
            theirs = {"kernel": "weight_ih", "recurrent_kernel": "weight_hh"}[kind]
            found.append(Piece(weight, (("", f"{theirs}{end}"),), layout.gates(weight.shape, order), doubt=doubt))
    return [tuple(found)]


_KERNEL: dict[str, tuple[str, How]] = {"kernel": ("weight", layout.kernel), "bias": ("bias", layout.same)}

TORCH: dict[type[Op], Rule] = {
    Conv: _layer(_KERNEL),
    ConvTranspose: _layer(_KERNEL),
    DepthwiseConv: _layer({"kernel": ("weight", layout.depthwise), "bias": ("bias", layout.same)}),
    SeparableConv: _separable,
    Dense: _dense,
    Prelu: _elements({"alpha": "weight"}),
    Embedding: _layer({"embeddings": ("weight", layout.same)}),
    BatchNorm: _elements(_NORM),
    LayerNorm: _elements(_NORM),
    GroupNorm: _elements(_NORM),
    InstanceNorm: _elements(_NORM),
    RmsNorm: _elements(_NORM),
    MultiHeadAttention: _attention,
    GroupedQueryAttention: _attention,
    LSTM: _recurrent,
    GRU: _recurrent,
    SimpleRNN: _recurrent,
    Bidirectional: _recurrent,
}
"""ops whose weights have other names or another layout in PyTorch"""
