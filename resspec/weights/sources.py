"""Where the weights of an op stand in a file: names of arrays within a layer, and how they lie. One rule an op."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from resspec.graph import Graph
from resspec.ops.activation import Elementwise, Prelu
from resspec.ops.attention import GroupedQueryAttention, MultiHeadAttention
from resspec.ops.base import Op, Weight
from resspec.ops.conv import Conv, ConvTranspose, DepthwiseConv, SeparableConv
from resspec.ops.dense import Dense, Embedding
from resspec.ops.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RmsNorm
from resspec.ops.parameter import LayerScale, Parameter, PositionEmbedding
from resspec.ops.recurrent import GRU, LSTM, Bidirectional, SimpleRNN
from resspec.ops.reshape import Flatten, Identity, Reshape
from resspec.weights import layout
from resspec.weights.layout import Layout, Shape

Dialect = Literal["keras", "torch"]


@dataclass(frozen=True, slots=True)
class Piece:
    """One weight of ours, and the arrays that it is made of: (role, name within the layer of that role).

    Several arrays are added, or stacked where `stack`.
    """

    weight: Weight
    arrays: tuple[tuple[str, str], ...]
    layout: Layout
    stack: bool = False


Pieces = tuple[Piece, ...]

WHOLE = (Parameter, PositionEmbedding, LayerScale)
"""ops with one weight, which files hold as an array without a layer, or in a layer under any name"""


def alternatives(
    graph: Graph, index: int, weights: Sequence[Weight], dialect: Dialect, transposed: bool = False
) -> list[Pieces]:
    """The ways in which a file may hold the weights of a node, the usual one first.

    Where matrices are `transposed`, those of a dense layer or of attention in PyTorch lie there as (in, out).
    """
    op = graph.nodes[index].op
    if isinstance(op, WHOLE):
        return [tuple(Piece(weight, (("", ""),), layout.same(weight.shape)) for weight in weights)]
    if dialect == "torch":
        rule = TORCH.get(type(op))
        if rule is not None:
            found = rule(graph, index, {weight.name: weight for weight in weights})
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


def flattened(graph: Graph, index: int) -> Shape | None:
    """The image that a vector was before it was laid flat, looking back from the input of a node; None if none."""
    ref = graph.nodes[index].inputs[0]
    while True:
        node = graph.nodes[ref.node]
        if isinstance(node.op, Flatten | Reshape) and len(node.outputs[0].shape) == 1:
            shape = graph.spec(node.inputs[0]).shape
            return tuple(size for size in shape if isinstance(size, int)) if len(shape) > 1 else None
        elementwise = isinstance(node.op, Elementwise | Identity) or node.op.family == "regularization"
        if not elementwise:
            return None
        ref = node.inputs[0]


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
Rule = Callable[[Graph, int, Named], list[Pieces]]
How = Callable[[Shape], Layout]


def _layer(names: dict[str, tuple[str, How]]) -> Rule:
    """A layer with one array for each weight: our name -> theirs, and how it lies."""

    def rule(graph: Graph, index: int, weights: Named) -> list[Pieces]:
        return [
            tuple(
                Piece(weight, (("", names[name][0]),), names[name][1](weight.shape)) for name, weight in weights.items()
            )
        ]

    return rule


_NORM: dict[str, tuple[str, How]] = {
    "gamma": ("weight", layout.same),
    "beta": ("bias", layout.same),
    "scale": ("weight", layout.same),
    "moving_mean": ("running_mean", layout.same),
    "moving_variance": ("running_var", layout.same),
}


def _dense(graph: Graph, index: int, weights: Named) -> list[Pieces]:
    image = flattened(graph, index)
    kernel = weights["kernel"]
    found = [Piece(kernel, (("", "weight"),), layout.matrix(kernel.shape, image))]
    if "bias" in weights:
        found.append(Piece(weights["bias"], (("", "bias"),), layout.same(weights["bias"].shape)))
    return [tuple(found)]


def _separable(graph: Graph, index: int, weights: Named) -> list[Pieces]:
    how: dict[str, tuple[tuple[str, str], How]] = {
        "depthwise_kernel": (("depthwise", "weight"), layout.depthwise),
        "pointwise_kernel": (("pointwise", "weight"), layout.kernel),
        "bias": (("pointwise", "bias"), layout.same),
    }
    return [tuple(Piece(one, (how[name][0],), how[name][1](one.shape)) for name, one in weights.items())]


def _attention(graph: Graph, index: int, weights: Named) -> list[Pieces]:
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
    if isinstance(graph.nodes[index].op, GroupedQueryAttention):
        return [apart()]
    return [joint(own, ("", "out_proj.")), joint(timm, ("", "proj.")), joint(layers, ("out", "")), apart()]


_GATES = {LSTM: (0, 1, 2, 3), GRU: (1, 0, 2), SimpleRNN: (0,)}
"""where each of Keras's gates stands in PyTorch: i f g o alike; Keras has z r h, PyTorch r z n"""


def _recurrent(graph: Graph, index: int, weights: Named) -> list[Pieces]:
    op = graph.nodes[index].op
    if isinstance(op, Bidirectional):
        order = {"lstm": _GATES[LSTM], "gru": _GATES[GRU], "simple_rnn": _GATES[SimpleRNN]}[op.layer]
    else:
        order = _GATES[type(op)]
    found = []
    for name, weight in weights.items():
        end = "_l0_reverse" if name.startswith("backward") else "_l0"
        kind = name.rpartition("/")[2]
        if kind == "bias":
            both = (("", f"bias_ih{end}"), ("", f"bias_hh{end}"))
            stack = len(weight.shape) == 2
            found.append(Piece(weight, both, layout.gates(weight.shape[-1:], order), stack))
        else:
            theirs = {"kernel": "weight_ih", "recurrent_kernel": "weight_hh"}[kind]
            found.append(Piece(weight, (("", f"{theirs}{end}"),), layout.gates(weight.shape, order)))
    return [tuple(found)]


_KERNEL: dict[str, tuple[str, How]] = {"kernel": ("weight", layout.kernel), "bias": ("bias", layout.same)}

TORCH: dict[type[Op], Rule] = {
    Conv: _layer(_KERNEL),
    ConvTranspose: _layer(_KERNEL),
    DepthwiseConv: _layer({"kernel": ("weight", layout.depthwise), "bias": ("bias", layout.same)}),
    SeparableConv: _separable,
    Dense: _dense,
    Prelu: _layer({"alpha": ("weight", layout.same)}),
    Embedding: _layer({"embeddings": ("weight", layout.same)}),
    BatchNorm: _layer(_NORM),
    LayerNorm: _layer(_NORM),
    GroupNorm: _layer(_NORM),
    InstanceNorm: _layer(_NORM),
    RmsNorm: _layer(_NORM),
    MultiHeadAttention: _attention,
    GroupedQueryAttention: _attention,
    LSTM: _recurrent,
    GRU: _recurrent,
    SimpleRNN: _recurrent,
    Bidirectional: _recurrent,
}
"""ops whose weights have other names or another layout in PyTorch"""
