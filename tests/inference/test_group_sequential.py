"""Levels of looks, and intervals for new images at them."""

import math

import numpy as np
import pytest
from scipy import stats

from cnn_ablation.inference import SequentialDesign, compare_crossed
from cnn_ablation.inference.crossed_power import detectable_on_new_images, seeds_on_these_images
from cnn_ablation.inference.crossed_sequential import crossed_at_looks
from cnn_ablation.inference.group_sequential import nominal_levels

LOOKS = (10, 20, 40)


@pytest.mark.parametrize("spending", ["linear", "square-root", "cubic"])
@pytest.mark.parametrize("level", [0.025, 0.0025])
def test_looks_spend_what_they_may_by_the_multivariate_normal(spending: str, level: float) -> None:
    design = SequentialDesign(LOOKS, spending=spending)
    bounds = stats.norm.isf(nominal_levels(design, level))
    shares = design.shares()
    for count in range(1, len(LOOKS) + 1):
        # Independent of the recursion: sums of n and m > n units correlate as sqrt(n / m).
        looks = np.array(LOOKS[:count], float)
        covariance = np.sqrt(np.minimum.outer(looks, looks) / np.maximum.outer(looks, looks))
        if count == 1:
            inside = stats.norm.cdf(bounds[0])
        else:
            inside = stats.multivariate_normal.cdf(
                bounds[:count], cov=covariance, abseps=1e-9, releps=1e-9, maxpts=2_000_000
            )
        assert 1.0 - inside == pytest.approx(level * shares[count - 1], abs=3e-6)


def test_one_look_has_the_whole_level_and_equal_looks_the_published_boundaries() -> None:
    assert nominal_levels(SequentialDesign((20,)), 0.025)[0] == pytest.approx(0.025)
    five = nominal_levels(SequentialDesign((1, 2, 3, 4, 5), spending="cubic"), 0.025)
    assert stats.norm.isf(five) == pytest.approx([3.540, 2.974, 2.605, 2.306, 2.045], abs=2e-3)


def rows(seeds: int, dropped: int | None = None) -> list[np.ndarray | None]:
    rng = np.random.default_rng(0)
    shared = rng.random(500) < 0.1
    made: list[np.ndarray | None] = [
        ((rng.random(500) < 0.1) | shared).astype(np.int8) - (rng.random(500) < 0.1)
        for _ in range(seeds)
    ]
    if dropped is not None:
        made[dropped] = None
    return made


def test_each_look_narrows_what_the_earlier_ones_left() -> None:
    design = SequentialDesign(LOOKS)
    found = crossed_at_looks(rows(40), design, 0.025)
    assert [crossed.seeds for crossed, _ in found] == list(LOOKS)
    lows, highs = zip(*((interval.low, interval.high) for _, interval in found), strict=True)
    assert sorted(lows) == list(lows)
    assert sorted(highs, reverse=True) == list(highs)
    first, levels = found[0], nominal_levels(design, 0.025)
    assert first[1] == first[0].interval(2 * levels[0])


def test_looks_are_taken_of_whole_numbers_of_seeds_and_dropped_pairs_are_left_out() -> None:
    design = SequentialDesign(LOOKS)
    assert len(crossed_at_looks(rows(39), design, 0.025)) == 2
    assert crossed_at_looks(rows(9), design, 0.025) == []
    ((crossed, _),) = crossed_at_looks(rows(12, dropped=3), design, 0.025)
    assert crossed.seeds == 9


def test_seeds_to_plan_with_are_those_that_detect_the_distance() -> None:
    made = [row for row in rows(40) if row is not None]
    crossed = compare_crossed(np.stack(made))
    assert crossed is not None
    own = detectable_on_new_images(crossed, 0.05)
    needed = seeds_on_these_images(crossed, own, 0.05)
    assert needed == 40
    assert seeds_on_these_images(crossed, own * 1.3, 0.05) < 40  # type: ignore[operator]
    # No number of seeds makes up for too few images.
    assert seeds_on_these_images(crossed, math.sqrt(crossed.image_error), 0.05) is None
    assert seeds_on_these_images(crossed, 0.0, 0.05) is None
