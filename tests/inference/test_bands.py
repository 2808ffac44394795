"""Bands around curves: that they cover, that they are no wider than they need be."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from cnn_ablation.errors import InputError
from cnn_ablation.inference import simultaneous_band, t_interval

WORLDS = 400
# Of so many worlds at a true coverage of 0.95, fewer than 0.925 cover once in 100 times; worlds
# are the same each time, so the bound says how far below the level the band may lie.
LEAST = 0.925


def _curves(
    units: int, points: int, together: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Curves whose neighbouring points have a correlation, shape (units, points)."""
    steps = np.abs(np.subtract.outer(np.arange(points), np.arange(points)))
    root = np.linalg.cholesky(together**steps + 1e-12 * np.eye(points))
    found: NDArray[np.float64] = rng.standard_normal((units, points)) @ root.T
    return found


@pytest.mark.parametrize("units", [5, 10, 20])
@pytest.mark.parametrize("together", [0.0, 0.9, 0.99])
def test_the_whole_curve_is_covered_at_the_level(units: int, together: float) -> None:
    rng = np.random.default_rng(units)
    covered = 0
    for _ in range(WORLDS):
        band = simultaneous_band(_curves(units, 12, together, rng))
        assert band is not None
        covered += all(low <= 0.0 <= high for low, high in zip(band.low, band.high, strict=True))
    assert covered / WORLDS >= LEAST


def test_points_that_move_together_cost_less_than_bonferroni() -> None:
    units, points = 20, 20
    values = _curves(units, points, 0.99, np.random.default_rng(3))
    band = simultaneous_band(values)
    assert band is not None
    half = np.subtract(band.high, band.mean) / (values.std(axis=0, ddof=1) / units**0.5)
    assert np.ptp(half) < 1e-9
    assert stats.t.isf(0.025, units - 1) < half[0] < 0.85 * stats.t.isf(0.025 / points, units - 1)


def test_one_point_has_about_student_s_interval_and_never_more() -> None:
    values = np.random.default_rng(0).normal(1.0, 2.0, 30)
    band, interval = simultaneous_band(values[:, None]), t_interval(values)
    assert band is not None and interval is not None
    assert band.high[0] <= interval.high + 1e-12
    assert band.high[0] == pytest.approx(interval.high, abs=0.1)


def test_equal_units_have_no_width_and_one_unit_no_band() -> None:
    band = simultaneous_band([[1.0, 2.0]] * 4)
    assert band is not None
    assert band.low == band.high == band.mean == (1.0, 2.0)
    assert simultaneous_band([[1.0, 2.0]]) is None


def test_equal_differences_give_equal_bands() -> None:
    values = np.random.default_rng(1).normal(size=(40, 5))
    assert simultaneous_band(values) == simultaneous_band(values)


def test_another_shape_is_refused() -> None:
    with pytest.raises(InputError, match="shape"):
        simultaneous_band([1.0, 2.0])
