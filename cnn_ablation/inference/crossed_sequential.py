"""Intervals for new seeds and new images at the looks of a sequential study.

Axes of arrays: S seeds, I images.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cnn_ablation.inference.crossed import CrossedComparison, compare_crossed
from cnn_ablation.inference.group_sequential import nominal_levels
from cnn_ablation.inference.intervals import Interval
from cnn_ablation.inference.spending import SequentialDesign


def crossed_at_looks(
    rows: Sequence[NDArray[np.int8] | None], design: SequentialDesign, level: float
) -> list[tuple[CrossedComparison, Interval]]:
    """The comparison at each look that so many seeds complete, and what all looks so far leave.

    Intervals hold at all looks at once, so each look narrows what the earlier ones left. Where two
    looks contradict each other, what lies between them is in doubt.

    Args:
        rows: differences in correctness of each seed, shape (I,), in the declared order; None for
            a pair that was dropped.
        design: the schedule.
        level: one-sided, of each end over all looks.

    Returns:
        One a look, as long as there are two seeds or more; empty before.
    """
    found: list[tuple[CrossedComparison, Interval]] = []
    low, high = -np.inf, np.inf
    for units, nominal in zip(design.looks, nominal_levels(design, level), strict=True):
        if units > len(rows):
            break
        kept = [row for row in rows[:units] if row is not None]
        crossed = compare_crossed(np.stack(kept)) if len(kept) > 1 else None
        if crossed is None:
            continue
        own = crossed.interval(2.0 * nominal)
        low, high = max(low, own.low), min(high, own.high)
        found.append((crossed, Interval(min(low, high), max(low, high))))
    return found
