"""The exact sign-flip test for any number of units, against enumeration in whole numbers."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from cnn_ablation.errors import InputError
from cnn_ablation.inference import sign_flip_test, smallest_p
from cnn_ablation.inference.lattice import MOST_STEPS, common_step, on_lattice

Array = NDArray[np.float64]


def by_meeting_in_the_middle(differences: Array, null: float = 0.0) -> float:
    """The p value as it was found up to 36 units before patterns were counted by their sums."""

    def signed_sums(values: Array) -> Array:
        sums = np.zeros(1)
        for value in values:
            sums = np.concatenate([sums - value, sums + value])
        return np.sort(sums)

    centred = differences - null
    threshold = abs(float(np.sum(centred))) - 1e-10 * float(np.sum(np.abs(centred)))
    if threshold <= 0.0:
        return 1.0
    half = centred.size // 2
    left, right = signed_sums(centred[:half]), signed_sums(centred[half:])
    below = int(np.searchsorted(right, threshold - left, side="left").sum())
    return min(1.0, 2.0 * (left.size * right.size - below) / 2.0**centred.size)


def by_counting(counts: list[int]) -> Fraction:
    """The p value in whole numbers of any size: a dictionary of sums, no array, no float."""
    law = {0: 1}
    for count in counts:
        after: dict[int, int] = {}
        for total, ways in law.items():
            for reached in (total + count, total - count):
                after[reached] = after.get(reached, 0) + ways
        law = after
    observed = abs(sum(counts))
    return Fraction(
        sum(ways for total, ways in law.items() if abs(total) >= observed), 2 ** len(counts)
    )


@given(st.lists(st.integers(-40, 40), min_size=1, max_size=11), st.integers(-9, 9))
@settings(max_examples=120, deadline=None)
def test_fractional_nulls_on_a_finer_grid_equal_enumeration(counts: list[int], tenths: int) -> None:
    """Differences in images of 10,000, nulls in tenths of an image: a grid of 1e-5."""
    centred = [10 * count - tenths for count in counts]
    signs = np.array(list(itertools.product((-1, 1), repeat=len(counts))))
    expected = float(np.mean(np.abs(signs @ np.array(centred)) >= abs(sum(centred))))
    differences = [count / 10_000 for count in counts]
    for grid in (None, 1e-4):
        found = sign_flip_test(differences, tenths / 100_000, grid)
        assert found.method == "exact"
        assert found.p_value == pytest.approx(expected, rel=1e-12)


@given(st.integers(0, 10_000), st.integers(12, 16), st.sampled_from(["images", "normal"]))
@settings(max_examples=25, deadline=None)
def test_up_to_16_units_equal_enumeration(seed: int, n: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(4.0, 14.0, size=n)
    differences = np.rint(values) / 10_000 if kind == "images" else values / 10_000
    signs = ((np.arange(2**n)[:, None] >> np.arange(n)) & 1) * 2.0 - 1.0
    sums = np.abs(signs @ (differences - 0.001))
    expected = np.mean(sums >= abs(float(np.sum(differences - 0.001))) - 1e-12)
    assert sign_flip_test(differences, 0.001).p_value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [17, 20, 25, 30])
@pytest.mark.parametrize("images", [1, 500, 10_000, 60_000])
def test_up_to_30_units_equal_what_was_found_before(n: int, images: int) -> None:
    rng = np.random.default_rng([n, images])
    for spread in (0.5, 3.0, 40.0):
        differences = np.rint(rng.normal(spread / 4, spread, size=n)) / images
        for null in (0.0, 0.001, -0.001):
            found = sign_flip_test(differences, null)
            assert found.method == "exact"
            expected = by_meeting_in_the_middle(differences, null)
            assert found.p_value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("images", [3333, 60_000])
def test_ties_survive_numbers_given_at_12_digits(images: int) -> None:
    counts = np.array([1, -1, 2, 1, 0, 3, -2, 1, 1, 2, -1, 0, 1, 2, 1, -1, 1, 4, 0, 1])
    expected = float(by_counting(counts.tolist()))
    rounded = np.round(counts / images, 12)
    assert sign_flip_test(rounded).p_value == pytest.approx(expected, rel=1e-12)
    # Enumerated as numbers that are equal only up to 1e-10, ties may be lost (of 60,000 they are).
    assert (by_meeting_in_the_middle(rounded) < expected) == (images == 60_000)


@pytest.mark.parametrize(("n", "images"), [(40, 10_000), (53, 500), (60, 10_000), (150, 500)])
@pytest.mark.parametrize("shift", [0.0, 0.4, 1.5, 20.0])
def test_any_number_of_units_equals_counting_in_whole_numbers(
    n: int, images: int, shift: float
) -> None:
    counts = np.rint(np.random.default_rng(n).normal(shift * 14, 14, size=n)).astype(int)
    found = sign_flip_test(counts / images)
    assert found.method == "exact"
    assert found.p_value == pytest.approx(float(by_counting(counts.tolist())), rel=1e-13)


def test_no_rounding_while_fewer_than_2_to_the_53_patterns_are_extreme() -> None:
    counts = np.rint(np.random.default_rng(3).normal(10, 14, size=64)).astype(int).tolist()
    expected = by_counting(counts)
    assert expected * 2**63 < 2**53
    assert Fraction(sign_flip_test(counts).p_value) == expected


def test_thousands_of_units_neither_overflow_nor_vanish() -> None:
    counts = np.rint(np.random.default_rng(4).normal(0.5, 14, size=3000))
    z = abs(counts.sum()) / math.sqrt(np.sum(counts**2))
    assert sign_flip_test(counts).p_value == pytest.approx(2 * stats.norm.sf(z), rel=0.02)
    assert 0.0 < sign_flip_test(np.ones(1500)).p_value == smallest_p(1500) < 1e-300
    # 600 equal units are 600 fair coins.
    ones = np.where(np.arange(600) < 330, 1.0, -1.0)
    by_coins = 2 * stats.binom.sf(329, 600, 0.5)
    assert sign_flip_test(ones).p_value == pytest.approx(by_coins, rel=1e-10)


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.4, 0.7])
def test_off_the_grid_p_is_rounded_up_by_very_little(shift: float) -> None:
    """30 units, where the exact p is known; the grid is far coarser than beyond 36 units."""
    values = np.random.default_rng(5).normal(shift, 1.0, size=30)
    exact = by_meeting_in_the_middle(values)
    assert sign_flip_test(values).p_value == pytest.approx(exact, rel=1e-12)
    on_grid = sign_flip_test(values, grid=1e-3)
    assert on_grid.method == "exact on a grid of 0.001, rounded up"
    assert exact <= on_grid.p_value <= exact * 1.02
    finer = sign_flip_test(values, grid=1e-5)
    assert exact <= finer.p_value <= exact * 1.0005


def test_the_fine_grid_beyond_36_units_hardly_matters() -> None:
    values = np.random.default_rng(6).normal(0.25, 1.0, size=100)
    found = sign_flip_test(values)
    assert "rounded up" in found.method
    nearby = float(by_counting(np.rint(values * 1000).astype(int).tolist()))
    assert found.p_value == pytest.approx(nearby, rel=0.01)
    # The same values on a grid eight times as coarse are the same but for the rounding up.
    coarse = sign_flip_test(values, grid=float(np.sum(np.abs(values))) / 2**17)
    assert found.p_value < coarse.p_value < found.p_value * 1.05


def test_a_given_grid_that_is_too_fine_or_impossible() -> None:
    values = np.random.default_rng(7).normal(0.3, 1.0, size=12)
    too_fine = sign_flip_test(values, grid=1e-12)
    assert too_fine.p_value == pytest.approx(by_meeting_in_the_middle(values), abs=1e-3)
    for grid in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(InputError, match="must be a positive number"):
            sign_flip_test(values, grid=grid)


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([0.0012, -0.0008, 0.002], 0.0004),
        ([6, -10, 15], 1),
        ([6, -10, 14, 0], 2),
        ([3.5, -1.25], 0.25),
        ([0.3, 0.3], 0.3),
        ([7 / 3333, -2 / 3333, 40 / 3333], 1 / 3333),
        ([round(k / 3333, 12) for k in (7, -2, 40)], 1 / 3333),
        ([k / 3333 - 0.001 for k in (7, -2, 40, 5)], 1 / 3_333_000),
        ([0.0, 0.0], None),
        ([], None),
        ([1.0, math.pi, math.e, math.sqrt(2)], None),
    ],
)
def test_the_largest_common_step(values: list[float], step: float | None) -> None:
    assert common_step(values) == (None if step is None else pytest.approx(step, rel=1e-9))


@given(st.lists(st.integers(-500, 500), min_size=1, max_size=30).filter(any), st.floats(1e-9, 1e6))
@settings(max_examples=150)
def test_the_common_step_is_the_greatest_common_divisor(counts: list[int], unit: float) -> None:
    divisor = math.gcd(*counts)
    assert common_step([count * unit for count in counts]) == pytest.approx(divisor * unit)
    lattice = on_lattice([count * unit for count in counts], divisor * unit)
    assert lattice.counts.tolist() == [count // divisor for count in counts]
    assert lattice.error == 0.0


@given(st.lists(st.floats(-10.0, 10.0), min_size=1, max_size=12), st.floats(1e-3, 1.0))
@settings(max_examples=100)
def test_rounding_to_a_grid_is_alike_on_both_sides_of_zero(
    values: list[float], step: float
) -> None:
    up, down = on_lattice(values, step), on_lattice([-value for value in values], step)
    assert up.counts.tolist() == (-down.counts).tolist()
    assert up.error == down.error >= 0.0
    assert up.step == step
    assert np.all(np.abs(np.array(values) - up.counts * step) <= step / 2 + 1e-9)


def test_a_grid_has_no_more_cells_than_fit() -> None:
    lattice = on_lattice([1.0, -2.0, 3.0], 1e-15)
    assert np.abs(lattice.counts).sum() <= MOST_STEPS + 3
