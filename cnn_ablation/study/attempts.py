"""What tuning has tried so far: every value of each variant, its trials, and what was chosen."""

import dataclasses
from collections import Counter
from collections.abc import Collection, Mapping
from statistics import fmean
from typing import Any

from cnn_ablation.design import TrialSpec
from cnn_ablation.errors import as_typed
from cnn_ablation.study.plan import Trial
from cnn_ablation.study.tuning import Tuning
from cnn_ablation.training.records import TrialRecord


@dataclasses.dataclass(frozen=True)
class Attempt:
    """One value of a variant's.

    Attributes:
        value: the value.
        spec: what is trained: on a part of the training images.
        trials: those that are there, in the order of the seeds.
        metric: the figure of an epoch that values are compared by.
    """

    value: Any
    spec: TrialSpec
    trials: tuple[TrialRecord, ...]
    metric: str

    @property
    def score(self) -> float | None:
        """The mean over all trials that are there; None where one did not complete."""
        return self.score_at([trial.seed for trial in self.trials])

    def score_at(self, seeds: Collection[int]) -> float | None:
        """The mean over some seeds; None where a trial did not complete, or is not there."""
        own = [trial for trial in self.trials if trial.seed in seeds]
        if not own or len(own) < len(seeds) or any(t.status != "completed" for t in own):
            return None
        return fmean(getattr(trial.epochs[-1], self.metric) for trial in own)

    def is_whole(self, seeds: Collection[int]) -> bool:
        """Whether every one of some seeds is there, none of them failed."""
        return sum(trial.finished for trial in self.trials if trial.seed in seeds) == len(seeds)


@dataclasses.dataclass(frozen=True)
class Tuned:
    """The tuning of one variant.

    Attributes:
        question: name of its question.
        label: its label.
        default: the value that it has as given.
        attempts: one for each value of the grid.
        choices: the value that was chosen, by seed of the study; empty as long as trials are
            missing. Where one value is chosen for all, every seed has it.
        edge: -1 or 1 where the value that is best over all trials of tuning is the lowest or the
            highest that was tried.
    """

    question: str
    label: str
    default: Any
    attempts: tuple[Attempt, ...]
    choices: Mapping[int, Any] = dataclasses.field(default_factory=dict)
    edge: int = 0

    @property
    def is_open(self) -> bool:
        """Whether nothing is chosen yet."""
        return not self.choices

    @property
    def chosen(self) -> dict[Any, int]:
        """The values that were chosen, with for how many seeds, in the order of the grid."""
        counts = Counter(self.choices.values())
        return {one.value: counts[one.value] for one in self.attempts if counts[one.value]}


@dataclasses.dataclass(frozen=True)
class TuningResults:
    """How far tuning has come.

    Attributes:
        tuning: the declaration.
        grid: the values, those declared first and then the extensions.
        variants: every tuned variant.
        seeds: the seeds of the study that all variants are tuned for by now: all of them, in a
            sequential study those of its first look.
    """

    tuning: Tuning
    grid: tuple[Any, ...]
    variants: tuple[Tuned, ...]
    seeds: tuple[int, ...]

    @property
    def extensions(self) -> tuple[Any, ...]:
        """The values that were added to the declared ones."""
        return self.grid[len(self.tuning.values) :]

    @property
    def designs(self) -> dict[TrialSpec, tuple[str, str]]:
        """What is trained, with the question and label under which it is shown first."""
        found: dict[TrialSpec, tuple[str, str]] = {}
        for tuned in self.variants:
            for one in tuned.attempts:
                value = f"{self.tuning.field}={as_typed(one.value)}"
                found.setdefault(one.spec, (tuned.question, f"{tuned.label} {value}"))
        return found

    @property
    def needed(self) -> tuple[Trial, ...]:
        """Every trial that tuning needs by now, there or not."""
        seeds = self.tuning.trial_seeds(self.seeds)
        return tuple((spec, seed) for spec in self.designs for seed in seeds)

    @property
    def trials(self) -> tuple[TrialRecord, ...]:
        """Those that are there; a design that several variants share counts once."""
        found = {
            (one.spec, trial.seed): trial
            for tuned in self.variants
            for one in tuned.attempts
            for trial in one.trials
        }
        return tuple(found.values())
