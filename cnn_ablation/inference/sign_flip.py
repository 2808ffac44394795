"""The exact sign-flip test, and what it can reach with so many units.

Under the hypothesis that the differences are symmetric about the null value (which holds whenever
the two variants are exchangeable, whatever their distribution), every pattern of signs was equally
likely. The p value is the share of the 2^n patterns whose sum is at least as far from zero as the
one seen (Fisher 1935, The Design of Experiments, section 21).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Two halves of 2^18 sums each: some 30 ms. Beyond, patterns are sampled.
EXACT_LIMIT = 36
MONTE_CARLO_FLIPS = 100_000
_CHUNK = 10_000
_MONTE_CARLO_SEED = 0

# Sums closer than this, relative to the sum of magnitudes, are ties. Ties count as extreme, so an
# error here can only make p larger.
_TIE = 1e-10


@dataclass(frozen=True)
class SignFlipTest:
    """A two-sided p value and how it was found.

    Attributes:
        p_value: in (0, 1].
        method: 'exact' (all 2^n patterns) or 'monte-carlo' (a fixed random sample of them).
    """

    p_value: float
    method: str


def sign_flip_test(differences: ArrayLike, null: float = 0.0) -> SignFlipTest:
    """Test, two-sided, that paired differences are symmetric about `null`.

    Args:
        differences: shape (n,), finite.
        null: the value tested, in the unit of the differences.

    Returns:
        The exact p value up to 36 pairs; beyond, a Monte-Carlo one from 100,000 fixed patterns,
        counting the observed one (Phipson and Smyth 2010), and `method` says so. With no pairs, 1.
    """
    centred = np.asarray(differences, dtype=np.float64) - null
    tolerance = _TIE * float(np.sum(np.abs(centred)))
    threshold = abs(float(np.sum(centred))) - tolerance
    exact = centred.size <= EXACT_LIMIT
    if threshold <= 0.0:
        p_value = 1.0
    elif exact:
        p_value = 2.0 * _count_at_least(centred, threshold) / 2.0**centred.size
    else:
        p_value = _sampled_p(centred, threshold)
    return SignFlipTest(min(1.0, p_value), "exact" if exact else "monte-carlo")


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


def _sampled_p(values: NDArray[np.float64], threshold: float) -> float:
    rng = np.random.default_rng(_MONTE_CARLO_SEED)
    extreme = 0
    for _ in range(MONTE_CARLO_FLIPS // _CHUNK):
        signs = rng.integers(0, 2, size=(_CHUNK, values.size), dtype=np.int8) * 2.0 - 1.0
        extreme += int(np.count_nonzero(np.abs(signs @ values) >= threshold))
    return (1 + extreme) / (1 + MONTE_CARLO_FLIPS)


def smallest_p(n: int) -> float:
    """The smallest two-sided p value that n pairs can give: 2 / 2^n while the test is exact."""
    if n > EXACT_LIMIT:
        return 1.0 / (1 + MONTE_CARLO_FLIPS)
    return min(1.0, 2.0 / 2.0**n)


def units_to_reach(level: float, family_size: int = 1) -> int:
    """The fewest pairs with which the first step of Holm over the family can reach the level.

    Args:
        level: family-wise significance level, in (0, 1).
        family_size: number of contrasts in the family.
    """
    return max(1, math.ceil(1.0 - math.log2(level / family_size) - 1e-12))
