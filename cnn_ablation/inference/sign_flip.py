"""The exact sign-flip test, and what it can reach with so many units.

Under the hypothesis that the differences are symmetric about the null value (which holds whenever
the two variants are exchangeable, whatever their distribution), every pattern of signs was equally
likely. The p value is the share of the 2^n patterns whose sum is at least as far from zero as the
one seen (Fisher 1935, The Design of Experiments, section 21).

Patterns are counted, not sampled. Where the differences less the null are multiples of one step
(accuracies over N images are), the number of patterns of each sum follows from unit to unit, for
any number of units (Pagano and Tritchler 1983). Other numbers are enumerated up to 36 units; beyond
they are moved to a fine grid, and the p value is an upper bound of the one without.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_ablation.errors import InputError
from cnn_ablation.inference.lattice import Lattice, common_step, on_lattice

# Off any grid: two halves of 2^18 sums each, some 30 ms.
ENUMERATED_UNITS = 36
# The sum of magnitudes in steps of the fine grid: with 60 units p is some 0.1 % too large.
FINE_STEPS = 2**20

# Sums closer than this, relative to the sum of magnitudes, are ties. Ties count as extreme, so an
# error here can only make p larger.
_TIE = 1e-10
# Counts of patterns are scaled by an exact power of two before they could leave float64.
_RESCALED_AFTER = 512


@dataclass(frozen=True)
class SignFlipTest:
    """A two-sided p value and how it was found.

    Attributes:
        p_value: in (0, 1].
        method: 'exact' (all 2^n patterns), or 'exact on a grid of STEP, rounded up' where the
            differences had to be moved to a grid: the p value is then no smaller than the exact.
    """

    p_value: float
    method: str


def sign_flip_test(
    differences: ArrayLike, null: float = 0.0, grid: float | None = None
) -> SignFlipTest:
    """Test, two-sided, that paired differences are symmetric about `null`.

    Args:
        differences: shape (n,), finite.
        null: the value tested, in the unit of the differences.
        grid: step of the differences where it is known, such as 1 / N for an accuracy over N
            images, or the one to move losses or times to; made finer where the null is no multiple
            of it. None looks for the largest that all share.

    Returns:
        The p value, exact for any number of pairs that share a step (relative rounding error at
        most n 2^-53, and none while fewer than 2^53 patterns are extreme). With no pairs, 1.

    Raises:
        InputError: for a grid that is no positive number.
    """
    if grid is not None and not 0.0 < grid < math.inf:
        raise InputError(f"grid {grid} must be a positive number")
    centred = np.asarray(differences, dtype=np.float64) - null
    lattice = _lattice_of(centred, null, grid)
    if lattice is not None:
        method = f"exact on a grid of {lattice.step:.3g}, rounded up" if lattice.error else "exact"
        return SignFlipTest(_p_on_lattice(lattice, abs(float(np.sum(centred)))), method)
    tolerance = _TIE * float(np.sum(np.abs(centred)))
    threshold = abs(float(np.sum(centred))) - tolerance
    if threshold <= 0.0:
        return SignFlipTest(1.0, "exact")
    p_value = 2.0 * _count_at_least(centred, threshold) / 2.0**centred.size
    return SignFlipTest(min(1.0, p_value), "exact")


def _lattice_of(centred: NDArray[np.float64], null: float, grid: float | None) -> Lattice | None:
    """The grid to count on; None where the patterns are enumerated instead."""
    if grid is not None:
        return on_lattice(centred, common_step([grid, null]) or grid)
    step = common_step(centred)
    if step is None and centred.size > ENUMERATED_UNITS:
        step = float(np.sum(np.abs(centred))) / FINE_STEPS
    return on_lattice(centred, step) if step else None


def _p_on_lattice(lattice: Lattice, observed: float) -> float:
    """The share of patterns whose sum is, up to the lattice's error, as large as the observed."""
    magnitudes = np.abs(lattice.counts)
    total = int(np.sum(magnitudes))
    if lattice.error:
        least = (observed - lattice.error) / lattice.step - _TIE * total
    else:
        least = float(abs(int(np.sum(lattice.counts))))
    # A pattern that flips units of magnitude u in all has the sum total - 2 u.
    most_flipped = math.floor((total - least) / 2.0)
    if least <= 0.0 or 2 * most_flipped >= total:
        return 1.0
    return min(1.0, 2.0 * _share_of_subsets(magnitudes, most_flipped)) or math.ulp(0.0)


def _share_of_subsets(magnitudes: NDArray[np.int64], most: int) -> float:
    """The share of the 2^n subsets whose sum is at most `most`, by dynamic programming."""
    counts = np.zeros(most + 1)
    counts[0] = 1.0
    reach, exponent = 0, magnitudes.size
    for used, magnitude in enumerate(np.sort(magnitudes).tolist(), start=1):
        reach = min(most, reach + magnitude)
        if magnitude <= reach:
            # NumPy buffers operands that overlap, so each unit is added once.
            counts[magnitude : reach + 1] += counts[: reach + 1 - magnitude]
        if used % _RESCALED_AFTER == 0:
            counts *= 2.0**-_RESCALED_AFTER
            exponent -= _RESCALED_AFTER
    return math.ldexp(float(np.sum(counts)), -exponent)


def _signed_sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """All 2^n sums of +-values."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums - value, sums + value])
    return sums


def _count_at_least(values: NDArray[np.float64], threshold: float) -> int:
    """How many of the 2^n signed sums reach the threshold: the two halves meet in the middle."""
    half = values.size // 2
    # Descending keys ask for ascending positions, which keeps the search inside the cache.
    left = np.sort(_signed_sums(values[:half]))
    right = np.sort(_signed_sums(values[half:]))
    below = np.searchsorted(right, threshold - left[::-1], side="left")
    return int(right.size * left.size - below.sum())


def smallest_p(n: int) -> float:
    """The smallest two-sided p value that n pairs can give: 2 / 2^n."""
    return min(1.0, math.ldexp(1.0, 1 - n) or math.ulp(0.0))


def units_to_reach(level: float, family_size: int = 1) -> int:
    """The fewest pairs with which the first step of Holm over the family can reach the level.

    Args:
        level: family-wise significance level, in (0, 1).
        family_size: number of contrasts in the family.
    """
    return max(1, math.ceil(1.0 - math.log2(level / family_size) - 1e-12))
