"""A curve of mean differences with a band that covers it at all its points at once."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_ablation.errors import InputError
from cnn_ablation.inference.scipy_later import stats

# Up to so many units every pattern of signs is looked at; beyond, so many that are drawn.
_ENUMERATED_UNITS = 12
_PATTERNS = 1 << _ENUMERATED_UNITS
_SEED = 0


@dataclass(frozen=True)
class Band:
    """A mean curve and its band, each of shape (points,), in the unit of the differences.

    Attributes:
        mean: the mean difference at each point.
        low: the band's lower edge.
        high: its upper edge.
    """

    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def simultaneous_band(differences: ArrayLike, level: float = 0.05) -> Band | None:
    """A band around mean differences that holds the whole true curve with 1 - level.

    The half width at a point is c standard errors with one c for all points: the quantile of the
    largest |t| over the points when whole units change their sign at random (a studentised
    maximum over sign flips of the centred curves; Westfall and Young 1993 for the maximum). Points
    that rise and fall together, as epochs of one training do, so cost little. Where few units make
    that quantile larger than Bonferroni's over the points, Bonferroni's is taken. The centre is
    estimated, so the level is not exact: `tests/inference/test_bands.py` has coverage by
    simulation.

    Args:
        differences: shape (units, points), finite: a row a seed, a column an epoch.
        level: of the band; divide by the number of bands that are to hold together.

    Returns:
        The band, of no width where all units agree; None for fewer than two units.

    Raises:
        InputError: for another shape.
    """
    values_NE = np.asarray(differences, dtype=np.float64)
    if values_NE.ndim != 2 or values_NE.shape[1] == 0:
        raise InputError(f"differences: must have the shape (units, points), not {values_NE.shape}")
    units, points = values_NE.shape
    if units < 2:
        return None
    mean_E = values_NE.mean(axis=0)
    centred_NE = values_NE - mean_E
    errors_E = centred_NE.std(axis=0, ddof=1) / units**0.5
    bonferroni = float(stats.t.isf(level / (2.0 * points), units - 1))
    half_E = min(_flipped_quantile(centred_NE, level), bonferroni) * errors_E
    return Band(tuple(mean_E), tuple(mean_E - half_E), tuple(mean_E + half_E))


def _flipped_quantile(centred_NE: NDArray[np.float64], level: float) -> float:
    """The quantile 1 - level of the largest |t| over the points, the units' signs being random."""
    units = len(centred_NE)
    means_PE = _signs(units) @ centred_NE / units
    squares_E = np.sum(centred_NE**2, axis=0)
    # Signs leave squares as they are, so the variance of a pattern follows from its mean.
    variances_PE = (squares_E - units * means_PE**2) / (units - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t_PE = np.abs(means_PE) / np.sqrt(np.maximum(variances_PE, 0.0) / units)
    # A point at which all units agree has no spread and no say.
    largest_P = np.max(np.where(squares_E > 0.0, t_PE, 0.0), axis=1)
    return float(np.quantile(largest_P, 1.0 - level, method="higher"))


def _signs(units: int) -> NDArray[np.float64]:
    """Patterns of signs, shape (patterns, units): all of them, or the same ones at every call."""
    if units <= _ENUMERATED_UNITS:
        return np.array(list(itertools.product((-1.0, 1.0), repeat=units)))
    return np.random.default_rng(_SEED).choice((-1.0, 1.0), size=(_PATTERNS, units))
