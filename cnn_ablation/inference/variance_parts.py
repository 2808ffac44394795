"""Which source of randomness moves a figure by how much: crossed random effects.

Every level of every source is combined with every level of the others, once. The variance of a
figure is then the sum of a part for each set of sources: what a source does by itself, and what
sources do together that they do not do apart. The mean squares of such a design give unbiased
estimates (Searle, Casella and McCulloch, Variance Components, 1992); each is a sum and difference
of mean squares, whose interval is that of modified large samples (Burdick and Graybill, Confidence
Intervals on Variance Components, 1992).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from cnn_ablation.errors import InputError
from cnn_ablation.inference.intervals import Interval

_Sources = frozenset[int]


@dataclass(frozen=True)
class VariancePart:
    """What one set of sources contributes to the variance of a single value.

    Attributes:
        sources: their names; several are what they do only together. The set of all sources holds
            whatever else is random, too.
        variance: estimate, in the unit of the values squared; never below zero.
        interval: of the variance; its lower bound is never below zero.
    """

    sources: tuple[str, ...]
    variance: float
    interval: Interval

    @property
    def sd(self) -> float:
        """The same as a standard deviation."""
        return math.sqrt(self.variance)


@dataclass(frozen=True)
class _MeanSquare:
    value: float
    freedom: int


def variance_parts(
    values: ArrayLike, sources: Sequence[str], level: float = 0.05
) -> list[VariancePart]:
    """Splits the variance of values from a full crossing of sources.

    Args:
        values: one axis a source, two levels of each at least.
        sources: names of the axes.
        level: two-sided, of each interval.

    Returns:
        A part for every set of sources: single ones first.

    Raises:
        InputError: an axis has fewer than two levels or no name, or a value is not finite.
    """
    table = np.asarray(values, np.float64)
    if table.ndim != len(sources) or not table.ndim:
        raise InputError(f"{table.ndim} axes of values: must be one for each of {list(sources)}")
    if min(table.shape) < 2 or not np.isfinite(table).all():
        raise InputError("values: must be finite, of two levels of each source or more")
    squares = _mean_squares(table)
    every = sorted(squares, key=lambda those: (len(those), sorted(those)))
    return [_part(those, squares, table.shape, sources, level) for those in every]


def _mean_squares(table: NDArray[np.float64]) -> dict[_Sources, _MeanSquare]:
    """The mean square of every set of sources, from its effects and their degrees of freedom."""
    axes = range(table.ndim)
    found = {}
    for size in range(1, table.ndim + 1):
        for those in map(frozenset, itertools.combinations(axes, size)):
            effects = table.mean(axis=tuple(a for a in axes if a not in those), keepdims=True)
            for axis in those:
                effects = effects - effects.mean(axis=axis, keepdims=True)
            repeated = math.prod(table.shape[a] for a in axes if a not in those)
            freedom = math.prod(table.shape[a] - 1 for a in those)
            found[those] = _MeanSquare(repeated * float(np.sum(effects**2)) / freedom, freedom)
    return found


def _part(
    those: _Sources,
    squares: dict[_Sources, _MeanSquare],
    shape: tuple[int, ...],
    names: Sequence[str],
    level: float,
) -> VariancePart:
    """The expected mean square of a set holds the parts of all sets around it: solved for its."""
    repeated = math.prod(n for axis, n in enumerate(shape) if axis not in those)
    around = [other for other in squares if other >= those]
    plus = [squares[one] for one in around if (len(one) - len(those)) % 2 == 0]
    minus = [squares[one] for one in around if (len(one) - len(those)) % 2]
    estimate = sum(one.value for one in plus) - sum(one.value for one in minus)
    low = estimate - math.sqrt(_distance(plus, minus, level / 2))
    high = estimate + math.sqrt(_distance(minus, plus, level / 2))
    interval = Interval(max(0.0, low) / repeated, max(0.0, high) / repeated)
    named = tuple(names[axis] for axis in sorted(those))
    return VariancePart(named, max(0.0, estimate) / repeated, interval)


def _distance(plus: Sequence[_MeanSquare], minus: Sequence[_MeanSquare], tail: float) -> float:
    """The square of how far the lower bound of sum(plus) - sum(minus) lies below the estimate."""
    total = sum((_shrunk(one, tail) * one.value) ** 2 for one in plus)
    total += sum((_grown(one, tail) * one.value) ** 2 for one in minus)
    for one, other in itertools.product(plus, minus):
        ratio = float(stats.f.isf(tail, one.freedom, other.freedom))
        factor = (ratio - 1) ** 2 - (_shrunk(one, tail) * ratio) ** 2 - _grown(other, tail) ** 2
        total += factor / ratio * one.value * other.value
    return max(0.0, total)


def _shrunk(one: _MeanSquare, tail: float) -> float:
    """By what share of itself a mean square may lie above what it estimates."""
    return float(1.0 - one.freedom / stats.chi2.isf(tail, one.freedom))


def _grown(one: _MeanSquare, tail: float) -> float:
    """By what share of itself a mean square may lie below what it estimates."""
    return float(one.freedom / stats.chi2.ppf(tail, one.freedom) - 1.0)
