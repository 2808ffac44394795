"""Simulate skewed differences: how often verdicts are false, and whether other statistics help.

python -m experiments.simulate_skew > experiments/results/simulated_skew.md

It prints three Markdown tables, with the same figures every time: any false verdict of the rule in
a family; one contrast and one direction by several rules; and their power. Differences have their
mean at the null, unit variance and the skewness named; a negative one is a long tail against the
claim. The rules: 'as judged' needs the sign-flip test and the t interval; 'and Hall' needs the
interval by Hall's transformation of t as well; 'Hall by signs' is a sign-flip test of that
transform, exact under symmetry, by random patterns. (A studentised sign-flip test is the plain one:
the sum of squares is the same for all patterns.)

Axes of arrays: R replicates of the whole experiment, M contrasts of a family, N units (seeds),
F patterns of signs.
"""

from __future__ import annotations

import numpy as np
from absl import flags
from numpy.typing import NDArray
from scipy import stats

from cnn_ablation.commands import entry
from cnn_ablation.display.text import markdown_table
from cnn_ablation.inference.skewness import transformed_t
from experiments.simulate_statistics import LEVEL, judge_batch

Array = NDArray[np.float64]

SKEWNESSES = (0.0, -1.0, -2.0, -3.0)
UNITS = (10, 20, 40)
FAMILIES = (1, 5, 14)
_PATTERNS = 8000
_CHUNK = 100


def skewed(
    rng: np.random.Generator, skewness: float, shape: tuple[int, ...], mean: float = 0.0
) -> Array:
    """Differences of unit variance: normal, or a gamma variable turned round."""
    if skewness == 0.0:
        return mean + rng.normal(size=shape)
    k = 4.0 / skewness**2
    return mean + np.sign(skewness) * (rng.gamma(k, size=shape) - k) / k**0.5


def _moments_t(mean: Array, square: Array, cube: Array, n: int) -> tuple[Array, Array]:
    """The t statistic and the sample skewness from the first three moments about zero."""
    variance = np.maximum(square - mean**2, 1e-12)
    skewness = (cube - 3.0 * mean * square + 2.0 * mean**3) / variance**1.5
    return mean * ((n - 1) / variance) ** 0.5, skewness


def one_sided_p_values(differences_RN: Array, rng: np.random.Generator) -> dict[str, Array]:
    """For each rule the p values of 'more than 0' and of 'less than 0', (2, R)."""
    replicates, n = differences_RN.shape
    flips_FN = rng.integers(0, 2, size=(_PATTERNS, n)) * 2.0 - 1.0
    flips_FN[0] = 1.0
    by_signs = np.empty((2, 2, replicates))
    for start in range(0, replicates, _CHUNK):
        chunk = differences_RN[start : start + _CHUNK]
        mean, cube = flips_FN @ chunk.T / n, flips_FN @ (chunk**3).T / n
        t, skewness = _moments_t(mean, np.mean(chunk**2, axis=1), cube, n)
        for row, values in enumerate((mean, transformed_t(t, skewness, n))):
            by_signs[row, 0, start : start + _CHUNK] = np.mean(values >= values[0] - 1e-12, axis=0)
            by_signs[row, 1, start : start + _CHUNK] = np.mean(values <= values[0] + 1e-12, axis=0)
    mean, square, cube = (np.mean(differences_RN**power, axis=1) for power in (1, 2, 3))
    t, skewness = _moments_t(mean, square, cube, n)
    by_t = np.array([stats.t.sf(t, n - 1), stats.t.cdf(t, n - 1)])
    hall = transformed_t(t, skewness, n)
    by_hall = np.array([stats.t.sf(hall, n - 1), stats.t.cdf(hall, n - 1)])
    judged = np.maximum(by_signs[0], by_t)
    return {
        "as judged": judged,
        "and Hall": np.maximum(judged, by_hall),
        "Hall by signs": by_signs[1],
    }


def family_table(replicates: int, seed: int) -> str:
    """Any false verdict of the rule as it is, in percent."""
    rows = [["skewness", "seeds", *(f"{m} contrast{'s' * (m > 1)}" for m in FAMILIES)]]
    for skewness in SKEWNESSES:
        for n in UNITS:
            rng = np.random.default_rng([seed, n])
            # On a grid, for the exact test of 40 units; a standard deviation is 200 steps.
            differences = np.rint(200 * skewed(rng, skewness, (replicates, FAMILIES[-1], n)))
            rates = [
                np.mean((judge_batch(differences[:, :m]).decided != 0).any(axis=1))
                for m in FAMILIES
            ]
            rows.append([f"{skewness:g}", str(n), *(f"{100 * rate:.1f}" for rate in rates)])
    return markdown_table(rows)


def rule_table(means: tuple[float, ...], replicates: int, seed: int) -> str:
    """How often each rule decides at one-sided shares of 2.5 %, by direction, in percent."""
    levels = [LEVEL / 2 / m for m in FAMILIES]
    rules = ("as judged", "and Hall", "Hall by signs")
    heads = [f"{rule}, 1 of {m}" for rule in rules for m in FAMILIES]
    rows = [["skewness", "seeds", "mean (SD)", "direction", *heads]]
    for skewness in SKEWNESSES:
        for n in UNITS:
            for mean in means:
                rng = np.random.default_rng([seed, n])
                differences = skewed(rng, skewness, (replicates, n), mean)
                found = one_sided_p_values(differences, rng)
                for row, direction in enumerate(("holds", "fails")):
                    if mean and (mean > 0) != (row == 0):
                        continue
                    rates = [
                        f"{100 * np.mean(found[rule][row] <= level):.1f}"
                        for rule in rules
                        for level in levels
                    ]
                    rows.append([f"{skewness:g}", str(n), f"{mean:g}", direction, *rates])
    return markdown_table(rows)


_MODULE = "cnn_ablation: the simulation of skewed differences"
flags.DEFINE_integer(
    "skew_replicates", 2000, "simulated experiments per row", 100, module_name=_MODULE
)


def main() -> None:
    """Prints the tables."""
    replicates = flags.FLAGS.skew_replicates
    print("# Skewed differences\n")
    print(f"Made by `python -m experiments.simulate_skew --skew_replicates={replicates}`.\n")
    print(f"Any false verdict of the rule, % of {replicates:,} families (nominal: 5).\n")
    print(family_table(replicates, 0))
    print(f"\nFalse verdicts on one contrast, by rule, % of {replicates:,} (nominal: 2.5, 0.5 and")
    print("0.18 for 1, 5 and 14 contrasts).\n")
    print(rule_table((0.0,), replicates, 0))
    print("\nTrue verdicts on one contrast whose mean is beyond the margin, by rule, %.\n")
    print(rule_table((0.8, -0.8), replicates // 2, 0))


if __name__ == "__main__":
    entry.run(main, __doc__ or "")
