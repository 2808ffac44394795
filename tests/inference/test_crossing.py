"""Boundaries that spend a level over the looks, against enumeration of every path."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cnn_ablation.inference import sign_flip_test
from cnn_ablation.inference.crossing import first_crossings

Ints = NDArray[np.int64]


def patterns(magnitudes: Sequence[int]) -> Ints:
    """All 2^n paths: each row has the magnitudes with one pattern of signs."""
    signs = np.array(list(itertools.product((1, -1), repeat=len(magnitudes))))
    return np.asarray(signs * np.array(magnitudes))


def crossings_of_all(
    magnitudes: Sequence[int], looks: Sequence[int], shares: Sequence[float], levels: list[float]
) -> Ints:
    """What `first_crossings` says of every path: shape (2^n, L, 2)."""
    return np.array([first_crossings(path, looks, shares, levels) for path in patterns(magnitudes)])


def by_enumeration(
    magnitudes: Sequence[int], looks: Sequence[int], shares: Sequence[float], levels: list[float]
) -> Ints:
    """The rule as it is said, upwards, by lists of paths: no law, no convolution; (2^n, L)."""
    paths = patterns(magnitudes)
    none = len(looks)
    crossed = np.full((len(paths), len(levels)), none)
    for look, units in enumerate(looks):
        sums = paths[:, :units].sum(axis=1)
        for row, level in enumerate(levels):
            free = crossed[:, row] == none
            allowed = float(level * shares[look])
            if row and look + 1 < len(looks):
                room = (level - levels[row - 1]) * shares[look + 1]
                allowed = min(allowed, float(np.mean(crossed[:, row - 1] < none)) + room)
            for boundary in sorted(set(sums.tolist())):
                crosses = free & (sums >= boundary)
                if np.mean(~free | crosses) <= allowed:
                    crossed[crosses, row] = look
                    break
    return crossed


@pytest.mark.parametrize(
    ("magnitudes", "looks"),
    [
        ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], (4, 7, 10)),
        ([3, 14, 15, 9, 2, 6, 5, 35, 8, 9], (3, 6, 10)),
        ([100, 1, 2, 3, 0, 4, 90, 5, 6, 7], (2, 4, 6, 8, 10)),
        ([0, 0, 5, 5, 5, 0, 3, 3, 8, 1], (5, 10)),
    ],
)
@pytest.mark.parametrize("spending", [1.0, 0.5, 3.0])
def test_every_path_crosses_where_enumeration_says(
    magnitudes: list[int], looks: tuple[int, ...], spending: float
) -> None:
    shares = [(units / looks[-1]) ** spending for units in looks]
    levels = [0.03, 0.05, 0.11, 0.3]
    found = crossings_of_all(magnitudes, looks, shares, levels)
    expected = by_enumeration(magnitudes, looks, shares, levels)
    assert np.array_equal(found[:, :, 0], expected)
    # The paths are listed so that the last is the first turned round, and so on inwards.
    assert np.array_equal(found[:, :, 1], expected[::-1])


@given(
    st.lists(st.integers(0, 30), min_size=8, max_size=8),
    st.sets(st.integers(1, 7), min_size=1, max_size=4),
    st.lists(st.floats(0.01, 0.49), min_size=1, max_size=4, unique=True),
    st.sampled_from([0.5, 1.0, 2.0, 3.0]),
)
@settings(max_examples=25, deadline=None)
def test_size_and_nesting_over_all_paths(
    magnitudes: list[int], early: set[int], levels: list[float], spending: float
) -> None:
    looks = (*sorted(early), 8)
    shares = [(units / 8) ** spending for units in looks]
    levels = sorted(levels)
    crossed = crossings_of_all(magnitudes, looks, shares, levels)
    for look, share in enumerate(shares):
        # Never more than may be spent by a look, upwards or downwards, at any level.
        spent = np.mean(crossed <= look, axis=0)
        assert np.all(spent <= np.array(levels)[:, None] * share + 1e-12)
    assert np.all(np.diff(crossed, axis=1) <= 0)


@pytest.mark.parametrize("n", [12, 16])
def test_size_of_up_to_16_units_by_complete_enumeration(n: int) -> None:
    """Nearly the whole level is used, and never more: 2^16 paths."""
    rng = np.random.default_rng(n)
    magnitudes = np.abs(np.rint(rng.normal(0, 14, size=n))).astype(int)
    looks, level = (n // 2, 3 * n // 4, n), 0.1
    shares = [units / n for units in looks]
    crossed = np.zeros(2**n, dtype=bool)
    paths = patterns(magnitudes.tolist())
    free = np.ones(2**n, dtype=bool)
    for look, units in enumerate(looks):
        sums = paths[:, :units].sum(axis=1)
        candidates = np.unique(sums[free])
        # The boundary by bisection: which of the free paths' sums cross at this look.
        low, high = 0, candidates.size
        while low < high:
            middle = (low + high) // 2
            path = paths[free & (sums == candidates[middle])][0]
            crosses = first_crossings(path, looks, shares, [level])[0, 0] == look
            low, high = (low, middle) if crosses else (middle + 1, high)
        if low < candidates.size:
            crossed |= free & (sums >= candidates[low])
            free &= ~crossed
        assert np.mean(crossed) <= level * shares[look]
    assert np.mean(crossed) >= 0.9 * level


@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=30),
    st.floats(0.005, 0.4),
)
@settings(max_examples=100, deadline=None)
def test_one_look_is_the_sign_flip_test(counts: list[int], level: float) -> None:
    crossed = first_crossings(np.array(counts), (len(counts),), (1.0,), [level])[0]
    rejected = sum(counts) != 0 and sign_flip_test(counts).p_value / 2 <= level
    assert (crossed[0] == 0) == (rejected and sum(counts) > 0)
    assert (crossed[1] == 0) == (rejected and sum(counts) < 0)


@given(st.integers(0, 10_000), st.sampled_from([(4, 8, 12), (3, 5, 9, 12), (12,)]))
@settings(max_examples=60, deadline=None)
def test_later_units_change_no_earlier_crossing(seed: int, looks: tuple[int, ...]) -> None:
    counts = np.rint(np.random.default_rng(seed).normal(6, 10, size=12)).astype(np.int64)
    shares, levels = [units / 12 for units in looks], [0.02, 0.05, 0.2]
    whole = first_crossings(counts, looks, shares, levels)
    for look, units in enumerate(looks):
        part = first_crossings(counts[:units], looks, shares, levels)
        expected = np.where(whole <= look, whole, len(looks))
        assert np.array_equal(part, expected)
    alone = first_crossings(counts, looks, shares, levels[:1])
    assert np.array_equal(alone[0], whole[0])


def test_a_level_that_is_met_exactly_is_enough() -> None:
    ones = np.ones(5, dtype=np.int64)
    assert first_crossings(ones, (5,), (1.0,), [1 / 32]).tolist() == [[0, 1]]
    assert first_crossings(-ones, (5,), (1.0,), [1 / 32]).tolist() == [[1, 0]]
    assert first_crossings(ones, (5,), (1.0,), [1 / 32 - 1e-12]).tolist() == [[1, 1]]
    # Two of 64 are spent at the first look; the next sum has five paths, two more are allowed.
    crossed = crossings_of_all([1] * 6, (5, 6), (0.5, 1.0), [1 / 16])[:, 0, 0]
    assert np.bincount(crossed).tolist() == [2, 0, 62]


def test_regions_would_not_be_nested_by_themselves() -> None:
    """At 0.115, four units alike are spent on at the first look, too little is left for S >= 4.

    At 0.11 they are not, and 7 of 64 paths end at S >= 4, which 0.11 allows.
    """
    magnitudes, looks, shares = [1, 1, 1, 1, 1, 1], (4, 6), (0.55, 1.0)
    lower, higher = 0.11, 0.115
    alone = [
        crossings_of_all(magnitudes, looks, shares, [level])[:, 0, 0] for level in (lower, higher)
    ]
    together = crossings_of_all(magnitudes, looks, shares, [lower, higher])[:, :, 0]
    assert np.any(alone[1] > alone[0])
    assert np.array_equal(together[:, 0], alone[0])
    assert np.all(together[:, 1] <= together[:, 0])
