"""Two variants compared over their shared units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cnn_ablation.inference.intervals import (
    Interval,
    bootstrap_interval,
    interval_from_json,
    mean_of,
    sd_of,
    t_interval,
)
from cnn_ablation.inference.pairing import PairedSample, pair
from cnn_ablation.inference.sign_flip import sign_flip_test
from cnn_ablation.inference.skewness import is_flagged, sample_skewness


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
        skewness: sample skewness of the differences; None without spread, for n < 3, and in
            comparisons from before it was kept.
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
    skewness: float | None = None

    @property
    def is_skewed(self) -> bool:
        """Whether the differences are so skewed that p value and intervals promise too much."""
        return is_flagged(self.skewness)

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
    sd = sd_of(differences) if sample.n > 1 else None
    test = sign_flip_test(differences)
    return PairedComparison(
        n=sample.n,
        dropped=sample.dropped,
        level=level,
        mean_a=mean_of(sample.a),
        mean_b=mean_of(sample.b),
        difference=mean_of(differences),
        sd=sd,
        interval=t_interval(differences, level),
        p_value=test.p_value,
        p_method=test.method,
        effect_size=mean_of(differences) / sd if sd else None,
        share=float(np.mean(differences > 0.0)),
        ties=int(np.count_nonzero(differences == 0.0)),
        correlation=_correlation(sample),
        bootstrap=bootstrap_interval(differences, level),
        differences=tuple(differences.tolist()),
        skewness=sample_skewness(differences),
    )
