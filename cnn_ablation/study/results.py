"""What a study has found so far: all that claims and reports are made from. No JAX, no files."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from cnn_ablation.design import DataSpec, TrainingSpec, TrialSpec
from cnn_ablation.study.attempts import TuningResults
from cnn_ablation.study.declaration import Study, Variant
from cnn_ablation.study.ledger import Ledger
from cnn_ablation.study.plan import Plan
from cnn_ablation.training.records import SECONDS, TrialRecord


@dataclasses.dataclass(frozen=True)
class Timing:
    """One design's epoch, timed alone on the device in one round of the timing pass.

    Attributes:
        spec: the design.
        round: number of the round from 1; every round times each design once.
        train_seconds: wall time of one epoch of training, without compilation.
        eval_seconds: wall time of one evaluation of the test split.
    """

    spec: TrialSpec
    round: int
    train_seconds: float
    eval_seconds: float

    @staticmethod
    def require_seconds(time: Mapping[str, Any]) -> None:
        """Refuses stored times that are none.

        Raises:
            InputError: one is missing or not allowed.
        """
        for name in ("train_seconds", "eval_seconds"):
            SECONDS.checked(name, time.get(name))


@dataclasses.dataclass(frozen=True)
class StudyResults:
    """A study, how it was run and what it found.

    Attributes:
        plan: what was declared, its settings and seeds, with what tuning has chosen so far; each
            design has at most one trial of each seed.
        trials: what has been trained and evaluated; the trials of tuning are none of them.
        timings: what has been timed.
        ledger: what was declared before the first trial; None where that is not known.
        tuning: how far tuning has come; None where nothing is tuned.
    """

    plan: Plan
    trials: tuple[TrialRecord, ...]
    timings: tuple[Timing, ...]
    ledger: Ledger | None = None
    tuning: TuningResults | None = None

    @property
    def study(self) -> Study:
        """The declaration."""
        return self.plan.study

    @property
    def training(self) -> TrainingSpec:
        """The procedure that variants share."""
        return self.plan.training

    @property
    def data(self) -> DataSpec:
        """The images that variants share."""
        return self.plan.data

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds asked for."""
        return self.plan.seeds

    @property
    def environment(self) -> Mapping[str, Any]:
        """What it ran on."""
        return self.plan.environment

    def asked(self, spec: TrialSpec) -> int:
        """How many seeds a design is to be trained with by now.

        In a sequential study that is as far as the look that its trials have begun.
        """
        if spec not in self.plan.same_at_all_seeds:
            return sum(spec == its for its, _ in self.plan.trials())
        if self.plan.schedule is None:
            return len(self.seeds)
        there = sum(trial.spec == spec for trial in self.trials)
        return self._to_next_look(there)

    def asked_of(self, variant: Variant) -> int:
        """The same of a variant."""
        if self.plan.schedule is None:
            return len(self.seeds)
        return self._to_next_look(len(self.trials_of(variant)))

    def _to_next_look(self, there: int) -> int:
        schedule = self.plan.schedule
        assert schedule is not None
        return next((look for look in schedule.looks if look >= there), schedule.most_units)

    def trials_of(self, variant: Variant) -> list[TrialRecord]:
        """A variant's trials of the seeds asked for, in the order of the seeds."""
        if variant.is_open:
            return []
        if variant.at_seeds:
            seeds = [seed for seed in variant.at_seeds if seed in self.seeds]
            specs = {seed: self.plan.spec_at(variant, seed) for seed in seeds}
        else:
            specs = dict.fromkeys(self.seeds, self.plan.spec(variant))
        own = [trial for trial in self.trials if specs.get(trial.seed) == trial.spec]
        return sorted(own, key=lambda trial: trial.seed)

    def to_arrow(self) -> Any:
        """The trials as a tidy `pyarrow.Table`: a row a trial and epoch.

        Raises:
            InputError: pyarrow is not installed.
        """
        # Imported late: that module makes rows of results.
        from cnn_ablation.study import rows

        return rows.to_arrow(rows.rows_of(self))

    def to_pandas(self) -> Any:
        """The trials as a tidy `pandas.DataFrame`: a row a trial and epoch.

        Raises:
            InputError: pandas is not installed.
        """
        from cnn_ablation.study import rows

        return rows.to_pandas(rows.rows_of(self))

    def __repr__(self) -> str:
        return (
            f"StudyResults({self.study.name}: {len(self.plan.designs)} designs, "
            f"{len(self.trials)} trials, {len(self.timings)} timings)"
        )

    def timings_of(self, variant: Variant) -> list[Timing]:
        """A variant's times in the order of the rounds."""
        if variant.is_open:
            return []
        spec = self.plan.specs(variant)[0]
        return [timing for timing in self.timings if timing.spec == spec]
