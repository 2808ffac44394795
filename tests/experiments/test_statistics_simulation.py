"""The rule by which claims are judged, tried on worlds whose truth is known."""

import numpy as np
import pytest

from cnn_ablation import inference as statistics
from cnn_ablation.claims import Claim, Setting, judge
from experiments import simulate_statistics as simulation

REPLICATES = 2000
EXCHANGEABLE = ["normal", "skewed trials", "rounded near-ties", "unequal spread"]


def at_most(rate: float) -> float:
    """A rate that a simulation of this size exceeds by chance once in 30,000 times."""
    return rate + 4.0 * (rate * (1.0 - rate) / REPLICATES) ** 0.5


@pytest.mark.parametrize("name", EXCHANGEABLE)
@pytest.mark.parametrize("n", [10, 20])
@pytest.mark.parametrize("contrasts", [1, 5])
def test_false_verdicts_stay_at_the_nominal_rate(name: str, n: int, contrasts: int) -> None:
    rng = np.random.default_rng([7, n, contrasts])
    rates = simulation.null_rates(simulation.NULLS[name], n, contrasts, REPLICATES, rng)
    assert rates.holds <= at_most(0.025)
    assert rates.decided <= at_most(0.05)
    assert rates.pointwise_coverage >= 1.0 - at_most(0.05)
    assert rates.simultaneous_coverage >= 1.0 - at_most(0.05)


def test_the_rule_is_not_so_cautious_that_it_never_errs() -> None:
    rng = np.random.default_rng(7)
    rates = simulation.null_rates(simulation.normal, 20, 1, REPLICATES, rng)
    assert rates.holds > 0.015
    assert rates.decided > 0.035
    assert rates.pointwise_coverage < 0.965


def test_five_seeds_decide_nothing() -> None:
    rng = np.random.default_rng(0)
    rates = simulation.null_rates(simulation.normal, 5, 1, REPLICATES, rng)
    assert rates.decided == 0.0
    assert simulation.simulated_power(50.0, 5, 1, 50, rng) == 0.0


@pytest.mark.parametrize(("n", "contrasts"), [(10, 1), (10, 5), (10, 14), (20, 1), (20, 5)])
@pytest.mark.parametrize("target", [0.5, 0.8])
def test_power_is_what_is_printed(n: int, contrasts: int, target: float) -> None:
    effect = statistics.decidable_effect(n, simulation.LEVEL, contrasts, target)
    assert effect is not None
    rng = np.random.default_rng([1, n, contrasts])
    found = simulation.simulated_power(effect, n, contrasts, REPLICATES, rng)
    assert found == pytest.approx(target, abs=0.045)


@pytest.mark.parametrize("name", simulation.NULLS)
def test_the_simulation_judges_as_the_claims_do(name: str) -> None:
    """The vectorised rule and `judge` agree, on nulls and on a shifted copy of them."""
    differences = simulation.NULLS[name](np.random.default_rng(5), (6, 3, 10))
    differences[3:] += 1.2 * differences.std()
    batch = simulation.judge_batch(differences)
    seen = set()
    for family, decided in zip(differences, batch.decided, strict=True):
        variants = {f"v{k}": dict(enumerate(row.tolist())) for k, row in enumerate(family)}
        variants["zero"] = dict.fromkeys(range(10), 0.0)
        claims = [
            Claim(f"c{k}", "q", f"v{k} beats zero", "score", ((f"v{k}", "zero"),)) for k in range(3)
        ]
        verdicts = judge(claims, {"score": variants}, Setting("none", 1, "none", 1.0))
        outcomes = [{1: "holds", -1: "fails", 0: "inconclusive"}[int(d)] for d in decided]
        assert [v.outcome for v in verdicts] == outcomes
        seen |= set(outcomes)
    assert "inconclusive" in seen


def test_tables_are_markdown() -> None:
    null_lines = simulation.null_table(20, 0).splitlines()
    power_lines = simulation.power_table(20, 0).splitlines()
    for lines in (null_lines, power_lines):
        assert len({line.count("|") for line in lines}) == 1
    assert len(null_lines) == 2 + len(simulation.NULLS) * 8
