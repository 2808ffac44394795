"""Tuning as a declaration, and the rule by which a value is chosen. No trials, no files.

Every variant gets the same values and the same seeds, which are no seeds of the study's. What is
trained in tuning is trained on a part of the training images and evaluated on the rest of them; the
test images have no part in it.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from cnn_ablation.design import TrainingSpec
from cnn_ablation.errors import FieldError, InputError, as_typed
from cnn_ablation.options import Option, declared, option, validate
from cnn_ablation.options.kinds import NUMBER, WHOLE
from cnn_ablation.options.registry import nearest

# Far from any seed that a study is likely to be evaluated with.
FIRST_SEED = 1_000_000
By = Literal["loss", "accuracy"]
_DIGITS = 3


@dataclasses.dataclass(frozen=True)
class Tuning:
    """How each variant's best value of one field of the training is found.

    Attributes:
        field: the field: `learning_rate`.
        values: the grid: values to try of each variant, each once.

    Raises:
        InputError: there is no such field, or a value is not allowed.
    """

    field: str
    values: tuple[Any, ...]
    seeds: int = option(
        1,
        f"seeds of each value in tuning, from {FIRST_SEED} on: so many for each seed of the study, "
        "or in all where one value is chosen for all",
        least=1,
    )
    once: bool = option(
        False,
        "choose one value of each variant for all seeds of the study: with fewer trials, but what "
        "is compared are then the values that luck chose",
    )
    validation: float = option(
        0.2, "share of the training images that values are compared on", above=0, below=1
    )
    by: str = option(
        "loss",
        "what is compared after the last epoch, as a mean over the seeds",
        choices=get_args(By),
    )
    extensions: int = option(
        3,
        "how often the grid is extended at most, for all variants alike, where the best value of "
        "one lies at its edge",
        least=0,
    )

    def __post_init__(self) -> None:
        try:
            validate(self)
            its = self.option
            values = tuple(its.checked(self.field, value) for value in self.values)
        except FieldError as error:
            raise InputError(f"tuning: {error}") from None
        if len(values) < 2 or len(set(values)) < len(values):
            given = as_typed(values) or "none"
            raise InputError(f"tuning: {self.field}={given}: must be two values or more, each once")
        object.__setattr__(self, "values", values)

    @property
    def option(self) -> Option:
        """What the field says of itself.

        Raises:
            FieldError: there is no such field of the training, or it takes several values.
        """
        return tunable(self.field)

    def seeds_for(self, seed: int) -> tuple[int, ...]:
        """The seeds that the value for a seed of the study is chosen by, alike for all variants."""
        first = FIRST_SEED if self.once else FIRST_SEED + self.seeds * seed
        return tuple(range(first, first + self.seeds))

    def trial_seeds(self, seeds: Sequence[int]) -> tuple[int, ...]:
        """All seeds of tuning that so many seeds of the study need."""
        return tuple(dict.fromkeys(own for seed in seeds for own in self.seeds_for(seed)))

    @property
    def metric(self) -> str:
        """The figure of an epoch that values are compared by."""
        return f"test_{self.by}"

    def to_json(self) -> dict[str, Any]:
        """The declaration as JSON values."""
        return dataclasses.asdict(self) | {"values": list(self.values)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Tuning":
        """Reads what `to_json` wrote.

        Raises:
            InputError: it is something else.
        """
        try:
            return cls(**{**document, "values": tuple(document["values"])})
        except (TypeError, KeyError) as error:
            raise InputError(f"tuning: is not what it must be ({error})") from None

    def __str__(self) -> str:
        share = f"{100 * self.validation:g} % of the training images"
        seeds = "1 seed" if self.seeds == 1 else f"{self.seeds} seeds"
        whose = "once for all seeds" if self.once else "for each seed by itself"
        return (
            f"{self.field} of {', '.join(map(as_typed, self.values))}, {whose}, by the mean "
            f"validation {self.by} on {share}, {seeds} each"
        )


@dataclasses.dataclass(frozen=True)
class Choice:
    """What was chosen of a grid.

    Attributes:
        value: the value.
        edge: -1 where it is the lowest of the grid, 1 the highest, 0 where it lies between or the
            grid has no order.
    """

    value: Any
    edge: int


def tunable(field: str) -> Option:
    """What a field that can be tuned says of itself.

    Raises:
        FieldError: there is no such field of the training, or it takes several values.
    """
    every = TrainingSpec.every_option()
    if field not in every or every[field].shape != "one":
        known = sorted(name for name, its in every.items() if its.shape == "one")
        raise FieldError(
            "field",
            field,
            f"must be a field of the training with one value{nearest(field, known)}; allowed: "
            f"{', '.join(known)}",
        )
    return every[field]


def choose(
    tuning: Tuning, grid: Sequence[Any], scores: Mapping[Any, float | None], default: Any
) -> Choice:
    """The value that did best of a grid.

    Where several did equally well it is the one nearest to the default: the default itself, where
    it is among them. A value at which a trial diverged (its score is None) is chosen only where
    all values are such.

    Args:
        tuning: the declaration.
        grid: the values that were tried.
        scores: value -> mean over the seeds; None where one diverged.
        default: the value that the variant has as given.
    """
    sign = 1.0 if tuning.by == "loss" else -1.0

    def badness(value: Any) -> float:
        score = scores[value]
        return math.inf if score is None else sign * score

    best = min(grid, key=lambda value: (badness(value), *_distance(tuning, grid, value, default)))
    if not is_ordered(tuning) or math.isinf(badness(best)):
        return Choice(best, 0)
    return Choice(best, (best == max(grid)) - (best == min(grid)))


def extended(tuning: Tuning, grid: Sequence[Any], edges: set[int]) -> tuple[Any, ...]:
    """The grid with another value beyond each edge at which a best value lies.

    Values of positive numbers go on by the ratio of the two at the edge, to three digits; a grid
    that holds a number of 0 or less, or none at all, is not extended.

    Args:
        tuning: the declaration.
        grid: the values so far.
        edges: -1 and 1, as far as some variant's best value lies there.
    """
    if not is_ordered(tuning) or min(grid) <= 0:
        return tuple(grid)
    rising, its = sorted(grid), tuning.option
    added: list[Any] = []
    for edge in sorted(edges - {0}):
        last, before = (rising[0], rising[1]) if edge < 0 else (rising[-1], rising[-2])
        value: Any = float(f"{last * (last / before):.{_DIGITS}g}")
        value = round(value) if its.kind is WHOLE else value
        if value not in (*grid, *added) and its.accepts(value):
            added.append(value)
    return (*grid, *added)


def is_ordered(tuning: Tuning) -> bool:
    """Whether the field's values are numbers."""
    return tuning.option.kind in (NUMBER, WHOLE)


def _distance(tuning: Tuning, grid: Sequence[Any], value: Any, default: Any) -> tuple[float, ...]:
    """How far a value lies from the default, then its place in the grid."""
    place = float(list(grid).index(value))
    if value == default:
        return -1.0, place
    if not is_ordered(tuning):
        return 0.0, place
    if value > 0 and default > 0:
        return abs(math.log(value / default)), place
    return abs(float(value) - float(default)), place


# The declared options, whose help flags have too.
OPTIONS = declared(Tuning)
