"""The one live display of a study: what is compiled and trained, trials done, the time left."""

import time
from collections.abc import Sequence

from cnn_ablation.design import NetworkSpec, TrialSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.display.progress import Progress
from cnn_ablation.display.text import clock
from cnn_ablation.execution.executors.interface import (
    Began,
    Compiled,
    Ended,
    EpochEnded,
    Event,
    Task,
)
from cnn_ablation.execution.trial_lines import TrialLines, result_of
from cnn_ablation.study.plan import Plan
from cnn_ablation.training.records import TrialRecord

# What an epoch costs beside its multiply-accumulates, in their unit; see `_work`.
_OVERHEAD = 30_000


class StudyProgress(Progress):
    """Hears an executor's events: a bar on a terminal, a line per trial elsewhere.

    Time left is reckoned by work, not by trials, since designs differ a hundredfold in cost.
    """

    def __init__(self, tasks: Sequence[Task], plan: Plan) -> None:
        """Counts what there is to do.

        Args:
            tasks: what the executor is given.
            plan: says what to call the designs.
        """
        trials = [(task.spec, seed) for task in tasks for seed in task.seeds]
        super().__init__(len(trials), "trial")
        self._bar.bar_format = "{l_bar}{bar}| {n_fmt}/{total_fmt} trials{postfix}"
        self._plan = plan
        self._running: dict[tuple[TrialSpec, int], int] = {}
        self._designs = list(dict.fromkeys(spec for spec, _ in trials))
        self._compiling: list[TrialSpec] = []
        self._lines = TrialLines(
            [plan.label(spec) for spec in self._designs], len(trials), live=self._terminal
        )
        self._failed = 0
        self._work_total = sum(_work(spec.network) * spec.training.epochs for spec, _ in trials)
        self._work_done = 0
        self._bar.set_postfix_str("starting", refresh=True)

    def on_event(self, event: Event) -> None:
        """Shows one event."""
        trial = (event.spec, event.seed)
        if isinstance(event, Began):
            self._begin(trial)
        elif isinstance(event, Compiled):
            self._compiled(event.spec)
        elif isinstance(event, EpochEnded):
            self._running[trial] = event.record.epoch
            self._work_done += _work(event.spec.network)
        elif isinstance(event, Ended):
            self._end(trial, event)
        if self._terminal:
            self._bar.set_postfix_str(self._status(), refresh=False)

    def time_left(self) -> str:
        """What is left at the mean pace so far: `left 0:01:30`, or nothing where unknown."""
        if not 0 < self._work_done < self._work_total:
            return ""
        pace = (time.monotonic() - self._start) / self._work_done
        seconds = pace * (self._work_total - self._work_done)
        return f"left {clock(seconds)}"

    def _begin(self, trial: tuple[TrialSpec, int]) -> None:
        if trial in self._running:
            self._work_done -= _work(trial[0].network) * self._running[trial]
            self.say(f"{self._name(trial)}  begins again: its worker process died")
        elif not any(spec == trial[0] for spec, _ in self._running):
            # The first seed of a task: its design is compiled, or found in a cache.
            self._compiling.append(trial[0])
        self._running[trial] = 0

    def _compiled(self, spec: TrialSpec) -> None:
        if spec in self._compiling:
            self._compiling.remove(spec)

    def _end(self, trial: tuple[TrialSpec, int], end: Ended) -> None:
        trained = self._running.pop(trial, 0)
        # A trial that failed or diverged leaves epochs that nobody trains any more.
        epochs = end.spec.training.epochs
        self._work_total -= _work(end.spec.network) * (epochs - trained)
        if not any(spec == trial[0] for spec, _ in self._running):
            self._compiled(trial[0])
        self._failed += end.record.status == "failed"
        self.advance()
        self._say_end(trial, end.record)

    def _say_end(self, trial: tuple[TrialSpec, int], record: TrialRecord) -> None:
        """A row of the table; in a notebook, whose one line has no headings, a sentence."""
        if self._cell is not None:
            self.say(f"trial {self._done}/{self._total}  {self._name(trial)}  {result_of(record)}")
            return
        if headings := self._lines.headings_for(record):
            self._print(headings)
        label = self._plan.label(trial[0])
        self._print(self._lines.row(self._done, label, record, self.time_left()))

    def _status(self) -> str:
        """What goes on: designs being compiled, trials being trained, failures, the time left."""
        compiling = [str(self._designs.index(spec) + 1) for spec in dict.fromkeys(self._compiling)]
        training = len(self._running) - len(self._compiling)
        parts = (
            f"compiling design {' and '.join(compiling)} of {len(self._designs)}"
            if compiling
            else "",
            f"training {training}" if training > 0 else "",
            f"{self._failed} failed" if self._failed else "",
            self.time_left(),
        )
        return ", ".join(part for part in parts if part)

    def _name(self, trial: tuple[TrialSpec, int]) -> str:
        return f"{self._plan.label(trial[0])}  seed {trial[1]}"


def _work(network: NetworkSpec) -> int:
    """What an epoch costs, in units that only compare designs with one another."""
    return summarize(network).macs + _OVERHEAD
