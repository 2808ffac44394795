"""When a sequential study looks at its results, and how much of its level each look may spend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cnn_ablation.errors import InputError

# Share of the level spent when a share of the units is in; 0 at 0, 1 at 1, never falling (Lan and
# DeMets 1983; powers: Kim and DeMets 1987). 'cubic' keeps nearly all of it for the last looks, as
# the boundaries of O'Brien and Fleming do.
SPENDING: dict[str, Callable[[float], float]] = {
    "linear": lambda units: units,
    "square-root": lambda units: units**0.5,
    "quadratic": lambda units: units**2,
    "cubic": lambda units: units**3,
}


@dataclass(frozen=True)
class SequentialDesign:
    """The schedule of a sequential study, declared before its first trial.

    Attributes:
        looks: numbers of units at which the results are looked at, rising; the last is the cap.
        level: family-wise, of any false verdict over the whole study.
        spending: a key of `SPENDING`.
        grid: step of the differences, such as 1 / N for an accuracy over N images, or the one to
            move losses or times to. None finds it: see `sequential.grid_of`.

    Raises:
        InputError: for a field outside what is said above.
    """

    looks: tuple[int, ...]
    level: float = 0.05
    spending: str = "linear"
    grid: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "looks", tuple(int(units) for units in self.looks))
        rising = all(a < b for a, b in zip((0, *self.looks), self.looks, strict=False))
        if not self.looks or not rising:
            raise InputError(f"looks {self.looks} must be rising numbers of units, at least one")
        if not 0.0 < self.level < 1.0:
            raise InputError(f"level {self.level} must lie between 0 and 1, both excluded")
        if self.spending not in SPENDING:
            raise InputError(f"spending {self.spending!r} is not one of {', '.join(SPENDING)}")
        if self.grid is not None and not 0.0 < self.grid < float("inf"):
            raise InputError(f"grid {self.grid} must be a positive number")

    @property
    def most_units(self) -> int:
        """The cap: units after which nothing more is looked at."""
        return self.looks[-1]

    def shares(self) -> tuple[float, ...]:
        """The share of a level that may be spent by each look, the last being 1."""
        spent = SPENDING[self.spending]
        return tuple(spent(units / self.most_units) for units in self.looks)

    def direction_levels(self, contrasts: int) -> tuple[float, ...]:
        """One-sided levels of a contrast after 0, 1, ... others made their strong statement.

        Half the level a direction, by Holm within it: see `inference.statements`.
        """
        return tuple(self.level / 2.0 / (contrasts - made) for made in range(contrasts))

    def looks_within(self, units: int) -> int:
        """How many of the looks so many units allow."""
        return sum(look <= units for look in self.looks)

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        return asdict(self) | {"looks": list(self.looks)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SequentialDesign:
        """The inverse of `to_json`."""
        return cls(**data)


def looks_between(first: int, last: int) -> tuple[int, ...]:
    """Looks whose units double every second look: 10 to 60 gives 10, 14, 20, 28, 40, 60.

    Raises:
        InputError: unless 1 <= first <= last.
    """
    if not 1 <= first <= last:
        raise InputError(f"looks from {first} to {last}: from one unit on, upwards")
    looks, step = [], 0
    # A look shortly before the last would cost level and save little.
    while (units := round(first * 2 ** (step / 2))) * 1.2 < last:
        if units not in looks:
            looks.append(units)
        step += 1
    return (*looks, last)
