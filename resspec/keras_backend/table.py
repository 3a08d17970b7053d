"""How every op becomes Keras layers, put together from one table a family."""

from __future__ import annotations

from resspec.keras_backend.lower.activation import ACTIVATION
from resspec.keras_backend.lower.attention import ATTENTION
from resspec.keras_backend.lower.conv import CONV
from resspec.keras_backend.lower.dense import DENSE
from resspec.keras_backend.lower.foreign import FOREIGN
from resspec.keras_backend.lower.merge import MERGE
from resspec.keras_backend.lower.norm import NORM
from resspec.keras_backend.lower.parameter import PARAMETER
from resspec.keras_backend.lower.pool import POOL
from resspec.keras_backend.lower.preprocess import PREPROCESS
from resspec.keras_backend.lower.recurrent import RECURRENT
from resspec.keras_backend.lower.regularization import REGULARIZATION
from resspec.keras_backend.lower.resample import RESAMPLE
from resspec.keras_backend.lower.reshape import RESHAPE
from resspec.keras_backend.site import Table

LOWER: Table = {
    **CONV,
    **DENSE,
    **NORM,
    **POOL,
    **ACTIVATION,
    **RESAMPLE,
    **MERGE,
    **RESHAPE,
    **REGULARIZATION,
    **ATTENTION,
    **RECURRENT,
    **PREPROCESS,
    **PARAMETER,
    **FOREIGN,
}
"""op class -> its lowering: every op of `resspec.ops.OPS`, and `keras.<Class>`"""
