"""How every op becomes Keras layers, put together from one table a family."""

from __future__ import annotations

from resspec.keras_backend.lower.activation import ACTIVATION
from resspec.keras_backend.lower.conv import CONV
from resspec.keras_backend.lower.dense import DENSE
from resspec.keras_backend.lower.norm import NORM
from resspec.keras_backend.lower.pool import POOL
from resspec.keras_backend.lower.resample import RESAMPLE
from resspec.keras_backend.site import Table

LOWER: Table = {
    **CONV,
    **DENSE,
    **NORM,
    **POOL,
    **ACTIVATION,
    **RESAMPLE,
}
"""op class -> its lowering; as many entries as `resspec.ops.OPS`"""
