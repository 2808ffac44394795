"""Simulate the rule by which claims are judged: error rates, coverage and power.

python -m experiments.simulate_statistics > experiments/results/simulated_statistics.md

It prints two Markdown tables, with the same figures every time. Under a null the true difference
of every contrast is exactly what separates 'holds' from 'fails', so that every decided verdict is
false. The rule is two-sided at 5 %, so 'holds' is to stay at 2.5 % or under and 'holds' and 'fails'
together at 5 %, whether one contrast is judged or a family of five.

Axes of arrays: R replicates of the whole experiment, M contrasts of a family, N units (seeds).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

LEVEL = 0.05
Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int, int]], Array]


def _neighbours(trials: Array) -> Array:
    """Differences of neighbouring variants, as in a chain of contrasts; one variant is one more."""
    return trials[:, :-1] - trials[:, 1:]


def _one_more(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    return shape[0], shape[1] + 1, shape[2]


def normal(rng: np.random.Generator, shape: tuple[int, int, int]) -> Array:
    """Normal trials of equal spread."""
    return _neighbours(rng.normal(size=_one_more(shape)))


def skewed_trials(rng: np.random.Generator, shape: tuple[int, int, int]) -> Array:
    """Accuracies with a long lower tail, the same in every variant: the odd bad seed."""
    return _neighbours(-rng.exponential(size=_one_more(shape)))


def rounded(rng: np.random.Generator, shape: tuple[int, int, int]) -> Array:
    """Near-ties: normal with a spread of two images, rounded to the 1e-4 of 10,000 images."""
    return np.round(_neighbours(np.round(rng.normal(0.99, 2e-4, size=_one_more(shape)), 4)), 4)


def heteroscedastic(rng: np.random.Generator, shape: tuple[int, int, int]) -> Array:
    """Variants of different spread (1 to 4), and seeds of different spread (log-normal)."""
    size = _one_more(shape)
    variant_spread = np.linspace(1.0, 4.0, size[1])[None, :, None]
    seed_spread = rng.lognormal(sigma=0.75, size=(shape[0], 1, shape[2]))
    return _neighbours(rng.normal(size=size) * variant_spread * seed_spread)


def skewed_differences(rng: np.random.Generator, shape: tuple[int, int, int]) -> Array:
    """Differences of mean zero and skewness -1: variants that are not exchangeable.

    Beyond what the sign-flip test promises: nothing is exact here with few seeds.
    """
    return 4.0 - rng.gamma(4.0, size=shape)


NULLS: dict[str, Draw] = {
    "normal": normal,
    "skewed trials": skewed_trials,
    "rounded near-ties": rounded,
    "unequal spread": heteroscedastic,
    "skewed differences": skewed_differences,
}


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


_MODULE = "cnn_ablation: the simulation"
flags.DEFINE_integer(
    "replicates", 10_000, "simulated experiments per row", 100, module_name=_MODULE
)
flags.DEFINE_integer("seed", 0, "seed of the simulation", 0, module_name=_MODULE)


def main() -> None:
    """Prints both tables."""
    replicates, seed = flags.FLAGS.replicates, flags.FLAGS.seed
    error = 100 * (0.025 * 0.975 / replicates) ** 0.5
    print("# The rule by which claims are judged, on worlds whose truth is known\n")
    print(f"Made by `python -m experiments.simulate_statistics --replicates={replicates}`.\n")
    print(f"False verdicts and coverage, % of {replicates:,} simulated families")
    print(f"(nominal: 2.5, 5, 5, 95, at least 95; standard error at 2.5 %: {error:.2f}).\n")
    print(null_table(replicates, seed))
    print(f"\nPower of one contrast, % of {replicates // 2:,} simulated families.\n")
    print(power_table(replicates // 2, seed))


if __name__ == "__main__":
    entry.run(main, __doc__ or "")
