"""Numbers as whole multiples of a step, on which patterns of signs can be counted exactly.

The difference of two accuracies is a count of images over their number, so a few dozen of them lie
on a coarse grid, and so do they less a margin, on a finer one where the margin is no whole count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

# The sum of magnitudes in steps: as many cells as a law of sums may have, some 30 MB.
MOST_STEPS = 2**22
# How far from a multiple, in steps, a value may lie that still counts as one: room for numbers that
# were rounded at 12 significant digits. Moving a value so little can only turn near-ties into ties.
_OFF_STEP = 1e-4


@dataclass(frozen=True)
class Lattice:
    """Values as whole numbers of steps.

    Attributes:
        counts: the values in steps, shape (n,), int64.
        step: in the unit of the values; positive.
        error: sum of what rounding to the grid moved the values by; 0 where they lie on it.
    """

    counts: NDArray[np.int64]
    step: float
    error: float


def on_lattice(values: ArrayLike, step: float) -> Lattice:
    """Values moved to the nearest multiples of a step, alike on both sides of zero.

    Args:
        values: shape (n,), finite.
        step: positive; made coarser where the sum of magnitudes would exceed 2^22 steps.
    """
    numbers = np.asarray(values, dtype=np.float64)
    step = max(step, float(np.sum(np.abs(numbers))) / MOST_STEPS)
    counts = np.rint(numbers / step)
    errors = np.abs(numbers - counts * step)
    on_grid = float(np.max(errors, initial=0.0)) <= _OFF_STEP * step
    return Lattice(counts.astype(np.int64), step, 0.0 if on_grid else float(np.sum(errors)))


def common_step(values: ArrayLike) -> float | None:
    """The largest step of which all values are multiples, found by Euclid's algorithm.

    Args:
        values: shape (n,), finite.

    Returns:
        The step in the unit of the values, or None where there is none of which the sum of
        magnitudes has 2^22 or fewer, as among measured times; or where all values are zero.
    """
    magnitudes = np.abs(np.asarray(values, dtype=np.float64))
    magnitudes = magnitudes[magnitudes > 0.0]
    smallest = float(np.sum(magnitudes)) / MOST_STEPS
    step = 0.0
    for magnitude in magnitudes.tolist():
        step = _common_divisor(magnitude, step, smallest / 2.0)
        if step < smallest / 2.0:
            return None
    if step == 0.0:
        return None
    counts = np.rint(magnitudes / step)
    # Least squares over all values: Euclid's last remainder carries the rounding of few of them.
    step = float(magnitudes @ counts / (counts @ counts))
    off = np.abs(magnitudes - np.rint(magnitudes / step) * step)
    return step if float(np.max(off)) <= _OFF_STEP * step and step >= smallest else None


def _common_divisor(a: float, b: float, zero: float) -> float:
    """Euclid's algorithm with nearest remainders; what is not above `zero` counts as none."""
    while b > zero:
        a, b = b, abs(a - round(a / b) * b)
    return a
