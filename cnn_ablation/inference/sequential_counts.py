"""Differences as whole numbers of steps, for the boundaries of a sequential study."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnn_ablation.inference.lattice import common_step
from cnn_ablation.inference.spending import SequentialDesign

# Where differences share no step: steps in the sum of magnitudes of the first look.
FINE_STEPS = 2**14
# No difference counts for more steps than this, so that one wild value cannot exhaust the memory.
_MOST_COUNT = 2**17


def grid_of(advantages: NDArray[np.float64], margin: float, design: SequentialDesign) -> float:
    """The step in which a contrast's differences are counted, positive.

    A declared grid, made finer where the margin is no multiple of it; else the largest step that
    differences and margin share; else, as with losses and times, a fine one from the magnitudes of
    the first look. Differences less a limit are rounded alike on both sides of it, which keeps them
    symmetric, so the test of the rounded ones is as exact.
    """
    if design.grid is not None:
        return common_step([design.grid, margin]) or design.grid
    finite = advantages[np.isfinite(advantages)]
    step = common_step(np.append(finite, margin))
    if step is None:
        first = advantages[: design.looks[0]]
        first = first[np.isfinite(first)]
        step = float(np.sum(np.abs(first - margin))) / FINE_STEPS
    return step or 1.0


def counts_of(advantages: NDArray[np.float64], null: float, grid: float) -> NDArray[np.int64]:
    """Advantages less a null in steps of a grid, shape (n,); 0 for pairs that were dropped."""
    counts = np.rint((advantages - null) / grid)
    counts = np.clip(np.nan_to_num(counts), -_MOST_COUNT, _MOST_COUNT)
    return counts.astype(np.int64)
