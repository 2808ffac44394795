"""Skewed differences are flagged; the interval by Hall's transformation is what it says."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cnn_ablation.inference import (
    SequentialDesign,
    compare,
    judge_sequentially,
    sample_skewness,
    skew_corrected_interval,
    t_interval,
)
from cnn_ablation.inference.skewness import is_flagged, transformed_t

samples = st.lists(st.integers(-1000, 1000), min_size=3, max_size=30).filter(
    lambda values: len(set(values)) > 1
)


@given(samples, st.sampled_from([1e-200, 1e-4, 1.0, 1e200]))
def test_sample_skewness_is_scipys(values: list[int], scale: float) -> None:
    expected = stats.skew(np.array(values, dtype=float))
    assert sample_skewness(np.array(values) * scale) == pytest.approx(expected, abs=1e-9)


def test_where_there_is_no_skewness() -> None:
    assert sample_skewness([1.0, 2.0]) is sample_skewness([3.0] * 5) is sample_skewness([]) is None
    assert skew_corrected_interval([1.0, 2.0]) is None
    assert not is_flagged(None)
    assert not is_flagged(-1.0)
    assert is_flagged(-1.01)
    assert is_flagged(1.01)


def test_a_symmetric_sample_has_students_interval() -> None:
    values = [-3.0, -1.0, 0.0, 1.0, 3.0]
    interval, student = skew_corrected_interval(values, 0.01), t_interval(values, 0.01)
    assert interval is not None
    assert student is not None
    assert (interval.low, interval.high) == pytest.approx((student.low, student.high))


@given(samples, st.sampled_from([0.05, 0.05 / 14]))
@settings(max_examples=150)
def test_the_interval_inverts_the_transformation(values: list[int], level: float) -> None:
    numbers = np.array(values, dtype=float)
    interval, skewness = skew_corrected_interval(numbers, level), sample_skewness(numbers)
    assert interval is not None
    assert skewness is not None
    error = numbers.std(ddof=1) / numbers.size**0.5
    quantile = stats.t.isf(level / 2, numbers.size - 1)
    for end, expected in ((interval.low, quantile), (interval.high, -quantile)):
        t = (numbers.mean() - end) / error
        assert transformed_t(t, skewness, numbers.size) == pytest.approx(expected, abs=1e-6)
    assert interval.low < interval.high


def test_a_long_tail_below_moves_the_interval_below() -> None:
    values = np.array([1.0, 1.2, 1.1, 0.9, 1.0, 1.1, -3.0, 1.2, 1.0, 0.8])
    interval, student = skew_corrected_interval(values), t_interval(values)
    assert interval is not None
    assert student is not None
    assert interval.low < student.low
    mirrored = skew_corrected_interval(-values)
    assert mirrored is not None
    assert (mirrored.low, mirrored.high) == pytest.approx((-interval.high, -interval.low))


def test_a_studentised_sign_flip_test_would_be_the_plain_one() -> None:
    values = np.array([0.9, 1.4, -0.2, 3.0, 0.4, -0.8, 1.1])
    patterns = np.array(list(itertools.product((-1.0, 1.0), repeat=7))) * values
    t = patterns.mean(axis=1) / patterns.std(axis=1, ddof=1)
    assert np.array_equal(
        np.argsort(np.round(t, 9), kind="stable"),
        np.argsort(np.round(patterns.sum(axis=1), 9), kind="stable"),
    )


def test_comparisons_and_sequential_outcomes_say_how_skewed_they_are() -> None:
    values = dict(enumerate([0.5, 0.6, 0.55, 0.5, 0.6, -2.0]))
    found = compare(values, dict.fromkeys(range(6), 0.0))
    assert found is not None
    assert found.skewness == pytest.approx(stats.skew(list(values.values())))
    assert found.is_skewed
    (outcome,) = judge_sequentially([list(values.values())], [0.0], SequentialDesign((3, 6)))
    assert outcome.skewness == pytest.approx(found.skewness)
