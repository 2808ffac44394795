"""Paired statistics against figures known by hand, from books, or by brute force."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cnn_ablation import inference as statistics
from cnn_ablation.inference import decision_power

# Darwin's maize: height of 15 crossed less self-fertilised plants, in eighths of an inch. Fisher
# (The Design of Experiments, 1935, section 21) counted 863 of the 2^15 sign patterns with a sum of
# 314 or more.
DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]

small_integers = st.lists(st.integers(-6, 6), min_size=1, max_size=9)


def by_enumeration(differences: list[int], null: int = 0) -> float:
    centred = [d - null for d in differences]
    sums = [
        abs(sum(s * d for s, d in zip(signs, centred, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(centred))
    ]
    return sum(total >= abs(sum(centred)) for total in sums) / len(sums)


def table(values: list[float]) -> dict[int, float]:
    return dict(enumerate(values))


def test_sign_flip_matches_fishers_count_for_darwins_maize() -> None:
    result = statistics.sign_flip_test(DARWIN)
    assert result == statistics.SignFlipTest(2 * 863 / 2**15, "exact")


def test_sign_flip_by_hand() -> None:
    assert statistics.sign_flip_test([1.0, 2.0, 3.0]).p_value == 2 / 8
    # 4 of 8 patterns of (3, 1, -1) reach |sum| >= 3: 3+1+1, 3+1-1, 3-1+1 and their mirror images,
    # that is 6; only 3-1-1 and its mirror fall short.
    assert statistics.sign_flip_test([3.0, 1.0, -1.0]).p_value == 6 / 8
    assert statistics.sign_flip_test([0.0, 0.0]).p_value == 1.0
    assert statistics.sign_flip_test([]).p_value == 1.0


@given(small_integers, st.integers(-3, 3))
@settings(max_examples=150)
def test_sign_flip_equals_brute_force_with_ties(differences: list[int], null: int) -> None:
    # Thousandths are no binary fractions: ties must survive rounding.
    scaled = [d / 1000 for d in differences]
    expected = by_enumeration(differences, null)
    assert statistics.sign_flip_test(scaled, null / 1000).p_value == pytest.approx(expected)


def test_sign_flip_is_exact_over_all_patterns() -> None:
    """Under symmetry every pattern is equally likely: P(p <= a) <= a, at every reachable a."""
    sizes = np.array([0.3, 0.3, 1.1, 2.0, 2.5, 4.0, 4.0, 7.0])
    p_values = np.array(
        [
            statistics.sign_flip_test(sizes * signs).p_value
            for signs in itertools.product((-1, 1), repeat=sizes.size)
        ]
    )
    for reachable in np.unique(p_values):
        assert np.mean(p_values <= reachable) == pytest.approx(reachable)


def test_sign_flip_of_many_units_off_any_grid_says_how() -> None:
    differences = np.random.default_rng(1).normal(0.3, 1.0, size=60)
    first, second = (statistics.sign_flip_test(differences) for _ in range(2))
    assert first == second
    assert first.method.startswith("exact on a grid of ")
    assert first.method.endswith(", rounded up")
    z = differences.sum() / np.sqrt(np.sum(differences**2))
    assert first.p_value == pytest.approx(2 * stats.norm.sf(abs(z)), rel=0.15)
    assert statistics.sign_flip_test(np.ones(60)).p_value == statistics.smallest_p(60) > 0.0


def test_what_few_seeds_can_reach() -> None:
    assert statistics.smallest_p(5) == 0.0625
    assert statistics.sign_flip_test(np.ones(5)).p_value == 0.0625
    assert statistics.units_to_reach(0.05) == 6
    assert statistics.units_to_reach(0.05, 10) == 9
    assert statistics.units_to_reach(0.05, 20) == 10
    assert statistics.units_to_reach(0.0625) == 5


@given(st.floats(1e-4, 0.5), st.integers(1, 60))
def test_units_to_reach_is_the_first_that_does(level: float, family_size: int) -> None:
    n = statistics.units_to_reach(level, family_size)
    assert family_size * statistics.smallest_p(n) <= level * (1 + 1e-9)
    assert n == 1 or family_size * 2.0 ** (2 - n) > level * (1 - 1e-9)


def test_t_interval_matches_scipy_and_darwin() -> None:
    interval = statistics.t_interval(DARWIN, level=0.05)
    reference = stats.ttest_1samp(DARWIN, 0.0).confidence_interval(0.95)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((reference.low, reference.high))
    assert (interval.low, interval.high) == pytest.approx((0.03, 41.84), abs=0.01)
    narrow, wide = (statistics.t_interval(DARWIN, level) for level in (0.05, 0.05 / 8))
    assert narrow is not None
    assert wide is not None
    assert wide.low < narrow.low < narrow.high < wide.high


def test_holm_by_hand() -> None:
    # Sorted: 0.005 x 4 = 0.02, 0.01 x 3 = 0.03, 0.03 x 2 = 0.06, 0.04 x 1 = 0.04 raised to 0.06.
    adjusted = statistics.holm([0.01, 0.04, 0.03, 0.005])
    assert adjusted.tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.holm([0.5, 0.9]).tolist() == [1.0, 1.0]
    assert statistics.holm([]).tolist() == []


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_holm_lies_between_raw_and_bonferroni(p_values: list[float]) -> None:
    raw = np.array(p_values)
    adjusted = statistics.holm(raw)
    assert np.all(adjusted >= raw)
    assert np.all(adjusted <= np.minimum(1.0, raw * raw.size) + 1e-15)
    assert adjusted[np.argmin(raw)] == min(1.0, raw.min() * raw.size)
    assert np.all(np.diff(adjusted[np.argsort(raw, kind="stable")]) >= 0.0)


@given(st.integers(0, 10_000), st.integers(1, 12))
@settings(max_examples=50)
def test_bonferroni_interval_never_contradicts_holm(seed: int, family_size: int) -> None:
    rng = np.random.default_rng(seed)
    family = rng.normal(rng.normal(0, 0.8, size=(family_size, 1)), 1.0, size=(family_size, 12))
    adjusted = statistics.holm(stats.ttest_1samp(family, 0.0, axis=1).pvalue)
    share = statistics.bonferroni_level(0.05, family_size)
    for row, p_value in zip(family, adjusted, strict=True):
        interval = statistics.t_interval(row, share)
        assert interval is not None
        if interval.low > 0.0 or interval.high < 0.0:
            assert p_value <= 0.05


@pytest.mark.parametrize(("effect", "pairs"), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_units_needed_matches_the_textbook(effect: float, pairs: int) -> None:
    """Cohen's small, medium and large d_z: the pairs for 80 % power, two-sided 5 % paired t."""
    assert statistics.units_needed(effect, 1.0) == pairs
    assert statistics.power(pairs, effect, 1.0) >= 0.8 > statistics.power(pairs - 1, effect, 1.0)


@pytest.mark.parametrize("n", [2, 3, 5, 10, 30])
@pytest.mark.parametrize("level", [0.05, 0.05 / 14])
def test_detectable_effect_has_the_power_it_claims(n: int, level: float) -> None:
    effect = statistics.detectable_effect(n, sd=0.3, level=level)
    assert effect is not None
    noncentrality = effect * n**0.5 / 0.3
    critical = stats.t.isf(level / 2, n - 1)
    assert stats.nct.sf(critical, n - 1, noncentrality) == pytest.approx(0.8, abs=1e-4)


def test_power_at_the_edges() -> None:
    assert statistics.detectable_effect(1, 1.0) is None
    assert statistics.power(1, 1.0, 1.0) == 0.0
    assert statistics.power(5, 1.0, 0.0) == 1.0
    assert statistics.power(5, 0.0, 0.0) == 0.0
    assert statistics.units_needed(0.0, 1.0) is None
    assert statistics.units_needed(1e-6, 1.0) is None
    assert statistics.units_needed(1e6, 1.0) == 2


def test_decidable_effect_is_what_both_tests_ask() -> None:
    assert statistics.decidable_effect(5) is None
    assert statistics.decidable_effect(8, family_size=10) is None
    # 10 units, 14 contrasts: the exact test wants every sign alike, which Phi(x)^10 = 0.8 asks of
    # a difference of 2.01 standard deviations; the t interval alone would ask 1.56.
    all_alike = stats.norm.ppf(0.8 ** (1 / 10))
    assert statistics.decidable_effect(10, 0.05, 14) == pytest.approx(all_alike, abs=0.04)
    by_t = statistics.detectable_effect(40, 1.0, 0.05 / 14)
    assert statistics.decidable_effect(40, 0.05, 14) == by_t


@pytest.mark.parametrize(("n", "family_size"), [(8, 1), (9, 1), (10, 14)])
def test_deciding_shifts_are_where_the_two_tests_turn(n: int, family_size: int) -> None:
    draws = np.random.default_rng(0).normal(size=(4000, n))[:30]
    shifts = decision_power._deciding_shifts(n, 0.05, family_size)[:30]
    share = 0.05 / family_size
    for draw, shift in zip(draws, shifts, strict=True):
        decided = []
        for values in (draw + shift - 1e-6, draw + shift + 1e-6):
            interval = statistics.t_interval(values, share)
            assert interval is not None
            decided.append(
                interval.low > 0.0 and statistics.sign_flip_test(values).p_value <= share
            )
        assert decided == [False, True]


def test_units_to_decide() -> None:
    assert statistics.units_to_decide(math.inf) == 6
    assert statistics.units_to_decide(math.inf, family_size=20) == 10
    assert statistics.units_to_decide(0.5) == 34
    assert statistics.units_to_decide(0.0) is None
    for effect in (0.9, 1.2, 2.1):
        n = statistics.units_to_decide(effect, family_size=5)
        assert n is not None
        enough = statistics.decidable_effect(n, family_size=5)
        short = statistics.decidable_effect(n - 1, family_size=5)
        assert enough is not None
        assert enough <= effect
        assert short is None or short > effect or n == 13


def test_pairing_drops_what_has_no_partner_and_counts_it() -> None:
    a = {3: 0.5, 1: 0.7, 2: math.nan, 4: 0.9, 5: 0.1}
    b = {1: 0.6, 2: 0.5, 3: 0.6, 4: None, 6: 0.2}
    sample = statistics.pair(a, b)
    assert sample.units == (1, 3)
    assert sample.dropped == 4
    assert sample.differences.tolist() == [0.1, -0.1]


def test_differences_are_free_of_representation_noise() -> None:
    sample = statistics.pair(table([0.9851, 0.9751, 1e6]), table([0.9841, 0.9741, 1e6]))
    assert 0.9851 - 0.9841 != 0.001
    assert sample.differences.tolist() == [0.001, 0.001, 0.0]
    tiny = statistics.pair(table([3e-13, 5e-13]), table([1e-13, 1e-13]))
    assert tiny.differences == pytest.approx([2e-13, 4e-13])
    denormal = statistics.pair(table([0.0]), table([5e-324]))
    assert np.all(np.isfinite(denormal.differences))


def test_compare_by_hand() -> None:
    result = statistics.compare(table([0.3, 0.5, 0.4, 0.8]), table([0.1, 0.4, 0.4, 0.9]))
    assert result is not None
    assert (result.n, result.dropped, result.ties, result.share) == (4, 0, 1, 0.5)
    assert result.difference == pytest.approx(0.05)
    assert result.sd == pytest.approx((0.05 / 3) ** 0.5)
    assert result.effect_size == pytest.approx(0.05 / (0.05 / 3) ** 0.5)
    assert result.correlation == pytest.approx(np.corrcoef([3, 5, 4, 8], [1, 4, 4, 9])[0, 1])
    # (2, 1, 0, -1): of the 8 patterns of the three that count, 6 reach |sum| >= 2.
    assert result.p_value == 0.75


def test_compare_where_there_is_little_to_compare() -> None:
    assert statistics.compare({}, {}) is None
    assert statistics.compare({1: 0.5}, {2: 0.5}) is None
    one = statistics.compare({1: 0.5}, {1: 0.4})
    assert one is not None
    assert (one.n, one.sd, one.interval, one.bootstrap, one.p_value) == (1, None, None, None, 1.0)
    two = statistics.compare(table([0.5, 0.6]), table([0.4, 0.4]))
    assert two is not None
    assert two.interval is not None
    assert two.interval.high - two.interval.low > 1.0
    assert two.p_value == 0.5


def test_compare_without_variance() -> None:
    result = statistics.compare(table([0.7, 0.8, 0.9]), table([0.6, 0.7, 0.8]))
    assert result is not None
    assert (result.sd, result.effect_size) == (0.0, None)
    assert result.interval == statistics.Interval(0.1, 0.1)
    assert result.p_value == 0.25
    same = statistics.compare(table([0.7, 0.7]), table([0.7, 0.7]))
    assert same is not None
    assert (same.difference, same.p_value, same.ties, same.correlation) == (0.0, 1.0, 2, None)


finite = st.floats(-100.0, 100.0).map(lambda x: round(x, 3))


@given(st.lists(st.tuples(finite, finite), min_size=2, max_size=12), finite)
@settings(max_examples=60)
def test_compare_symmetries(pairs: list[tuple[float, float]], offset: float) -> None:
    a, b = table([x for x, _ in pairs]), table([y for _, y in pairs])
    forth, back = statistics.compare(a, b), statistics.compare(b, a)
    shuffled = statistics.compare(dict(reversed(a.items())), b)
    shifted = statistics.compare(
        {k: v + k * offset for k, v in a.items()}, {k: v + k * offset for k, v in b.items()}
    )
    assert forth is not None
    assert back is not None
    assert shifted is not None
    assert shuffled == forth
    assert forth.difference == pytest.approx(-back.difference)
    assert forth.p_value == back.p_value
    # What a seed does to both variants cancels: that is the point of pairing.
    assert shifted.differences == pytest.approx(forth.differences, abs=1e-6)


def test_bootstrap_is_deterministic_and_near_the_t_interval_for_many_pairs() -> None:
    values = np.random.default_rng(3).normal(1.0, 2.0, size=200)
    first, second = (statistics.bootstrap_interval(values) for _ in range(2))
    by_t = statistics.t_interval(values)
    assert first == second
    assert first is not None
    assert by_t is not None
    assert (first.low, first.high) == pytest.approx((by_t.low, by_t.high), abs=0.05)


def test_comparison_survives_strict_json() -> None:
    for a in ([0.3, 0.5, 0.4], [0.3], [0.1, 0.1, 0.1]):
        result = statistics.compare(table(a), table([0.1] * len(a)))
        assert result is not None
        text = json.dumps(result.to_json(), allow_nan=False)
        assert statistics.PairedComparison.from_json(json.loads(text)) == result
