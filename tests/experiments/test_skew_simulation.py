"""The simulation of skewed differences, small."""

import numpy as np
import pytest
from scipy import stats

from cnn_ablation.inference import sign_flip_test, skew_corrected_interval
from experiments import simulate_skew


@pytest.mark.parametrize("skewness", simulate_skew.SKEWNESSES)
def test_worlds_have_the_moments_they_name(skewness: float) -> None:
    drawn = simulate_skew.skewed(np.random.default_rng(0), skewness, (400_000,), mean=0.5)
    assert drawn.mean() == pytest.approx(0.5, abs=0.01)
    assert drawn.std() == pytest.approx(1.0, abs=0.02)
    assert stats.skew(drawn) == pytest.approx(skewness, abs=0.1)


def test_p_values_are_those_of_the_tests_they_name() -> None:
    rng = np.random.default_rng(1)
    differences = simulate_skew.skewed(rng, -1.0, (12, 10), mean=0.6)
    found = simulate_skew.one_sided_p_values(differences, rng)
    for replicate, values in enumerate(differences):
        upwards = values.sum() > 0
        exact = sign_flip_test(values).p_value / 2
        by_t = stats.ttest_1samp(values, 0.0).pvalue / 2
        judged = found["as judged"][0 if upwards else 1][replicate]
        assert judged == pytest.approx(max(exact, by_t), abs=0.02)
        interval = skew_corrected_interval(values, 0.2)
        assert interval is not None
        hall = found["and Hall"][0][replicate]
        assert (hall <= 0.1) == (interval.low >= 0.0 and max(exact, by_t) <= 0.1 and upwards)


def test_negative_skewness_makes_false_holds_more_frequent() -> None:
    rng = np.random.default_rng(2)
    found = simulate_skew.one_sided_p_values(simulate_skew.skewed(rng, -3.0, (400, 20)), rng)
    rates = {rule: np.mean(p_values[0] <= 0.025) for rule, p_values in found.items()}
    assert rates["as judged"] > 0.06
    assert rates["and Hall"] < rates["as judged"] - 0.02


def test_tables_are_markdown() -> None:
    for table in (simulate_skew.family_table(5, 0), simulate_skew.rule_table((0.0, 0.8), 5, 0)):
        lines = table.splitlines()
        assert len({line.count("|") for line in lines}) == 1
