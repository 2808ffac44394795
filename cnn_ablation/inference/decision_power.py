"""What so many units can decide when a decision needs both the t interval and the exact test.

With few units the exact test is the stricter of the two: near its floor it wants every difference
on the same side of the margin, and the noncentral t alone would promise up to 25 points of power
too much. So up to 12 units the power of the pair is simulated on fixed normal draws, exactly in the
sign patterns; beyond, the noncentral t is right to some three points and soon to one.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cnn_ablation.inference.families import bonferroni_level
from cnn_ablation.inference.power import (
    TARGET_POWER,
    detectable_effect,
    units_needed,
)
from cnn_ablation.inference.scipy_later import stats
from cnn_ablation.inference.sign_flip import units_to_reach

SIMULATED_UNITS = 12
_DRAWS = 4000
_CHUNK = 250
_SEED = 0


def decidable_effect(
    n: int, level: float = 0.05, family_size: int = 1, target: float = TARGET_POWER
) -> float | None:
    """The smallest true distance from the margin that n units decide with the target power.

    Args:
        n: number of pairs.
        level: family-wise significance level.
        family_size: contrasts that share it; the contrast is taken to face Holm's first step.
        target: wanted power.

    Returns:
        The distance in standard deviations of the paired difference, or None where n units decide
        nothing however large it is.
    """
    if n < max(2, units_to_reach(level, family_size)):
        return None
    if n > SIMULATED_UNITS:
        return detectable_effect(n, 1.0, bonferroni_level(level, family_size), target)
    return float(np.quantile(_deciding_shifts(n, level, family_size), target))


def units_to_decide(
    effect: float, level: float = 0.05, family_size: int = 1, target: float = TARGET_POWER
) -> int | None:
    """The fewest units that decide a true distance from the margin with the target power.

    Args:
        effect: the distance, in standard deviations of the paired difference; may be infinite.
        level: family-wise significance level.
        family_size: contrasts that share it.
        target: wanted power.

    Returns:
        The number of units, or None where it is beyond 10,000.
    """

    def enough(n: int) -> bool:
        smallest = decidable_effect(n, level, family_size, target)
        return smallest is not None and smallest <= abs(effect)

    fewest = max(2, units_to_reach(level, family_size))
    if enough(max(fewest, SIMULATED_UNITS)):
        return next(n for n in range(fewest, max(fewest, SIMULATED_UNITS) + 1) if enough(n))
    by_t = units_needed(effect, 1.0, bonferroni_level(level, family_size), target)
    return None if by_t is None else max(by_t, fewest, SIMULATED_UNITS + 1)


@cache
def _deciding_shifts(n: int, level: float, family_size: int) -> NDArray[np.float64]:
    """For each normal draw of n units, the smallest shift at which both tests decide.

    Both can only gain as the draw is shifted up. The t interval clears zero at a shift of its half
    width less the mean. A sign pattern is as extreme as the one seen when the units that it flips
    have a mean of zero or less; k patterns (the unflipped one included) are allowed, so the shift
    must lift all but k - 1 of the subset means above zero.
    """
    draws = np.random.default_rng(_SEED).normal(size=(_DRAWS, n))
    share = bonferroni_level(level, family_size)
    half = stats.t.isf(share / 2.0, n - 1) * draws.std(axis=1, ddof=1) / n**0.5
    by_interval = half - draws.mean(axis=1)
    allowed = math.floor(share * 2.0 ** (n - 1) + 1e-9)
    flipped = (np.arange(1, 2**n)[:, None] >> np.arange(n)) & 1
    weights = (flipped / flipped.sum(axis=1, keepdims=True)).T
    by_signs = np.concatenate(
        [
            -np.partition(draws[start : start + _CHUNK] @ weights, allowed - 1, axis=1)[
                :, allowed - 1
            ]
            for start in range(0, _DRAWS, _CHUNK)
        ]
    )
    return np.maximum(by_interval, by_signs)
