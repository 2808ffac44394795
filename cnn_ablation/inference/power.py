"""What so many paired units can show: power of the paired t test, by the noncentral t.

Only the tail on the side of the effect counts as success (a verdict has a direction), so these are
the textbook two-sided figures less a wrong-way tail that is negligible at any power of interest.
"""

from __future__ import annotations

import math

from cnn_ablation.inference.scipy_later import special, stats

TARGET_POWER = 0.8
MOST_UNITS = 10_000


def _critical_t(n: int, level: float) -> float:
    return float(stats.t.isf(level / 2.0, n - 1))


def power(n: int, effect: float, sd: float, level: float = 0.05) -> float:
    """Chance that n pairs show a true mean difference by a two-sided t interval.

    Args:
        n: number of pairs.
        effect: true distance of the mean difference from the value tested; only its size counts.
        sd: standard deviation of the differences, same unit.
        level: two-sided level of one interval (after any Bonferroni division).
    """
    if n < 2:
        return 0.0
    if sd == 0.0:
        return 1.0 if effect else 0.0
    noncentrality = abs(effect) * math.sqrt(n) / sd
    return float(stats.nct.sf(_critical_t(n, level), n - 1, noncentrality))


def detectable_effect(
    n: int, sd: float, level: float = 0.05, target: float = TARGET_POWER
) -> float | None:
    """The smallest true effect that n pairs would have shown with the target power.

    Returns:
        The effect in the unit of sd, or None where no spread can be estimated (n < 2).
    """
    if n < 2:
        return None
    noncentrality = special.nctdtrinc(n - 1, 1.0 - target, _critical_t(n, level))
    return float(noncentrality) * sd / math.sqrt(n)


def units_needed(
    effect: float, sd: float, level: float = 0.05, target: float = TARGET_POWER
) -> int | None:
    """The fewest pairs that show a true effect with the target power.

    Returns:
        The number of pairs, at least 2, or None where it is beyond 10,000: for practical purposes
        the effect is not there to be found.
    """

    def enough(n: int) -> bool:
        detectable = detectable_effect(n, sd, level, target)
        return detectable is not None and detectable <= abs(effect)

    if effect == 0.0 or not enough(MOST_UNITS):
        return None
    low, high = 1, MOST_UNITS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
