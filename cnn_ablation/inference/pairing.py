"""Bring two variants' results together unit by unit, and say what had no partner."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Differences are rounded at this many significant digits of the largest value, so that 0.9851 -
# 0.9841 is 0.001 and equal differences are ties, not neighbours one rounding error apart.
SIGNIFICANT_DIGITS = 12
# NumPy rounds by multiplying with 10^decimals, which must itself be a float64.
_MOST_DECIMALS = 300


@dataclass(frozen=True)
class PairedSample:
    """The units that both variants finished, in a fixed order.

    Attributes:
        units: the seeds (or timing rounds) used, sorted.
        a: values of the first variant, shape (n,).
        b: values of the second variant, shape (n,).
        differences: a - b free of representation noise, shape (n,).
        dropped: units seen for either variant but not used: no partner, or not a finite number.
    """

    units: tuple[Hashable, ...]
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    differences: NDArray[np.float64]
    dropped: int

    @property
    def n(self) -> int:
        """Number of pairs."""
        return len(self.units)


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def pair(
    values_a: Mapping[Any, float | None], values_b: Mapping[Any, float | None]
) -> PairedSample:
    """Match two variants' results by unit.

    A trial that diverged may be given as None or NaN, or not at all; its pair is dropped and
    counted. The order of the mappings does not matter: the result is a function of their content.

    Args:
        values_a: unit -> value of the first variant.
        values_b: unit -> value of the second variant.

    Returns:
        The pairs that can be compared.
    """
    everyone = sorted(values_a.keys() | values_b.keys(), key=lambda u: (isinstance(u, str), u))
    units = [
        unit
        for unit in everyone
        if _is_finite(values_a.get(unit)) and _is_finite(values_b.get(unit))
    ]
    a = np.array([values_a[unit] for unit in units], dtype=np.float64)
    b = np.array([values_b[unit] for unit in units], dtype=np.float64)
    return PairedSample(tuple(units), a, b, _without_noise(a, b), len(everyone) - len(units))


def _without_noise(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    largest = float(np.max(np.abs(np.concatenate([a, b])), initial=0.0))
    if largest == 0.0:
        return a - b
    decimals = SIGNIFICANT_DIGITS - math.ceil(math.log10(largest))
    return np.round(a - b, min(decimals, _MOST_DECIMALS))
