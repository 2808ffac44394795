"""The simulation of tuned studies, small."""

import dataclasses

import numpy as np
import pytest

from cnn_ablation.study.tuning import Tuning
from experiments import simulate_tuning
from experiments.simulate_tuning import GRID, World, equal_designs, found_interaction, tuned_values

EACH = Tuning("learning_rate", GRID)


def test_a_clear_optimum_is_found_for_every_seed_beyond_the_grid_too() -> None:
    rng = np.random.default_rng(0)
    worlds = {"near": World(40.0), "far": World(40.0, best=1000.0)}
    found = tuned_values(worlds, EACH, 6, rng)
    assert found == {"near": [0.1] * 6, "far": [1000.0] * 6}


def test_once_gives_all_seeds_one_value_and_each_seed_its_own() -> None:
    flat = {"A": World(0.0)}
    rng = np.random.default_rng(1)
    assert len(set(tuned_values(flat, EACH, 20, rng)["A"])) > 1
    once = dataclasses.replace(EACH, once=True)
    assert len(set(tuned_values(flat, once, 20, rng)["A"])) == 1


@pytest.mark.slow
def test_alike_designs_are_told_apart_where_one_value_is_chosen_for_all_seeds() -> None:
    each = equal_designs(1.0, EACH, 20, 60, 0)
    once = equal_designs(1.0, dataclasses.replace(EACH, once=True, seeds=3), 20, 60, 0)
    assert each[1] <= 0.12 < 0.15 <= once[1]
    assert once[2] <= 0.12


def test_an_interaction_is_found_about_as_often_as_promised() -> None:
    _, rate = found_interaction(10, 40, 0)
    assert 0.6 <= rate <= 0.97


def test_tables_have_a_row_for_each_case() -> None:
    drops, tunings = len(simulate_tuning.DROPS), len(simulate_tuning.TUNINGS)
    table = simulate_tuning.equal_table(1, 0).strip().splitlines()
    assert len(table) == 2 + drops * tunings * len(simulate_tuning.EVALUATION_SEEDS)
