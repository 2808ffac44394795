"""Simulate the rule by which claims are judged: error rates, coverage and power.

python -m experiments.simulate_statistics > experiments/results/simulated_statistics.md

It prints four Markdown tables, with the same figures every time: two for fixed numbers of seeds,
two for sequential studies. Under a null the true difference of every contrast is exactly what
separates 'holds' from 'fails', so that every decided verdict is false. The rule is two-sided at
5 %, so 'holds' is to stay at 2.5 % or under and 'holds' and 'fails' together at 5 %, whether one
contrast is judged or a family of fourteen.

Axes of arrays: R replicates of the whole experiment, M contrasts of a family, N units (seeds).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from absl import flags
from numpy.typing import NDArray
from scipy import stats

from cnn_ablation.commands import entry
from cnn_ablation.inference import (
    adjust_statements,
    bonferroni_level,
    decidable_effect,
    sign_flip_test,
    smallest_p,
    statement_p_values,
)
from experiments.simulate_sequential import sequential_null_table, sequential_power_table
from experiments.simulated_worlds import NULLS, SEQUENTIAL_NULLS, Array, Draw

LEVEL = 0.05


@dataclass(frozen=True)
class Batch:
    """The rule applied to many families at once.

    Attributes:
        low: lower ends of the simultaneous intervals, (R, M).
        high: upper ends, (R, M).
        decided: +1 'holds', -1 'fails', 0 'inconclusive', (R, M).
    """

    low: Array
    high: Array
    decided: NDArray[np.int64]

    @property
    def by_interval(self) -> NDArray[np.int64]:
        """What the intervals alone would decide, without the exact test, (R, M)."""
        return np.where(self.low > 0.0, 1, np.where(self.high < 0.0, -1, 0))

    def covers(self, truth: float = 0.0) -> NDArray[np.bool_]:
        """Whether each interval covers the truth, (R, M)."""
        return np.asarray((self.low <= truth) & (truth <= self.high))


def judge_batch(differences_RMN: Array, level: float = LEVEL) -> Batch:
    """Judge directions (margin 0) as `cnn_ablation.claims.judge` does, one family per replicate.

    The exact test is only run where the interval excludes zero: elsewhere it cannot matter.
    """
    _, contrasts, n = differences_RMN.shape
    means = differences_RMN.mean(axis=-1)
    critical = stats.t.isf(bonferroni_level(level, contrasts) / 2.0, n - 1)
    half = critical * differences_RMN.std(axis=-1, ddof=1) / n**0.5
    batch = Batch(means - half, means + half, np.zeros(means.shape, dtype=np.int64))
    if contrasts * smallest_p(n) > level:
        return batch
    for replicate, contrast in zip(*np.nonzero(batch.by_interval), strict=True):
        if _exact_test_rejects(differences_RMN[replicate], contrast, level):
            batch.decided[replicate, contrast] = batch.by_interval[replicate, contrast]
    return batch


def decided_when_fixed(differences_RMN: Array) -> NDArray[np.int64]:
    """What the rule for a fixed number of units decides: +1, -1 or 0, (R, M)."""
    return judge_batch(differences_RMN).decided


def _exact_test_rejects(family_MN: Array, contrast: int, level: float) -> bool:
    p_value = sign_flip_test(family_MN[contrast]).p_value
    if p_value <= level / len(family_MN):
        return True
    if p_value > level:
        return False
    adjusted = adjust_statements([statement_p_values(row, 0.0) for row in family_MN])[contrast]
    return min(adjusted.more_than_margin, adjusted.less_than_margin) <= level


@dataclass(frozen=True)
class NullRates:
    """Rates over replicates, as fractions; 'any' means at least one contrast of the family."""

    holds: float
    decided: float
    decided_by_interval: float
    pointwise_coverage: float
    simultaneous_coverage: float


def null_rates(
    draw: Draw, n: int, contrasts: int, replicates: int, rng: np.random.Generator
) -> NullRates:
    """False verdicts and coverage under a null, for families of so many contrasts."""
    differences = draw(rng, (replicates, contrasts, n))
    batch = judge_batch(differences)
    means, deviations = differences.mean(axis=-1), differences.std(axis=-1, ddof=1)
    alone = stats.t.isf(LEVEL / 2.0, n - 1) * deviations / n**0.5
    return NullRates(
        holds=float(np.mean((batch.decided > 0).any(axis=1))),
        decided=float(np.mean((batch.decided != 0).any(axis=1))),
        decided_by_interval=float(np.mean((batch.by_interval != 0).any(axis=1))),
        pointwise_coverage=float(np.mean(np.abs(means) <= alone)),
        simultaneous_coverage=float(np.mean(batch.covers().all(axis=1))),
    )


def simulated_power(
    effect: float, n: int, contrasts: int, replicates: int, rng: np.random.Generator
) -> float:
    """How often a contrast of that effect (in standard deviations) holds; the others are null."""
    differences = rng.normal(size=(replicates, contrasts, n))
    differences[:, 0] += effect
    return float(np.mean(judge_batch(differences).decided[:, 0] > 0))


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _percent(rate: float) -> str:
    return f"{100 * rate:.2f}"


def null_table(replicates: int, seed: int) -> str:
    """The table of false verdicts and coverage, in percent."""
    verdicts = ("false 'holds'", "false 'holds' or 'fails'", "the same by intervals alone")
    head = ("null", "seeds", "contrasts", *verdicts, "coverage, each", "coverage, all at once")
    lines = [_row(head), _row(["---", *["---:"] * 7])]
    for name, draw in NULLS.items():
        for n in (5, 10, 20, 30):
            for contrasts in (1, 5):
                rng = np.random.default_rng([seed, n, contrasts])
                rates = null_rates(draw, n, contrasts, replicates, rng)
                figures = (
                    rates.holds,
                    rates.decided,
                    rates.decided_by_interval,
                    rates.pointwise_coverage,
                    rates.simultaneous_coverage,
                )
                lines.append(_row([name, n, contrasts, *map(_percent, figures)]))
    return "\n".join(lines)


def power_table(replicates: int, seed: int) -> str:
    """The table of predicted and simulated power, in percent."""
    columns: tuple[str, ...] = ("seeds", "contrasts", "true effect (SD beyond the margin)")
    lines = [_row((*columns, "predicted", "simulated")), _row(["---:"] * 5)]
    for n in (10, 12, 20):
        for contrasts in (1, 5, 14):
            for target in (0.5, 0.8, 0.95):
                effect = decidable_effect(n, LEVEL, contrasts, target) or 0.0
                rng = np.random.default_rng([seed, n, contrasts])
                found = simulated_power(effect, n, contrasts, replicates, rng)
                cells = (n, contrasts, f"{effect:.2f}", _percent(target), _percent(found))
                lines.append(_row(cells))
    return "\n".join(lines)


def define_flags() -> None:
    """Defines the flags of this command, which must not meet those of another in one process."""
    module = "cnn_ablation: the simulation"
    for name, default, words, least in (
        ("replicates", 10_000, "simulated experiments per row", 100),
        ("sequential_replicates", 1000, "simulated studies per row", 100),
        ("seed", 0, "seed of the simulation", 0),
    ):
        flags.DEFINE_integer(name, default, words, least, module_name=module)


def main() -> None:
    """Prints the tables."""
    replicates, seed = flags.FLAGS.replicates, flags.FLAGS.seed
    studies = flags.FLAGS.sequential_replicates
    error = 100 * (0.025 * 0.975 / replicates) ** 0.5
    print("# The rule by which claims are judged, on worlds whose truth is known\n")
    sizes = f"--replicates={replicates} --sequential_replicates={studies}"
    print(f"Made by `python -m experiments.simulate_statistics {sizes}`.\n")
    print(f"False verdicts and coverage, % of {replicates:,} simulated families")
    print(f"(nominal: 2.5, 5, 5, 95, at least 95; standard error at 2.5 %: {error:.2f}).\n")
    print(null_table(replicates, seed))
    print(f"\nPower of one contrast, % of {replicates // 2:,} simulated families.\n")
    print(power_table(replicates // 2, seed))
    error = 100 * (0.025 * 0.975 / studies) ** 0.5
    print(f"\nSequential studies: false verdicts at any look, % of {studies:,} simulated families")
    print(f"(nominal: 2.5, 5, 5; standard error at 2.5 %: {error:.2f}). The last column is a user")
    print("who adds seeds to a study of fixed size until it decides.\n")
    print(sequential_null_table(SEQUENTIAL_NULLS, decided_when_fixed, studies, seed))
    print(f"\nSequential studies: how often a contrast holds, % of {studies // 5:,} families, and")
    print("its mean number of seeds; every contrast of the family has the effect.\n")
    print(sequential_power_table(decided_when_fixed, studies // 5, seed))


if __name__ == "__main__":
    define_flags()
    entry.run(main, __doc__ or "")
