"""Numbers that no training leaves behind: told while they are read, before they are in a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resspec.ops.base import Weight

if TYPE_CHECKING:
    import numpy as np


def ailment(weight: Weight, numbers: np.ndarray[Any, Any]) -> str | None:
    """What is wrong with the numbers of a weight; None if nothing is. One sum says of them all that they are finite."""
    import numpy as np

    if "float" not in weight.dtype:
        return None
    with np.errstate(all="ignore"):
        if not np.isfinite(numbers.sum(dtype=np.float32)) and not np.isfinite(numbers.astype(np.float32)).all():
            if np.isfinite(numbers).all():
                return "numbers beyond those of float32"
            return "NaN" if np.isnan(numbers).any() else "infinity"
    if weight.name == "moving_variance" and numbers.min(initial=0) < 0:
        return "negative variances"
    return None
