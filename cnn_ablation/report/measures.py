"""What the trials and timings of each variant come to: the numbers behind tables and figures."""

import dataclasses
from collections.abc import Sequence
from statistics import fmean, median, stdev
from typing import Self

from cnn_ablation.design.summary import Summary, summarize
from cnn_ablation.inference import Interval, t_interval
from cnn_ablation.study import Question, Variant
from cnn_ablation.study.arms import ARMS, TUNED, arm_of
from cnn_ablation.study.controls import PARAMS, TOLERANCE
from cnn_ablation.study.results import StudyResults
from cnn_ablation.training.records import EpochRecord, TrialRecord

LEVEL = 0.05
STATUSES = ("completed", "diverged", "failed", "missing")


@dataclasses.dataclass(frozen=True)
class Spread:
    """One figure over its replicates, in the figure's own unit.

    Attributes:
        values: one a replicate.
        mean: their mean.
        sd: their standard deviation (n - 1), None for one.
        interval: 95 % t interval of the mean, None for one.
    """

    values: tuple[float, ...]
    mean: float
    sd: float | None
    interval: Interval | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Self | None:
        """The spread of values, or None of none."""
        if not values:
            return None
        sd = stdev(values) if len(values) > 1 else None
        return cls(tuple(values), fmean(values), sd, t_interval(values, LEVEL))

    @property
    def n(self) -> int:
        """Number of replicates."""
        return len(self.values)

    @property
    def low(self) -> float:
        """The smallest value."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The largest value."""
        return max(self.values)

    @property
    def median(self) -> float:
        """The middle value."""
        return median(self.values)


@dataclasses.dataclass(frozen=True)
class Measured:
    """A variant with what was found of it.

    Attributes:
        variant: the design and its label.
        summary: its layer table.
        completed: its completed trials in the order of their seeds; figures are of these alone.
        counts: how many of the seeds asked for have each of `STATUSES`.
        seconds: training time of one epoch over the rounds of the timing pass, or None.
    """

    variant: Variant
    summary: Summary
    completed: tuple[TrialRecord, ...]
    counts: dict[str, int]
    seconds: Spread | None

    @property
    def label(self) -> str:
        """The variant's label."""
        return self.variant.label

    def final(self, metric: str) -> Spread | None:
        """A metric after the last epoch."""
        return Spread.of([_metric(trial.epochs[-1], metric) for trial in self.completed])

    def curve(self, metric: str) -> tuple[Spread, ...]:
        """A metric after each epoch."""
        epochs = zip(*(trial.epochs for trial in self.completed), strict=True)
        spreads = (Spread.of([_metric(record, metric) for record in epoch]) for epoch in epochs)
        return tuple(spread for spread in spreads if spread is not None)


def measure(results: StudyResults, question: Question) -> tuple[Measured, ...]:
    """What was found of each variant of a question, in the order of its declaration."""
    return tuple(_measure(results, variant) for variant in question.variants)


def control_arm(measured: Sequence[Measured], name: str = PARAMS) -> tuple[Measured, ...]:
    """The variants in another arm than as given: each one's twin, or itself where it needs none.

    Empty where the question has no such arm.

    Args:
        measured: all variants of a question.
        name: the arm, a key of `study.arms.ARMS`.
    """
    arm = ARMS[name]
    twins = {(m.variant.control_of, m.variant.arm): m for m in measured}
    controls = [m for m in measured if arm_of(m.variant) == arm]
    found = []
    for m in main_arm(measured) if controls else ():
        alike = twins.get((m.label, TUNED)) if arm.is_tuned else m
        twin = twins.get((m.label, name))
        if twin is not None:
            found.append(twin)
        elif alike is not None and (arm.held is None or _alike(arm.held, alike, controls[0])):
            found.append(alike)
    return tuple(found)


def main_arm(measured: Sequence[Measured]) -> tuple[Measured, ...]:
    """The variants that are no controls."""
    return tuple(m for m in measured if m.variant.control_of is None)


def count_statuses(results: StudyResults) -> dict[str, int]:
    """Trials of the whole study by status; a design that questions share counts once."""
    counts = dict.fromkeys(STATUSES, 0)
    for spec in results.plan.designs:
        trials = [
            trial for trial in results.trials if trial.spec == spec and trial.seed in results.seeds
        ]
        for status, count in _counts(trials, results.asked(spec)).items():
            counts[status] += count
    return counts


def _measure(results: StudyResults, variant: Variant) -> Measured:
    trials = results.trials_of(variant)
    return Measured(
        variant=variant,
        summary=summarize(variant.network),
        completed=tuple(t for t in trials if t.status == "completed"),
        counts=_counts(trials, results.asked_of(variant)),
        seconds=Spread.of([timing.train_seconds for timing in results.timings_of(variant)]),
    )


def _counts(trials: Sequence[TrialRecord], asked: int) -> dict[str, int]:
    counts = {status: sum(t.status == status for t in trials) for status in STATUSES[:-1]}
    return {**counts, "missing": asked - len(trials)}


def _metric(record: EpochRecord, metric: str) -> float:
    value: float = getattr(record, metric)
    return value


def _alike(held: str, m: Measured, control: Measured) -> bool:
    own, target = getattr(m.summary, held), getattr(control.summary, held)
    # Two controls may lie a tolerance off their reference on opposite sides.
    return bool(abs(own - target) <= 2 * TOLERANCE * target)
