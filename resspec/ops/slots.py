"""Types of op arguments, each with its bounds and its description in the JSON Schema.

The annotation of a field decides how a spec may write it: a slot that takes numbers reads strings
as expressions, one that takes words as well keeps those words, a text slot interpolates `$name`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

BIG = 2**31 - 1

Positive = Annotated[int, Field(ge=1, le=BIG)]
Count = Annotated[int, Field(ge=0, le=BIG)]
Whole = Annotated[int, Field(ge=-BIG, le=BIG)]
Real = Annotated[float, Field(ge=-1e12, le=1e12)]
NonNegative = Annotated[float, Field(ge=0, le=1e12)]
Rate = Annotated[float, Field(ge=0, lt=1)]
Seed = Annotated[int, Field(ge=0, le=BIG)]

PerAxis = Positive | tuple[Positive, ...]
"""one number for all spatial axes, or one an axis"""

Side = Count | tuple[Count, ...] | tuple[tuple[Count, Count], ...]
"""one number for all sides, one an axis (both its sides), or a pair (before, after) an axis"""

Padding = Literal["same", "valid"] | Side
CausalPadding = Literal["same", "valid", "causal"] | Side


# where capitals run on, as in `GELU` and `LeakyReLU`, no word begins but behind a digit: `L1L2`
_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[0-9])(?=[A-Z])")


def _snake(value: Any) -> Any:
    """Keras takes both spellings of its names: `HeNormal` is `he_normal`."""
    if isinstance(value, str) and value[:1].isupper():
        return _WORD_STARTS.sub("_", value).lower()
    return value


class Config(BaseModel):
    """A named thing with settings, as in `{name: he_normal, seed: 1}`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True, allow_inf_nan=False)


def _bare(value: Any) -> Any:
    """`{name: he_normal}` without a setting is `he_normal`, so that both ways to write it are one."""
    if isinstance(value, Config) and len(value.model_dump(exclude_none=True)) == 1:
        return value.name  # type: ignore[attr-defined]
    return value


InitializerName = Annotated[
    Literal[
        "uniform", "normal", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform",
        "lecun_normal", "variance_scaling", "random_normal", "random_uniform", "truncated_normal", "orthogonal",
        "identity", "constant", "zeros", "ones",
    ],
    BeforeValidator(_snake),
    AfterValidator(lambda name: {"uniform": "random_uniform", "normal": "random_normal"}.get(name, name)),
]  # fmt: skip


class InitializerConfig(Config):
    """An initializer of Keras with its settings; those it does not know are refused when building."""

    name: InitializerName
    seed: Seed | None = None
    scale: NonNegative | None = None
    mode: Literal["fan_in", "fan_out", "fan_avg"] | None = None
    distribution: Literal["truncated_normal", "untruncated_normal", "uniform"] | None = None
    mean: Real | None = None
    stddev: NonNegative | None = None
    minval: Real | None = None
    maxval: Real | None = None
    value: Real | None = None
    gain: Real | None = None


Initializer = Annotated[InitializerName | InitializerConfig, AfterValidator(_bare)]

RegularizerName = Annotated[Literal["l1", "l2", "l1_l2", "orthogonal_regularizer"], BeforeValidator(_snake)]


class RegularizerConfig(Config):
    """A regularizer of Keras with its factors."""

    name: RegularizerName
    l1: NonNegative | None = None
    l2: NonNegative | None = None
    factor: NonNegative | None = None
    mode: Literal["rows", "columns"] | None = None


Regularizer = Annotated[RegularizerName | RegularizerConfig, AfterValidator(_bare)] | None

ConstraintName = Annotated[Literal["max_norm", "min_max_norm", "non_neg", "unit_norm"], BeforeValidator(_snake)]


class ConstraintConfig(Config):
    """A constraint of Keras with its settings."""

    name: ConstraintName
    max_value: NonNegative | None = None
    min_value: NonNegative | None = None
    rate: NonNegative | None = None
    axis: Whole | None = None


Constraint = Annotated[ConstraintName | ConstraintConfig, AfterValidator(_bare)] | None

ActivationName = Annotated[
    Literal[
        "linear", "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "swish", "mish", "sigmoid",
        "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "tanh", "softmax", "log_softmax", "softplus",
        "softsign", "exponential", "log_sigmoid",
    ],
    BeforeValidator(_snake),
    AfterValidator(lambda name: {"swish": "silu", "hard_swish": "hard_silu"}.get(name, name)),
]  # fmt: skip
FieldActivation = ActivationName | None
"""an activation inside another op (`dense: {units: 10, activation: softmax}`)"""
