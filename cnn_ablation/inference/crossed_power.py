"""What a study could show of new seeds and new images, and with how many seeds."""

from __future__ import annotations

import dataclasses

from cnn_ablation.inference.crossed import CrossedComparison
from cnn_ablation.inference.power import MOST_UNITS, TARGET_POWER
from cnn_ablation.inference.scipy_later import stats


def detectable_on_new_images(
    crossed: CrossedComparison, level: float, target: float = TARGET_POWER
) -> float:
    """The smallest true distance from the margin that so many seeds and images had shown.

    Args:
        crossed: the spread, as it was seen.
        level: two-sided level of one interval (after any Bonferroni division).
        target: wanted power.

    Returns:
        The distance in the unit of the difference; the two quantiles of t are added.
    """
    freedom = crossed.degrees_of_freedom()
    quantiles = stats.t.isf(level / 2.0, freedom) + stats.t.isf(1.0 - target, freedom)
    return float(quantiles) * crossed.standard_error()


def seeds_on_these_images(
    crossed: CrossedComparison, distance: float, level: float, target: float = TARGET_POWER
) -> int | None:
    """The fewest seeds, tested on as many images, that show a distance with the target power.

    Returns:
        The number of seeds, at least 2; None where images are too few for any number up to 10,000.
    """

    def enough(seeds: int) -> bool:
        error = crossed.seed_error * crossed.seeds / seeds
        planned = dataclasses.replace(crossed, seeds=seeds, seed_error=error)
        return detectable_on_new_images(planned, level, target) <= distance

    if distance <= 0.0 or not enough(MOST_UNITS):
        return None
    low, high = 1, MOST_UNITS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
