"""Lines through measured points, and how well they fit."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Line(NamedTuple):
    """y = intercept + slope x, and the share of the variance of y that it explains."""

    slope: float
    intercept: float
    r2: float


def line(x: Any, y: Any) -> Line:
    """The least squares line. Values that are no finite numbers are left out; a constant is explained wholly."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    use = np.isfinite(x) & np.isfinite(y)
    x, y = x[use], y[use]
    if len(np.unique(x)) < 2:
        return Line(0.0, float(y.mean()) if len(y) else 0.0, 1.0)
    slope, intercept = np.polyfit(x, y, 1)
    rest, spread = np.sum((y - slope * x - intercept) ** 2), np.sum((y - y.mean()) ** 2)
    return Line(float(slope), float(intercept), 1.0 if spread < 1e-24 else float(1 - rest / spread))


def exponential(x: Any, y: Any) -> Line:
    """The line through log y: `exp(slope)` is the factor a step."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return line(x, np.log(np.asarray(y, float)))
