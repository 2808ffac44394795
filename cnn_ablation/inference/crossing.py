"""When a sum of signed whole numbers first crosses boundaries that spend a level over the looks.

Given the magnitudes, each sign is a fair coin under the null hypothesis, so the law of the sum at a
look, of the paths that have not crossed before, follows unit by unit in whole numbers. At each look
the boundary is the smallest one that spends no more than is allowed by then; what crosses it is
deleted from the law. A boundary uses no magnitude but those seen by its look, so the chance to
cross by look k is at most what may be spent by look k, given the magnitudes and hence over all;
stopping earlier for whatever reason can only lower it (Lan and DeMets 1983 for the spending).

The law is symmetric, so one boundary serves both directions.

Axes of arrays: L levels, K looks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def first_crossings(
    counts: NDArray[np.int64],
    looks: Sequence[int],
    shares: Sequence[float],
    levels: Sequence[float],
) -> NDArray[np.int64]:
    """The look at which the sum first crosses upwards and downwards, at each of several levels.

    Regions are nested: what crosses at a level crosses at a higher one, no later. Tests of discrete
    data need not be, since one that spent more early may have less left later. So a higher level
    never takes a boundary above that of the one before it, and takes no more beyond that one's
    region than their difference allows to be spent by the next look, which leaves room to follow.

    Args:
        counts: differences less the null in steps of a grid, in the order of the units; 0 for a
            pair that was dropped.
        looks: numbers of units of all declared looks; those beyond `counts` are not looked at.
        shares: share of a level that may be spent by each look, shape (K,).
        levels: one-sided, rising, each region nested in the next, shape (L,).

    Returns:
        Indices of looks, K where there is no crossing: upwards and downwards, shape (L, 2).
    """
    crossed = np.full((len(levels), 2), len(looks), dtype=np.int64)
    law = _Law(np.abs(counts), len(levels))
    spent = np.zeros(len(levels))
    for look, units in enumerate(looks):
        if units > counts.size:
            break
        law.advance(units)
        after = shares[look + 1] if look + 1 < len(shares) else np.inf
        first_cells = law.cross(np.asarray(levels), shares[look], after, spent)
        total = int(np.sum(counts[:units]))
        for column, signed in enumerate((total, -total)):
            reached = (law.reach + signed) // 2 >= first_cells
            fresh = reached & (crossed[:, column] == len(looks))
            crossed[fresh, column] = look
    return crossed


class _Law:
    """Probabilities of the signed sum among paths that have not crossed, level by level.

    Cell u holds those in which the units of positive sign have magnitudes of u in all: their signed
    sum is 2 u - reach.
    """

    def __init__(self, magnitudes: NDArray[np.int64], levels: int) -> None:
        self.magnitudes = magnitudes
        self.cells = np.zeros((levels, int(np.sum(magnitudes)) + 1))
        self.cells[:, 0] = 1.0
        self.reach = self.units = 0

    def advance(self, units: int) -> None:
        """Adds units up to the number given."""
        steps = self.magnitudes[self.units : units]
        steps = steps[steps > 0].tolist()
        for magnitude in steps:
            self.cells[:, magnitude : self.reach + magnitude + 1] += self.cells[:, : self.reach + 1]
            self.reach += magnitude
        # Halving for all at once is exact: a power of two.
        self.cells[:, : self.reach + 1] *= 2.0 ** -len(steps)
        self.units = units

    def cross(
        self,
        levels: NDArray[np.float64],
        share: float,
        next_share: float,
        spent: NDArray[np.float64],
    ) -> NDArray[np.int64]:
        """Deletes what crosses at this look, adds it to `spent`, and returns the first such cell.

        Args:
            levels: shape (L,).
            share: of each level that may be spent by now.
            next_share: by the next look; infinite at the last.
            spent: by each level until now, shape (L,); changed in place.
        """
        first_cells = np.empty(len(levels), dtype=np.int64)
        for row, level in enumerate(levels):
            budget = level * share - spent[row]
            if row:
                beyond = (level - levels[row - 1]) * next_share
                budget = min(budget, beyond + spent[row - 1] - spent[row])
            from_top = np.cumsum(self.cells[row, self.reach :: -1])
            within = int(np.searchsorted(from_top, budget, side="right"))
            if row:
                # Rounding must not undo what the budgets make sure of.
                within = max(within, self.reach + 1 - int(first_cells[row - 1]))
            first_cells[row] = self.reach + 1 - within
            if within:
                spent[row] += from_top[within - 1]
                self.cells[row, first_cells[row] : self.reach + 1] = 0.0
        return first_cells
