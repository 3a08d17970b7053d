"""All ops of the language. The tuple is explicit: nothing registers itself by being imported."""

from __future__ import annotations

from collections.abc import Iterable

from resspec.ops.activation import ACTIVATION_OPS
from resspec.ops.attention import ATTENTION_OPS
from resspec.ops.base import Op
from resspec.ops.conv import CONV_OPS
from resspec.ops.dense import DENSE_OPS
from resspec.ops.merge import MERGE_OPS
from resspec.ops.norm import NORM_OPS
from resspec.ops.parameter import PARAMETER_OPS
from resspec.ops.pool import POOL_OPS
from resspec.ops.preprocess import PREPROCESS_OPS
from resspec.ops.recurrent import RECURRENT_OPS
from resspec.ops.regularization import REGULARIZATION_OPS
from resspec.ops.resample import RESAMPLE_OPS
from resspec.ops.reshape import RESHAPE_OPS

OPS: tuple[type[Op], ...] = (
    *CONV_OPS,
    *DENSE_OPS,
    *NORM_OPS,
    *POOL_OPS,
    *ACTIVATION_OPS,
    *RESAMPLE_OPS,
    *MERGE_OPS,
    *RESHAPE_OPS,
    *REGULARIZATION_OPS,
    *ATTENTION_OPS,
    *RECURRENT_OPS,
    *PREPROCESS_OPS,
    *PARAMETER_OPS,
)


def by_kind(more: Iterable[type[Op]] = ()) -> dict[str, type[Op]]:
    """Op name -> class, with a plugin's ops after the built-in ones, which they cannot replace."""
    return {op.kind: op for op in (*more, *OPS)}
