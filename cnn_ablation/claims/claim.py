"""What is claimed, declared before the run."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cnn_ablation.claims.units import COUNTED, Scale, Unit, default_margin, default_scale, unit_of
from cnn_ablation.errors import InputError
from cnn_ablation.inference.crossed import Scope

Direction = Literal["greater", "smaller"]
Kind = Literal["paired", "timing", "exact"]
Expected = Literal["holds", "fails", "inconclusive"]
Contrast = tuple[str, str]
Hypothesis = tuple[str, str, str, Direction, float, Scale | None, Scope | None, Contrast | None]
# metric -> variant -> unit (a seed or a timing round) -> value
Table = Mapping[str, Mapping[str, Mapping[Any, float | None]]]
# metric -> variant -> seed -> which images were right, boolean, shape (I,)
Correct = Mapping[str, Mapping[str, Mapping[Any, NDArray[np.bool_]]]]


def chain(*variants: str) -> tuple[Contrast, ...]:
    """The neighbouring pairs of an ordering: of s1, s2, s3 these are (s1, s2) and (s2, s3)."""
    return tuple(itertools.pairwise(variants))


@dataclass(frozen=True)
class Claim:
    """One conclusion as a testable statement: in every contrast (A, B), A beats B.

    Where `against` names a second contrast (C, D) beside each, it is one about an interaction: what
    is judged is (A - B) - (C - D), unit by unit.

    Attributes:
        name: short identifier, unique among the claims judged together.
        question: the family; all contrasts of one question share one family-wise error rate.
        text: the conclusion in a sentence, without a full stop.
        metric: the one primary metric, a key of the table that is judged.
        contrasts: pairs (A, B) of variant labels; the claim holds when all of them do.
        direction: whether A is claimed 'greater' or 'smaller' than B.
        margin: smallest interesting difference, in the metric's unit, or on a ratio scale as a
            share: 0.05 is 5 %; 0 claims a direction alone. None takes the metric's default (0.001,
            which is 0.1 points, for an accuracy; 5 % for a time; else 0).
        kind: 'paired' (unit: a seed), 'timing' (unit: a round of the interleaved timing pass) or
            'exact' (a fact such as a parameter count: no statistics).
        expected: the outcome that `check` insists on; True stands for 'holds', None for nothing.
        min_epochs: with fewer epochs the claim does not apply and is not judged.
        scope: for what an accuracy claim speaks: 'population', new seeds and new images, or
            'benchmark', new seeds on these images. None is the population where it is known which
            images each trial got right, else the benchmark.
        scale: whether values are compared by their 'difference' or their 'ratio', which is judged
            as a difference of logarithms. None is the ratio for times, else the difference.
        against: for each contrast the one whose difference is taken off it; empty where the
            contrasts themselves are judged.

    Raises:
        InputError: for a field outside what is said above.
    """

    name: str
    question: str
    text: str
    metric: str
    contrasts: tuple[Contrast, ...]
    direction: Direction = "greater"
    margin: float | None = None
    kind: Kind = "paired"
    expected: Expected | bool | None = None
    min_epochs: int = 0
    scope: Scope | None = None
    scale: Scale | None = None
    against: tuple[Contrast, ...] = ()

    def __post_init__(self) -> None:
        for field in ("contrasts", "against"):
            pairs = tuple((str(a), str(b)) for a, b in getattr(self, field))
            object.__setattr__(self, field, pairs)
        if isinstance(self.expected, bool):
            object.__setattr__(self, "expected", "holds" if self.expected else None)
        if self.scale is None:
            object.__setattr__(self, "scale", default_scale(self.metric))
        if self.margin is None:
            object.__setattr__(self, "margin", default_margin(self.metric))
        self._validate()

    def _validate(self) -> None:
        self._one_of("direction", get_args(Direction))
        self._one_of("kind", get_args(Kind))
        self._one_of("expected", (*get_args(Expected), None))
        self._one_of("scope", (*get_args(Scope), None))
        self._one_of("scale", get_args(Scale))
        if self.scope == "population" and self.metric != COUNTED:
            raise InputError(
                f"claim {self.name!r}: scope 'population' needs the metric {COUNTED!r}, which "
                "alone is kept image by image"
            )
        if not math.isfinite(self.smallest_interesting) or self.smallest_interesting < 0:
            raise InputError(f"claim {self.name!r}: margin {self.margin} must be finite and >= 0")
        if not self.contrasts:
            raise InputError(f"claim {self.name!r}: contrasts is empty, at least one is needed")
        for a, b in (*self.contrasts, *self.against):
            if a == b:
                raise InputError(f"claim {self.name!r}: contrast ({a}, {b}) needs two variants")
        self._validate_against()

    def _validate_against(self) -> None:
        if not self.against:
            return
        if self.kind == "exact":
            raise InputError(f"claim {self.name!r}: against: kind 'exact' has no interactions")
        if len(self.against) != len(self.contrasts):
            raise InputError(
                f"claim {self.name!r}: against has {len(self.against)} contrasts, must be one for "
                f"each of the {len(self.contrasts)} in contrasts"
            )
        for contrast, other in zip(self.contrasts, self.against, strict=True):
            if contrast == other or self.contrasts.count(contrast) > 1:
                raise InputError(
                    f"claim {self.name!r}: against: contrast {contrast} must stand once, and not "
                    "against itself"
                )

    def _one_of(self, field: str, allowed: tuple[object, ...]) -> None:
        value = getattr(self, field)
        if value not in allowed:
            choices = ", ".join(map(str, allowed))
            raise InputError(f"claim {self.name!r}: {field} {value!r} is not one of {choices}")

    @property
    def smallest_interesting(self) -> float:
        """The margin after its default was filled in."""
        return default_margin(self.metric) if self.margin is None else self.margin

    @property
    def is_ratio(self) -> bool:
        """Whether differences are those of logarithms."""
        return self.scale == "ratio"

    @property
    def threshold(self) -> float:
        """The margin on the scale that differences are judged on."""
        margin = self.smallest_interesting
        return math.log1p(margin) if self.is_ratio else margin

    @property
    def unit(self) -> Unit:
        """How the metric and its differences are shown."""
        return unit_of(self.metric, ratio=self.is_ratio)

    @property
    def sign(self) -> int:
        """+1 where A - B > 0 speaks for the claim, else -1."""
        return 1 if self.direction == "greater" else -1

    def hypothesis(self, contrast: Contrast) -> Hypothesis:
        """What a contrast tests; the same hypothesis in two claims counts once in a family."""
        margin, other = self.smallest_interesting, self.against_of(contrast)
        return (self.metric, *contrast, self.direction, margin, self.scale, self.scope, other)

    def against_of(self, contrast: Contrast) -> Contrast | None:
        """The contrast that is taken off this one; None where it is judged by itself."""
        return self.against[self.contrasts.index(contrast)] if self.against else None

    def labels_of(self, contrast: Contrast) -> tuple[str, ...]:
        """The variants that a contrast compares: two, or four of an interaction."""
        return (*contrast, *(self.against_of(contrast) or ()))

    @property
    def labels(self) -> tuple[str, ...]:
        """All variants that the claim compares, each once."""
        return tuple(dict.fromkeys(label for c in self.contrasts for label in self.labels_of(c)))

    def applies(self, setting: Setting) -> bool:
        """Whether the claim speaks of this setting at all."""
        return setting.epochs >= self.min_epochs

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON; a scope that is left open is left out."""
        data = asdict(self) | {"contrasts": [list(contrast) for contrast in self.contrasts]}
        if self.against:
            data["against"] = [list(contrast) for contrast in self.against]
        else:
            del data["against"]
        if self.scope is None:
            del data["scope"]
        if self.scale == "difference" and default_scale(self.metric) == "difference":
            del data["scale"]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Claim:
        """The inverse of `to_json`.

        Before there were scales, margins of times were in seconds.
        """
        if "scale" not in data and data.get("margin"):
            return cls(**{**data, "scale": "difference"})
        return cls(**data)


@dataclass(frozen=True)
class Setting:
    """Where a verdict was reached; it says nothing about any other setting.

    Attributes:
        dataset: name of the dataset.
        epochs: passes over the training split; the metric is taken after the last one.
        optimizer: name of the optimiser; empty where numbers are not those of a training.
        learning_rate: its rate.
        device: what times were taken on; shown with timing claims.
        batch_size: images of a step; None where it is not known.
        splits: what was trained and tested on, where that is not the whole dataset.
        others: whatever else was not as usual, a phrase each.
    """

    dataset: str
    epochs: int
    optimizer: str
    learning_rate: float
    device: str | None = None
    batch_size: int | None = None
    splits: str = ""
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        dataset = f"{self.dataset} ({self.splits})" if self.splits else self.dataset
        if not self.optimizer:
            return ", ".join([dataset or "not said", *self.others])
        parts = [
            dataset,
            "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs",
            f"{self.optimizer} at learning rate {self.learning_rate:g}",
        ]
        if self.batch_size is not None:
            parts.append(f"batches of {self.batch_size}")
        return ", ".join([*parts, *self.others])
