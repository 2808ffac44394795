"""Several contrasts judged together: the family-wise error rate stays at the level."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's step-down adjustment (Holm 1979): valid under any dependence.

    Args:
        p_values: shape (m,), in any order.

    Returns:
        Adjusted p values in the same order, shape (m,); reject where they are <= level.
    """
    raw = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(raw, kind="stable")
    stepped = raw[order] * np.arange(raw.size, 0, -1)
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return adjusted


def bonferroni_level(level: float, family_size: int) -> float:
    """The level of each interval such that all of them cover at once with 1 - level.

    The bounds that belong to Holm's procedure itself are one-sided and say nothing beyond the null
    unless every hypothesis of the family is rejected (Strassburger and Bretz 2008), so the
    intervals are Bonferroni's. They agree with Holm: an interval at level / m leaves out a value
    exactly when the t test of that value has p <= level / m, Holm's first and strictest threshold.
    The reverse need not be true: the intervals are the more cautious of the two.
    """
    return level / max(1, family_size)
