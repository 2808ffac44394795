"""Levels of the looks of a sequential study for estimates that are nearly normal.

The chance of a statistic with independent increments to cross by look k is spent by the declared
function (Lan and DeMets 1983); the boundary at each look follows from the density of the paths that
have not crossed before, carried from look to look by numerical integration (Armitage, McPherson and
Rowe 1969). An estimate over seeds and images has a part that all looks share, the images; its looks
are more alike than those of independent increments, and by Slepian's inequality the chance to cross
at any of them is then smaller: the level is kept.
"""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cnn_ablation.inference.scipy_later import optimize, stats
from cnn_ablation.inference.spending import SequentialDesign

_POINTS = 801
# Standard deviations beyond which no path is followed.
_REACH = 8.0


@cache
def nominal_levels(design: SequentialDesign, level: float) -> tuple[float, ...]:
    """One-sided level of an interval's end at each look, so that all looks err with `level`.

    Args:
        design: looks and spending.
        level: one-sided, over all looks.

    Returns:
        A level a look; a two-sided interval at that look has twice as much.
    """
    shares = (0.0, *design.shares())
    budgets = [level * (late - early) for early, late in itertools.pairwise(shares)]
    # Where the sum of so many units stands, and the chance of it among paths that have not crossed.
    places, masses = np.zeros(1), np.ones(1)
    found, before = [], 0
    for units, budget in zip(design.looks, budgets, strict=True):
        spread = (units - before) ** 0.5
        boundary = _boundary(places, masses, spread, budget)
        found.append(float(stats.norm.sf(boundary / units**0.5)))
        later = np.linspace(-_REACH * units**0.5, boundary, _POINTS)
        density = stats.norm.pdf((later[:, None] - places) / spread) @ masses / spread
        places, masses = later, density * _trapezoid(later)
        before = units
    return tuple(found)


def _boundary(
    places: NDArray[np.float64], masses: NDArray[np.float64], spread: float, budget: float
) -> float:
    """What the sum crosses with the chance of a budget after a normal step from its places."""

    def excess(boundary: float) -> float:
        return float(stats.norm.sf((boundary - places) / spread) @ masses) - budget

    top = float(places[-1]) + _REACH * spread
    return float(optimize.brentq(excess, float(places[0]) - _REACH * spread, top))


def _trapezoid(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of a sum over equally spaced places that stand for an integral."""
    weights = np.full(places.size, places[1] - places[0])
    weights[[0, -1]] /= 2.0
    return weights
