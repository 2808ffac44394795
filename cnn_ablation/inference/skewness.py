"""Skewed differences: where exact tests and t intervals both promise too much.

The sign-flip test is exact for differences that are symmetric about the null, the t interval for
normal ones. Where the mean is at the null and one tail is long, both decide away from that tail too
often (`python -m experiments.simulate_skew` has the rates). A studentised statistic changes
nothing: the sum of squares is the same for every pattern of signs, so it orders them as the sum
does. Hall's transformation helps, at a price, but does not restore the level; so skewed differences
are flagged, and the interval by that transformation can be shown beside.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_ablation.inference.intervals import Interval
from cnn_ablation.inference.scipy_later import stats

# Of ten normal differences 8 % have more; of ten with a true skewness of 2, half.
FLAGGED_SKEWNESS = 1.0


def sample_skewness(values: ArrayLike) -> float | None:
    """The third standardised moment of a sample, shape (n,); None without spread or for n < 3."""
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.size < 3 or np.ptp(numbers) == 0.0:
        return None
    centred = numbers - np.mean(numbers)
    centred /= np.max(np.abs(centred))
    return float(np.mean(centred**3) / np.mean(centred**2) ** 1.5)


def is_flagged(skewness: float | None) -> bool:
    """Whether a warning belongs beside what was decided on such differences."""
    return skewness is not None and abs(skewness) > FLAGGED_SKEWNESS


def skew_corrected_interval(values: ArrayLike, level: float = 0.05) -> Interval | None:
    """Interval of the mean by Hall's cubic transformation of the t statistic (Hall 1992).

    Args:
        values: shape (n,).
        level: two-sided; divide by the family's size for Bonferroni's simultaneous intervals.

    Returns:
        The interval; that of Student where the sample is symmetric; None for n < 3 or no spread.
    """
    numbers = np.asarray(values, dtype=np.float64)
    skewness = sample_skewness(numbers)
    if skewness is None:
        return None
    error = float(np.std(numbers, ddof=1)) / numbers.size**0.5
    quantile = float(stats.t.isf(level / 2.0, numbers.size - 1))
    low, high = (
        float(np.mean(numbers)) - error * _untransformed(end, skewness, numbers.size)
        for end in (quantile, -quantile)
    )
    return Interval(low, high)


def transformed_t(
    t: NDArray[np.float64] | float, skewness: NDArray[np.float64] | float, n: int
) -> NDArray[np.float64]:
    """Hall's transformation: t + a t^2 / 3 + a^2 t^3 / 27 + a / 6 with a = skewness / sqrt(n)."""
    a = np.asarray(skewness) / n**0.5
    return np.asarray(t + a * (t**2 / 3.0 + 1.0 / 6.0) + a**2 * t**3 / 27.0)


def _untransformed(value: float, skewness: float, n: int) -> float:
    """The t whose transform is the value: the transform is a cube, ((1 + a t / 3)^3 - 1) / a."""
    a = skewness / n**0.5
    if abs(a) < 1e-9:
        return value
    return float(3.0 / a * (np.cbrt(1.0 + a * (value - a / 6.0)) - 1.0))
