"""Simulate tuned studies: false verdicts on equal designs, optima found, interactions found.

python -m experiments.simulate_tuning > experiments/results/simulated_tuning.md

Numbers are made up; the chooser (`study.tuning.choose` and `extended`) and the judge
(`claims.judge`) are those of studies. A trial's validation loss and test accuracy are those of its
variant at its value, and two effects: one of the seed, which all variants and values share, and one
of the trial alone. Sizes are in standard deviations of the latter; the seed's is one too. A variant
loses `drop` with each step of the grid away from its best value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from absl import flags

from cnn_ablation.claims import Claim, Setting, Verdict, judge
from cnn_ablation.commands import entry
from cnn_ablation.display.text import markdown_table
from cnn_ablation.inference import decidable_effect
from cnn_ablation.study.tuning import Tuning, choose, extended

SETTING = Setting("made up", 1, "", 0.0)
GRID = (0.01, 0.1, 1.0, 10.0)
DEFAULT = 1.0
# Standard deviation of a trial's own effect, as an accuracy: 0.2 points.
SD = 0.002
DROPS = (0.0, 0.25, 0.5, 1.0, 2.0)
TUNINGS = {
    "each seed": Tuning("learning_rate", GRID, seeds=1),
    "once, 3 seeds": Tuning("learning_rate", GRID, seeds=3, once=True),
    "once, 10 seeds": Tuning("learning_rate", GRID, seeds=10, once=True),
}
EVALUATION_SEEDS = (10, 20)


@dataclass(frozen=True)
class World:
    """What is true of a variant.

    Attributes:
        drop: what a step of the grid away from the best value costs, in standard deviations.
        best: the best value.
    """

    drop: float
    best: float = 0.1

    def accuracy(self, value: float) -> float:
        """Its true accuracy at a value."""
        return 0.9 - SD * self.drop * abs(math.log10(value / self.best))


def tuned_values(
    worlds: dict[str, World], tuning: Tuning, seeds: int, rng: np.random.Generator
) -> dict[str, list[float]]:
    """The values that are chosen of each variant for each seed of a study.

    Args:
        worlds: what is true of each variant.
        tuning: the declaration; its grid is extended as in a study.
        seeds: how many seeds the study has.
        rng: where seeds' and trials' effects come from.
    """
    choices = 1 if tuning.once else seeds
    shared = rng.normal(size=(choices, tuning.seeds))
    scores: dict[str, dict[float, np.ndarray]] = {label: {} for label in worlds}
    grid: tuple[float, ...] = tuning.values
    for extension in range(tuning.extensions + 1):
        for label, world in worlds.items():
            for value in grid:
                if value not in scores[label]:
                    luck = np.mean(shared + rng.normal(size=shared.shape), axis=1)
                    scores[label][value] = SD * luck - world.accuracy(value)
        means = ({v: float(own.mean()) for v, own in of.items()} for of in scores.values())
        edges = {choose(tuning, grid, own, DEFAULT).edge for own in means}
        wider = extended(tuning, grid, edges)
        if wider == grid or extension == tuning.extensions:
            break
        grid = wider
    found: dict[str, list[float]] = {}
    for label, of in scores.items():
        at = [{v: float(of[v][number]) for v in grid} for number in range(choices)]
        values = [float(choose(tuning, grid, own, DEFAULT).value) for own in at]
        found[label] = values * seeds if tuning.once else values
    return found


def evaluated(
    accuracies: dict[str, np.ndarray], seeds: int, rng: np.random.Generator
) -> dict[str, dict[int, float | None]]:
    """Test accuracies of each variant at fresh seeds, from its true ones there, shape (seeds,)."""
    shared = rng.normal(size=seeds)
    return {
        label: dict(enumerate((true + SD * (shared + rng.normal(size=seeds))).tolist()))
        for label, true in accuracies.items()
    }


def judged(table: dict[str, dict[int, float | None]], claim: Claim) -> Verdict:
    """The verdict on one claim alone."""
    (verdict,) = judge([claim], {"test_accuracy": table}, SETTING)
    return verdict


CLAIM = Claim("ab", "q", "A is better", "test_accuracy", (("A", "B"),), margin=0.0)


def equal_designs(
    drop: float, tuning: Tuning, seeds: int, replicates: int, seed: int
) -> tuple[float, float, float]:
    """Two variants that are one design: rates over studies.

    Returns:
        How often two chosen values differ; how often a verdict calls one design better; and how
        often one is wrong of the two designs at the values that were chosen.
    """
    rng = np.random.default_rng([seed, round(100 * drop), tuning.seeds, tuning.once, seeds])
    world = World(drop)
    apart = decided = wrong = 0.0
    for _ in range(replicates):
        chosen = tuned_values({"A": world, "B": world}, tuning, seeds, rng)
        truth = {label: np.array([*map(world.accuracy, own)]) for label, own in chosen.items()}
        verdict = judged(evaluated(truth, seeds, rng), CLAIM)
        says = {"holds": 1, "fails": -1}.get(verdict.outcome, 0)
        difference = np.sign(round(float(np.mean(truth["A"] - truth["B"])), 9))
        apart += float(np.mean(np.array(chosen["A"]) != np.array(chosen["B"])))
        decided += says != 0
        wrong += says not in (0, difference)
    return apart / replicates, decided / replicates, wrong / replicates


def found_optimum(drop: float, best: float, tuning: Tuning, replicates: int, seed: int) -> float:
    """How often the best value of a variant is chosen for a seed of a study of ten."""
    rng = np.random.default_rng([seed, round(100 * drop), tuning.seeds, tuning.once])
    world = {"A": World(drop, best)}
    values = [v for _ in range(replicates) for v in tuned_values(world, tuning, 10, rng)["A"]]
    return float(np.mean([math.isclose(value, best) for value in values]))


def found_interaction(seeds: int, replicates: int, seed: int) -> tuple[float, float]:
    """An interaction as large as the plan promises to find with a power of 80 %.

    Returns:
        Its size beyond the margin in standard deviations of the double difference, and how often
        the claim holds.
    """
    rng = np.random.default_rng([seed, seeds])
    smallest = decidable_effect(seeds, 0.05, 1)
    assert smallest is not None
    claim = Claim(
        *("part", "q", "less is left", "test_accuracy", (("A", "B"),)),
        against=(("C", "D"),),
    )
    # Four trials have each an effect of their own; what they share goes out.
    size = claim.threshold + smallest * 2.0 * SD
    flat = np.full(seeds, 0.9)
    accuracies = {"A": flat + size, "B": flat, "C": flat, "D": flat}
    outcomes = [judged(evaluated(accuracies, seeds, rng), claim).outcome for _ in range(replicates)]
    return smallest, outcomes.count("holds") / replicates


def equal_table(replicates: int, seed: int) -> str:
    """Rates over studies of two variants that are one design, in percent."""
    heads = ("values differ", "a verdict on the designs", "wrong at the chosen values")
    rows = [["drop a step (SD)", "tuned", "seeds", *heads]]
    for drop in DROPS:
        for name, tuning in TUNINGS.items():
            for seeds in EVALUATION_SEEDS:
                apart, decided, wrong = equal_designs(drop, tuning, seeds, replicates, seed)
                last = f"{100 * wrong:.1f}" if tuning.once else "–"
                figures = (f"{100 * apart:.1f}", f"{100 * decided:.1f}", last)
                rows.append([f"{drop:g}", name, str(seeds), *figures])
    return markdown_table(rows)


def optimum_table(replicates: int, seed: int) -> str:
    """How often the best value is chosen, in percent."""
    places = {"in the grid": 0.1, "one step beyond": 100.0, "two steps beyond": 1000.0}
    rows = [["drop a step (SD)", "tuned", *places]]
    for drop in (*DROPS[1:], 4.0):
        for name, tuning in TUNINGS.items():
            found = (
                f"{100 * found_optimum(drop, best, tuning, replicates, seed):.1f}"
                for best in places.values()
            )
            rows.append([f"{drop:g}", name, *found])
    return markdown_table(rows)


def interaction_table(replicates: int, seed: int) -> str:
    """How often a planted interaction is found, in percent."""
    rows = [["seeds", "planted beyond the margin (SD)", "found"]]
    for seeds in (8, 10, 20, 40):
        size, rate = found_interaction(seeds, replicates, seed)
        rows.append([str(seeds), f"{size:.2f}", f"{100 * rate:.1f}"])
    return markdown_table(rows)


_MODULE = "cnn_ablation: the simulation of tuned studies"
flags.DEFINE_integer("tuning_replicates", 400, "simulated studies per row", 1, module_name=_MODULE)


def main() -> None:
    """Prints the tables."""
    replicates = flags.FLAGS.tuning_replicates
    print("# Tuned studies, simulated\n")
    print(f"Made by `python -m experiments.simulate_tuning --tuning_replicates={replicates}`.\n")
    print("Two variants that are one design under two names, each with luck of its own, tuned and")
    print(
        f"compared (margin 0), % of {replicates:,} studies (nominal: 5). Tuned once for all seeds,"
    )
    print("a verdict is about the chosen values, and right of them: it is none of the designs.\n")
    print(equal_table(replicates, 0))
    print(f"\nThe best value of a variant is chosen, % of {replicates:,}.\n")
    print(optimum_table(replicates, 0))
    print("\nAn interaction as large as the plan says so many seeds can show with a power of 80 %,")
    print(f"found, % of {replicates:,}.\n")
    print(interaction_table(replicates, 0))


if __name__ == "__main__":
    entry.run(main, __doc__ or "")
