"""Simulated sequential studies: error rates, power and units, against studies of fixed size.

Its tables are part of what `python -m experiments.simulate_statistics` prints. Differences are in
images. Axes of arrays: R replicates of the whole study, M contrasts of a family, N units (seeds).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn_ablation.display.text import markdown_table
from cnn_ablation.inference import SequentialDesign, judge_sequentially
from experiments.simulated_worlds import Array, Draw

# What a rule for a fixed number of units decides of differences (R, M, N): +1, -1 or 0, (R, M).
FixedRule = Callable[[Array], NDArray[np.int64]]

SCHEDULES = ((10, 20, 40), (10, 14, 20, 28, 40, 60))
FAMILIES = (1, 5, 14)


@dataclass(frozen=True)
class SequentialRates:
    """Rates over replicates, as fractions; 'any' means at least one contrast of the family.

    Attributes:
        holds: any contrast holds.
        decided: any contrast holds or fails.
        contrast_holds: a contrast holds.
        units: mean number of units of a contrast until it is decided, or the cap.
    """

    holds: float
    decided: float
    contrast_holds: float
    units: float


def sequential_rates(differences_RMN: Array, design: SequentialDesign) -> SequentialRates:
    """Judges directions (margin 0) of one family a replicate as `judge_sequentially` does."""
    contrasts = differences_RMN.shape[1]
    judged = [
        judge_sequentially(list(family), [0.0] * contrasts, design, intervals=False)
        for family in differences_RMN
    ]
    holds = np.array([[found.outcome == "holds" for found in family] for family in judged])
    decided = np.array([[found.outcome != "open" for found in family] for family in judged])
    units = [[found.units or design.most_units for found in family] for family in judged]
    return SequentialRates(
        holds=float(np.mean(holds.any(axis=1))),
        decided=float(np.mean(decided.any(axis=1))),
        contrast_holds=float(np.mean(holds)),
        units=float(np.mean(units)),
    )


def shifted(
    effect: float, contrasts: int, n: int, replicates: int, rng: np.random.Generator
) -> Array:
    """Independent normal differences with a mean of so many standard deviations of 14 images."""
    return np.rint(rng.normal(14.0 * effect, 14.0, size=(replicates, contrasts, n)))


def decided_at_any_look(differences_RMN: Array, looks: Sequence[int], rule: FixedRule) -> float:
    """Share of families in which a rule for a fixed number of units decides at one look or more.

    It is what a user does who adds units to a fixed study until it says something.
    """
    decided = [(rule(differences_RMN[:, :, :units]) != 0).any(axis=1) for units in looks]
    return float(np.mean(np.any(decided, axis=0)))


def sequential_null_table(
    worlds: Mapping[str, Draw], rule: FixedRule, replicates: int, seed: int
) -> str:
    """False verdicts over whole sequential studies, in percent; beside them the fixed rule's."""
    verdicts = ("false 'holds'", "false 'holds' or 'fails'", "the fixed rule at every look")
    rows = [["null", "looks", "contrasts", *verdicts]]
    for name, draw in worlds.items():
        for looks in SCHEDULES:
            for contrasts in FAMILIES:
                rng = np.random.default_rng([seed, looks[-1], contrasts])
                differences = draw(rng, (replicates, contrasts, looks[-1]))
                rates = sequential_rates(differences, SequentialDesign(looks, grid=1.0))
                peeking = decided_at_any_look(differences, looks, rule)
                figures = (f"{100 * rate:.1f}" for rate in (rates.holds, rates.decided, peeking))
                rows.append([name, ", ".join(map(str, looks)), str(contrasts), *figures])
    return markdown_table(rows)


def sequential_power_table(rule: FixedRule, replicates: int, seed: int) -> str:
    """How often a contrast of a true effect holds, and by how many units, beside fixed designs."""
    fixed = (20, 40, 60)
    heads = [f"looks {', '.join(map(str, looks))}: holds, units" for looks in SCHEDULES]
    rows = [["contrasts", "true effect (SD)", *heads, *(f"fixed {n}: holds" for n in fixed)]]
    for contrasts in FAMILIES:
        for effect in (0.3, 0.5, 1.0, 1.5):
            rng = np.random.default_rng([seed, contrasts])
            differences = shifted(effect, contrasts, fixed[-1], replicates, rng)
            cells = [str(contrasts), f"{effect}"]
            for looks in SCHEDULES:
                design = SequentialDesign(looks, grid=1.0)
                rates = sequential_rates(differences[:, :, : looks[-1]], design)
                cells.append(f"{100 * rates.contrast_holds:.1f}, {rates.units:.1f}")
            for n in fixed:
                cells.append(f"{100 * np.mean(rule(differences[:, :, :n]) > 0):.1f}")
            rows.append(cells)
    return markdown_table(rows)
