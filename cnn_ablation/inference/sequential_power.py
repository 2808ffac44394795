"""What a sequential study can be expected to show, look by look: said before the run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cnn_ablation.inference.crossing import first_crossings
from cnn_ablation.inference.spending import SequentialDesign

# 300 draws: a chance of 80 % is right to 2.3 points, in some 0.1 s.
_DRAWS = 300
_STEPS_PER_SD = 20
_SEED = 0


@dataclass(frozen=True)
class SequentialProspects:
    """One contrast of a family, simulated on normal differences with fixed draws.

    Attributes:
        effect: true distance from the margin, in standard deviations of the paired difference.
        looks: numbers of units of the looks.
        decided: chance of a verdict on the true side by each look, in [0, 1].
        stopped: chance of a verdict on either side by each look; at the last look there is nothing
            left to train, so 1.
        expected_units: mean number of units until a verdict on either side, or the cap.
    """

    effect: float
    looks: tuple[int, ...]
    decided: tuple[float, ...]
    stopped: tuple[float, ...]
    expected_units: float

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }


def sequential_prospects(
    effect: float, design: SequentialDesign, family_size: int = 1
) -> SequentialProspects:
    """Simulates one contrast that faces the family's first, smallest share of the level.

    Args:
        effect: true distance from the margin in standard deviations of the paired difference; only
            its size counts.
        design: the schedule.
        family_size: contrasts that share the level.
    """
    rng = np.random.default_rng(_SEED)
    draws = abs(effect) + rng.normal(size=(_DRAWS, design.most_units))
    shares, level = design.shares(), design.direction_levels(family_size)[:1]
    counts = np.rint(draws * _STEPS_PER_SD).astype(np.int64)
    crossed = np.array([first_crossings(row, design.looks, shares, level)[0] for row in counts])
    rightly = crossed[:, 0] <= np.minimum(crossed[:, 1], len(design.looks) - 1)
    first = np.min(crossed, axis=1)
    units = np.append(design.looks, design.most_units)[first]
    stopped = [float(np.mean(first <= look)) for look in range(len(design.looks) - 1)]
    return SequentialProspects(
        effect=effect,
        looks=design.looks,
        decided=tuple(
            float(np.mean(rightly & (crossed[:, 0] <= look))) for look in range(len(design.looks))
        ),
        stopped=(*stopped, 1.0),
        expected_units=float(np.mean(units)),
    )
