"""How far each study of the atlas has come, from its folder alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cached_property

from cnn_ablation.claims import Verdict
from cnn_ablation.claims.words import plural
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.sequence import foreseen_trials
from cnn_ablation.study.store import STUDY, load_results
from cnn_ablation.study.verdicts import judge_results
from cnn_ablation.training.records import TrialRecord
from experiments.atlas.entries import Entry


@dataclasses.dataclass(frozen=True)
class State:
    """A study of the atlas and what is there of it.

    Attributes:
        entry: the study.
        results: what is in its folder; None where it has not begun.
    """

    entry: Entry
    results: StudyResults | None

    @cached_property
    def missing(self) -> int:
        """Trials that are needed by now and not there, of a study that has begun."""
        return len(foreseen_trials(self.results)) if self.results else 0

    @property
    def is_done(self) -> bool:
        """Whether nothing is missing."""
        return self.results is not None and not self.missing

    @cached_property
    def trials(self) -> tuple[TrialRecord, ...]:
        """All that was trained, in tuning too."""
        if self.results is None:
            return ()
        tuning = self.results.tuning
        return (*self.results.trials, *(tuning.trials if tuning else ()))

    @cached_property
    def verdicts(self) -> Sequence[Verdict]:
        """The verdicts on what the trials decide, counts and times left out."""
        if self.results is None or not self.is_done:
            return ()
        found = judge_results(self.results)
        return [v for v in found if v.claim.kind == "paired" and v.outcome != "not judged"]

    @property
    def words(self) -> str:
        """`done, 1,280 trials`, `210 trials, at least 90 to come` or `not begun`."""
        if self.results is None:
            return "not begun"
        count = plural(len(self.trials), "trial")
        return f"done, {count}" if self.is_done else f"{count}, at least {self.missing} to come"


def state_of(entry: Entry) -> State:
    """What is in a study's folder.

    Raises:
        InputError: a file there is damaged.
    """
    begun = (entry.folder / STUDY).is_file()
    return State(entry, load_results(entry.folder) if begun else None)
