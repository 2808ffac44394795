"""Intervals that hold after stopping: the advantages that the sequential test does not reject."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnn_ablation.inference.crossing import first_crossings
from cnn_ablation.inference.intervals import Interval
from cnn_ablation.inference.sequential_counts import counts_of
from cnn_ablation.inference.spending import SequentialDesign

# Limits are tried from outside inwards, on so many points over the range of the differences, first
# coarsely: those that are rejected need not lie all on one side, so bisection alone might miss one.
_FINE_POINTS = 1024
_COARSE_STEP = 32


def sequential_interval(
    advantages: NDArray[np.float64], grid: float, design: SequentialDesign, level: float
) -> Interval | None:
    """Repeated confidence interval of the mean advantage (Jennison and Turnbull 1984).

    Valid at any look, whatever made the study stop there, since no true advantage is ever left out
    by any look more often than the level says. Ends are rounded outwards, by a step of the grid or
    1/1024 of the range of the differences.

    Args:
        advantages: paired differences in the order of the units, NaN where dropped, shape (n,).
        grid: step to count in, see `grid_of`.
        design: the schedule.
        level: one-sided, of each end; for simultaneous intervals the first of `direction_levels`.

    Returns:
        The interval; None where the units are too few for one with ends.
    """
    high = _upper_end(advantages, grid, design, level)
    low = _upper_end(-advantages, grid, design, level)
    if high is None or low is None:
        return None
    # Looks may contradict each other; what lies between their ends is then in doubt.
    return Interval(min(-low, high), max(-low, high))


def _upper_end(
    advantages: NDArray[np.float64], grid: float, design: SequentialDesign, level: float
) -> float | None:
    """The lowest limit tried such that it and all higher ones tried are rejected from above."""
    pairs = advantages[np.isfinite(advantages)]
    if not pairs.size:
        return None
    top, bottom = float(np.max(pairs)), float(np.min(pairs))
    step = grid * max(1, round((top - bottom) / grid / _FINE_POINTS))

    def rejected(point: int) -> bool:
        counts = counts_of(advantages, top + step - point * step, grid)
        crossings = first_crossings(counts, design.looks, design.shares(), [level])
        return bool(crossings[0, 1] < len(design.looks))

    if not rejected(0):
        return None
    inside = 0
    while rejected(inside + _COARSE_STEP):
        inside += _COARSE_STEP
    outside = inside + _COARSE_STEP
    while outside - inside > 1:
        middle = (inside + outside) // 2
        inside, outside = (middle, outside) if rejected(middle) else (inside, middle)
    # No digits of rounding errors: differences have twelve.
    return float(f"{top + step - inside * step:.12g}")
