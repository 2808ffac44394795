"""Intervals of a mean: Student's, and the bootstrap's as a sensitivity check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_ablation.inference.scipy_later import stats

BOOTSTRAP_RESAMPLES = 10_000
_BOOTSTRAP_SEED = 0


@dataclass(frozen=True)
class Interval:
    """A closed interval in the unit of the metric."""

    low: float
    high: float


def interval_from_json(data: Mapping[str, float] | None) -> Interval | None:
    """An interval from plain data; None stays None."""
    return None if data is None else Interval(**data)


def mean_of(values: NDArray[np.float64]) -> float:
    """The mean of one value or more, shape (n,)."""
    # Equal values have exactly their own mean: summing first would move it by a rounding error.
    return float(values[0]) if np.ptp(values) == 0.0 else float(np.mean(values))


def sd_of(values: NDArray[np.float64]) -> float:
    """The standard deviation (n - 1) of two values or more, shape (n,)."""
    return 0.0 if np.ptp(values) == 0.0 else float(np.std(values, ddof=1))


def t_interval(differences: ArrayLike, level: float = 0.05) -> Interval | None:
    """Student's t interval of the mean difference.

    Args:
        differences: shape (n,).
        level: two-sided; 0.05 gives a 95 % interval. Divide by the family's size for Bonferroni's
            simultaneous intervals.

    Returns:
        The interval, of no width where all differences are equal; None for n < 2.
    """
    values = np.asarray(differences, dtype=np.float64)
    if values.size < 2:
        return None
    centre = mean_of(values)
    half = float(stats.t.isf(level / 2.0, values.size - 1)) * sd_of(values) / values.size**0.5
    return Interval(centre - half, centre + half)


def bootstrap_interval(differences: ArrayLike, level: float = 0.05) -> Interval | None:
    """Percentile bootstrap interval of the mean difference (Efron 1979), the same at every call."""
    values = np.asarray(differences, dtype=np.float64)
    if values.size < 2:
        return None
    rng = np.random.default_rng(_BOOTSTRAP_SEED)
    picks = rng.integers(0, values.size, size=(BOOTSTRAP_RESAMPLES, values.size))
    low, high = np.quantile(values[picks].mean(axis=1), [level / 2.0, 1.0 - level / 2.0])
    return Interval(float(low), float(high))
