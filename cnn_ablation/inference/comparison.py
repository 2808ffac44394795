"""Two variants compared over their shared units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from cnn_ablation.inference.pairing import PairedSample, pair
from cnn_ablation.inference.sign_flip import sign_flip_test

BOOTSTRAP_RESAMPLES = 10_000
_BOOTSTRAP_SEED = 0


@dataclass(frozen=True)
class Interval:
    """A closed interval in the unit of the metric."""

    low: float
    high: float


@dataclass(frozen=True)
class PairedComparison:
    """What the pairs say about A - B; every figure in the unit of the metric unless noted.

    Attributes:
        n: pairs used.
        dropped: units left out, because either trial is missing, diverged or not finite.
        level: significance level of `interval` and `bootstrap` (0.05 gives 95 %).
        mean_a: mean of A over the pairs.
        mean_b: mean of B over the pairs.
        difference: mean of A - B.
        sd: standard deviation of the differences (n - 1); None for n = 1.
        interval: t interval of the mean difference, one contrast alone; None for n = 1.
        p_value: sign-flip test of 'no difference', two-sided, one contrast alone.
        p_method: 'exact', or on which grid (see `SignFlipTest`).
        effect_size: d_z = difference / sd, unitless; None without spread.
        share: share of the pairs in which A > B, in [0, 1].
        ties: number of pairs in which A = B.
        correlation: Pearson's r between A and B over the pairs, which is what pairing buys: the
            variance of the difference is var(A) + var(B) - 2 r sd(A) sd(B). None without spread.
        bootstrap: percentile bootstrap interval. A sensitivity check at most: over few pairs it is
            too narrow. None for n = 1.
        differences: A - B for each pair, in the order of the sorted units.
    """

    n: int
    dropped: int
    level: float
    mean_a: float
    mean_b: float
    difference: float
    sd: float | None
    interval: Interval | None
    p_value: float
    p_method: str
    effect_size: float | None
    share: float
    ties: int
    correlation: float | None
    bootstrap: Interval | None
    differences: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        return asdict(self) | {"differences": list(self.differences)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PairedComparison:
        """The inverse of `to_json`."""
        return cls(
            **{
                **data,
                "interval": interval_from_json(data["interval"]),
                "bootstrap": interval_from_json(data["bootstrap"]),
                "differences": tuple(data["differences"]),
            }
        )


def interval_from_json(data: Mapping[str, float] | None) -> Interval | None:
    """An interval from plain data; None stays None."""
    return None if data is None else Interval(**data)


def _mean(values: NDArray[np.float64]) -> float:
    # Equal values have exactly their own mean: summing first would move it by a rounding error.
    return float(values[0]) if np.ptp(values) == 0.0 else float(np.mean(values))


def _sd(values: NDArray[np.float64]) -> float:
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
    centre = _mean(values)
    half = float(stats.t.isf(level / 2.0, values.size - 1)) * _sd(values) / values.size**0.5
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


def _correlation(sample: PairedSample) -> float | None:
    if sample.n < 2 or np.ptp(sample.a) == 0.0 or np.ptp(sample.b) == 0.0:
        return None
    return float(np.corrcoef(sample.a, sample.b)[0, 1])


def compare(
    values_a: Mapping[Any, float | None],
    values_b: Mapping[Any, float | None],
    level: float = 0.05,
) -> PairedComparison | None:
    """Compare two variants over the units that both finished.

    Args:
        values_a: seed (or round) -> value of A; None or NaN where the trial diverged.
        values_b: the same of B.
        level: two-sided significance level of the intervals.

    Returns:
        The comparison, or None where there is no pair at all.
    """
    sample = pair(values_a, values_b)
    if sample.n == 0:
        return None
    differences = sample.differences
    sd = _sd(differences) if sample.n > 1 else None
    test = sign_flip_test(differences)
    return PairedComparison(
        n=sample.n,
        dropped=sample.dropped,
        level=level,
        mean_a=_mean(sample.a),
        mean_b=_mean(sample.b),
        difference=_mean(differences),
        sd=sd,
        interval=t_interval(differences, level),
        p_value=test.p_value,
        p_method=test.method,
        effect_size=_mean(differences) / sd if sd else None,
        share=float(np.mean(differences > 0.0)),
        ties=int(np.count_nonzero(differences == 0.0)),
        correlation=_correlation(sample),
        bootstrap=bootstrap_interval(differences, level),
        differences=tuple(differences.tolist()),
    )
