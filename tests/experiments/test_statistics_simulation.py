"""The rule by which claims are judged, tried on worlds whose truth is known."""

import numpy as np
import pytest

from cnn_ablation import inference as statistics
from cnn_ablation.claims import Claim, Setting, judge
from experiments import simulate_sequential, simulated_worlds
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
    rates = simulation.null_rates(simulated_worlds.NULLS[name], n, contrasts, REPLICATES, rng)
    assert rates.holds <= at_most(0.025)
    assert rates.decided <= at_most(0.05)
    assert rates.pointwise_coverage >= 1.0 - at_most(0.05)
    assert rates.simultaneous_coverage >= 1.0 - at_most(0.05)


def test_the_rule_is_not_so_cautious_that_it_never_errs() -> None:
    rng = np.random.default_rng(7)
    rates = simulation.null_rates(simulated_worlds.normal, 20, 1, REPLICATES, rng)
    assert rates.holds > 0.015
    assert rates.decided > 0.035
    assert rates.pointwise_coverage < 0.965


def test_five_seeds_decide_nothing() -> None:
    rng = np.random.default_rng(0)
    rates = simulation.null_rates(simulated_worlds.normal, 5, 1, REPLICATES, rng)
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


@pytest.mark.parametrize("name", simulated_worlds.NULLS)
def test_the_simulation_judges_as_the_claims_do(name: str) -> None:
    """The vectorised rule and `judge` agree, on nulls and on a shifted copy of them."""
    differences = simulated_worlds.NULLS[name](np.random.default_rng(5), (6, 3, 10))
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
    assert len(null_lines) == 2 + len(simulated_worlds.NULLS) * 8


SYMMETRIC = ["normal", "skewed trials", "rounded near-ties", "tied", "unequal spread"]
STUDIES = 300


def at_most_of(rate: float, replicates: int) -> float:
    return rate + 4.0 * (rate * (1.0 - rate) / replicates) ** 0.5


@pytest.mark.parametrize("name", SYMMETRIC)
@pytest.mark.parametrize("looks", simulate_sequential.SCHEDULES)
@pytest.mark.parametrize("contrasts", [1, 5])
def test_sequential_studies_err_no_more_than_fixed_ones(
    name: str, looks: tuple[int, ...], contrasts: int
) -> None:
    rng = np.random.default_rng([9, looks[-1], contrasts])
    draw = simulated_worlds.SEQUENTIAL_NULLS[name]
    differences = draw(rng, (STUDIES, contrasts, looks[-1]))
    assert np.array_equal(differences, np.rint(differences))
    rates = simulate_sequential.sequential_rates(differences, statistics.SequentialDesign(looks))
    assert rates.holds <= at_most_of(0.025, STUDIES)
    assert rates.decided <= at_most_of(0.05, STUDIES)


@pytest.mark.parametrize("looks", simulate_sequential.SCHEDULES)
def test_sequential_error_rate_is_near_its_level_and_peeking_is_not(looks: tuple[int, ...]) -> None:
    rng = np.random.default_rng(10)
    differences = simulated_worlds.SEQUENTIAL_NULLS["normal"](rng, (4000, 1, looks[-1]))
    rates = simulate_sequential.sequential_rates(differences, statistics.SequentialDesign(looks))
    assert 0.035 < rates.decided <= at_most_of(0.05, 4000)
    assert 0.015 < rates.holds <= at_most_of(0.025, 4000)
    peeking = simulate_sequential.decided_at_any_look(
        differences, looks, simulation.decided_when_fixed
    )
    assert peeking > 0.09


def test_peeking_errs_more_often_than_the_level() -> None:
    rng = np.random.default_rng(4)
    looks = simulate_sequential.SCHEDULES[1]
    differences = simulated_worlds.SEQUENTIAL_NULLS["normal"](rng, (1000, 1, looks[-1]))
    peeking = simulate_sequential.decided_at_any_look(
        differences, looks, simulation.decided_when_fixed
    )
    assert peeking > 0.09


def test_sequential_studies_find_what_is_there_by_fewer_units() -> None:
    rng = np.random.default_rng(6)
    looks = simulate_sequential.SCHEDULES[1]
    differences = simulate_sequential.shifted(1.0, 5, looks[-1], 60, rng)
    rates = simulate_sequential.sequential_rates(differences, statistics.SequentialDesign(looks))
    assert rates.contrast_holds > 0.98
    assert rates.units < 24


def test_sequential_tables_are_markdown() -> None:
    nulls = {"normal": simulated_worlds.SEQUENTIAL_NULLS["normal"]}
    rule = simulation.decided_when_fixed
    for table, rows in (
        (simulate_sequential.sequential_null_table(nulls, rule, 3, 0), 6),
        (simulate_sequential.sequential_power_table(rule, 3, 0), 12),
    ):
        lines = table.splitlines()
        assert len({line.count("|") for line in lines}) == 1
        assert len(lines) == 2 + rows
