"""Attention. Inputs are query, value, key, as in Keras; a missing key is the value, one input attends to itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from pydantic import Field

from resspec.domain import Equal, Requirement
from resspec.ops.axes import common_dtype, differ, more_specific
from resspec.ops.base import Op, OpError, Weight, known, total
from resspec.ops.slots import Constraint, Initializer, Positive, Rate, Regularizer, Seed
from resspec.sizes import Size, product
from resspec.tensor import TensorSpec

Three = tuple[TensorSpec, TensorSpec, TensorSpec]


class AttentionBase(Op):
    """What attention ops share: query (..., t, d), value (..., s, v), key (..., s, d)."""

    family = "attention"
    arity: ClassVar[tuple[int, int | None]] = (1, 3)
    sees_all = True
    dropout: Rate = Field(default=0.0, description="share of the attention scores dropped in training")
    use_causal_mask: bool = Field(default=False, description="no position attends to later ones")
    return_attention_scores: bool = Field(default=False, description="a second result, `scores`")
    seed: Seed | None = None

    def result_names(self) -> tuple[str, ...]:
        return ("output", "scores") if self.return_attention_scores else ()

    def three(self, inputs: tuple[TensorSpec, ...]) -> Three:
        """Query, value and key out of one, two or three inputs."""
        query = inputs[0]
        value = inputs[1] if len(inputs) > 1 else query
        return query, value, inputs[2] if len(inputs) > 2 else value

    def pairs(self, inputs: tuple[TensorSpec, ...]) -> Iterable[tuple[Size, Size, int]]:
        """Sizes that must be equal, with the operand that is at fault if they are not."""
        _, value, key = self.three(inputs)
        operand = min(2, len(inputs) - 1)
        yield from ((a, b, operand) for a, b in zip(value.shape[:-1], key.shape[:-1]))

    def checked(self, inputs: tuple[TensorSpec, ...], *ranks: int) -> Three:
        """Query, value and key, their sizes checked; `ranks` are the allowed numbers of axes."""
        query, value, key = self.three(inputs)
        for k, x in enumerate(inputs):
            if x.rank not in ranks or x.rank != query.rank:
                axes = f"{min(ranks)}" if len(ranks) == 1 else f"{min(ranks)} to {max(ranks)}"
                raise OpError(
                    f"`{self.kind}` needs inputs of {axes} axes (positions, channels), as many in all, got {x}",
                    code="rank-mismatch",
                    operand=k,
                    help="bring images into (positions, channels) by `reshape: [-1, channels]`",
                )
        for left, right, operand in self.pairs(inputs):
            if differ(left, right):
                raise OpError(
                    f"`{self.kind}` cannot join query {query}, value {value} and key {key}: {left} is not {right}",
                    operand=operand,
                )
        return query, value, key

    def requires(self, *inputs: TensorSpec) -> Iterable[Requirement]:
        return [Equal(left, right) for left, right, _ in self.pairs(inputs) if left != right]


class DotAttention(AttentionBase):
    """What attention without projections shares: the leading axes of all inputs are the same."""

    def pairs(self, inputs: tuple[TensorSpec, ...]) -> Iterable[tuple[Size, Size, int]]:
        query, value, key = self.three(inputs)
        yield from super().pairs(inputs)
        yield query.shape[-1], key.shape[-1], min(2, len(inputs) - 1)
        yield from ((a, b, 1) for a, b in zip(query.shape[:-2], value.shape[:-2]))

    def infer(self, *inputs: TensorSpec) -> TensorSpec | tuple[TensorSpec, ...]:
        query, value, key = self.checked(inputs, 2, 3)
        dtype = common_dtype(*inputs)
        lead = tuple(more_specific(a, b) for a, b in zip(query.shape[:-2], value.shape[:-2]))
        output = TensorSpec((*lead, query.shape[-2], value.shape[-1]), dtype)
        if not self.return_attention_scores:
            return output
        return output, TensorSpec((*lead, query.shape[-2], key.shape[-2]), dtype)


class Attention(DotAttention):
    """Attention without projections: query (t, d), value (s, v), key (s, d) -> (t, v)."""

    kind = "attention"
    use_scale: bool = Field(default=False, description="a learned factor of the scores")
    score_mode: Literal["dot", "concat"] = Field(
        default="dot", description="dot product of query and key, or tanh of their sum"
    )

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        scale = (Weight("scale", ()),) if self.use_scale else ()
        return (*scale, Weight("concat_score_weight", ())) if self.score_mode == "concat" else scale

    def products(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        query, value, key = self.three(inputs)
        width = total((key.shape[-1], value.shape[-1])) if self.score_mode == "dot" else value.shape[-1]
        return product(*query.shape[:-1], key.shape[-2], width)


class AdditiveAttention(DotAttention):
    """Bahdanau's attention, scores from tanh(query + key): (t, d), (s, v), (s, d) -> (t, v)."""

    kind = "additive_attention"
    use_scale: bool = Field(default=True, description="a learned factor per channel of the scores")

    def infer(self, *inputs: TensorSpec) -> TensorSpec | tuple[TensorSpec, ...]:
        outputs = super().infer(*inputs)
        if self.use_scale:
            known(inputs[0].channels, "the number of channels")
        return outputs

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        if not self.use_scale:
            return ()
        return (Weight("scale", (known(inputs[0].channels, "the number of channels"),)),)

    def products(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        query, value, key = self.three(inputs)
        return product(*query.shape[:-1], key.shape[-2], value.shape[-1])


class ProjectedAttention(AttentionBase):
    """What attention with learned projections shares."""

    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    activity_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    bias_constraint: Constraint = None

    def heads(self) -> tuple[int, int, int, int]:
        """Heads of the query, heads of key and value, channels of a key, channels of a value."""
        raise NotImplementedError(type(self).__name__)  # abstract: both subclasses override it

    def channels(self, query: TensorSpec) -> int:
        """Channels of the output."""
        return known(query.channels, "the number of channels")

    def projected(self, inputs: tuple[TensorSpec, ...], *ranks: int) -> TensorSpec | tuple[TensorSpec, ...]:
        """The output, and the scores (heads, t, s) if asked for."""
        query, _, key = self.checked(inputs, *ranks)
        for k, x in enumerate(inputs):
            known(x.channels, "the number of channels", operand=k)
        output = TensorSpec((*query.shape[:-1], self.channels(query)), common_dtype(*inputs))
        if not self.return_attention_scores:
            return output
        return output, TensorSpec((self.heads()[0], *query.shape[:-1], *key.shape[:-1]), output.dtype)

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        query, value, key = self.three(inputs)
        heads, shared, key_dim, value_dim = self.heads()
        kernels = (
            ("query", (known(query.channels, "the number of channels"), heads, key_dim), 1),
            ("key", (known(key.channels, "the number of channels"), shared, key_dim), 1),
            ("value", (known(value.channels, "the number of channels"), shared, value_dim), 1),
            ("attention_output", (heads, value_dim, self.channels(query)), 2),
        )
        found = []
        for name, shape, summed in kernels:
            found.append(Weight(f"{name}/kernel", shape))
            if self.use_bias:
                found.append(Weight(f"{name}/bias", shape[summed:]))
        return tuple(found)

    def macs(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        query, value, key = self.three(inputs)
        sizes = {w.name: w.size for w in self.weights(*inputs)}
        at_query = sizes["query/kernel"] + sizes["attention_output/kernel"]
        return total(
            (
                product(*query.shape[:-1], at_query),
                product(*key.shape[:-1], sizes["key/kernel"]),
                product(*value.shape[:-1], sizes["value/kernel"]),
            )
        )

    def products(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        query, _, key = self.three(inputs)
        heads, _, key_dim, value_dim = self.heads()
        return product(*query.shape[:-1], *key.shape[:-1], heads * (key_dim + value_dim))


class MultiHeadAttention(ProjectedAttention):
    """Attention in several heads with learned projections: query (t, d), value (s, ...), key (s, ...) -> (t, d).

    `from: [query, value, key]`, in Keras's order; without the key the value is the key too, and one input
    attends to itself.
    """

    kind = "multi_head_attention"
    primary = "num_heads"
    num_heads: Positive
    key_dim: Positive = Field(description="channels of query and key in each head")
    value_dim: Positive | None = Field(
        default=None, description="channels of the value in each head; null is `key_dim`"
    )
    output_shape: Positive | None = Field(default=None, description="channels of the output; null is the query's")

    def heads(self) -> tuple[int, int, int, int]:
        return self.num_heads, self.num_heads, self.key_dim, self.value_dim or self.key_dim

    def channels(self, query: TensorSpec) -> int:
        return self.output_shape or super().channels(query)

    def infer(self, *inputs: TensorSpec) -> TensorSpec | tuple[TensorSpec, ...]:
        return self.projected(inputs, 2, 3, 4)


class GroupedQueryAttention(ProjectedAttention):
    """Attention whose query heads share fewer key and value heads: (t, d), (s, d), (s, ...) -> (t, d)."""

    kind = "grouped_query_attention"
    head_dim: Positive = Field(description="channels of query, key and value in each head")
    num_query_heads: Positive
    num_key_value_heads: Positive

    def heads(self) -> tuple[int, int, int, int]:
        return self.num_query_heads, self.num_key_value_heads, self.head_dim, self.head_dim

    def pairs(self, inputs: tuple[TensorSpec, ...]) -> Iterable[tuple[Size, Size, int]]:
        query, value, _ = self.three(inputs)
        yield from super().pairs(inputs)
        yield query.shape[-1], value.shape[-1], 1

    def infer(self, *inputs: TensorSpec) -> TensorSpec | tuple[TensorSpec, ...]:
        if self.num_query_heads % self.num_key_value_heads:
            raise OpError(
                f"`num_key_value_heads` must divide the {self.num_query_heads} query heads,"
                f" got {self.num_key_value_heads}",
                code="bad-argument",
                argument="num_key_value_heads",
            )
        return self.projected(inputs, 2)


ATTENTION_OPS: tuple[type[Op], ...] = (Attention, AdditiveAttention, MultiHeadAttention, GroupedQueryAttention)
