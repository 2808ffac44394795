"""What trackers are told of a session: its trials, those that are there, and its verdicts."""

from pathlib import Path

from cnn_ablation.design import TrialSpec
from cnn_ablation.execution.executors.interface import Began, Compiled, Ended, EpochEnded, Event
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.store import Store
from cnn_ablation.study.verdicts import judge_results
from cnn_ablation.trackers import Run, TrackedTrial, Tracking

DOCUMENTS = ("report.md", "report.html", "results.csv")


class TrialTracking:
    """Hears an executor's events, and tells trackers of trials by the names that the study uses."""

    def __init__(self, tracking: Tracking, store: Store) -> None:
        """Names the trackers, none of which is started yet.

        Args:
            tracking: all trackers as one.
            store: the study's folder.
        """
        self._tracking, self._store, self._single = tracking, store, False
        self._provenance: dict[str, str] = {}
        self._begun: set[tuple[TrialSpec, int]] = set()

    def start(
        self,
        store: Store,
        *,
        title: str | None = None,
        single: bool = False,
        folder: Path | None = None,
    ) -> None:
        """Opens the trackers and tells them of the finished trials that they do not hold.

        Args:
            store: the study's folder.
            title: what the run is about; None is the study's own title.
            single: whether there is but one design, which then needs no label.
            folder: the workdir, where that is not the store's folder.

        Raises:
            InputError: one of them cannot be written to.
        """
        if not self._tracking:
            return
        self._single = single
        study, environment = store.plan.study, store.plan.environment
        results = store.results()
        every = (*(results.tuning.trials if results.tuning else ()), *results.trials)
        finished = [trial for trial in every if trial.finished]
        # A single design's folder without trials may be one whose finished run is being replaced.
        continues = bool(finished) or not single
        run = Run(
            name=study.name,
            title=title or study.title,
            folder=folder or store.folder,
            files=store.folder,
            continues=continues,
            environment=environment,
        )
        self._tracking.start(run)
        self._provenance = run.provenance()
        for trial in finished:
            # Whatever these were trained on, it may not have been this environment.
            tracked = self._trial(trial.spec, trial.seed, {})
            self._tracking.catch_up(tracked, trial.epochs, trial.status)

    def on_event(self, event: Event) -> None:
        """Tells of one event."""
        if not self._tracking or isinstance(event, Compiled):
            return
        trial = self._trial(event.spec, event.seed, self._provenance)
        key = (event.spec, event.seed)
        # A trial whose worker died before it began ends all the same.
        if isinstance(event, Began) or key not in self._begun:
            self._begun.add(key)
            self._tracking.begin(trial)
        if isinstance(event, EpochEnded):
            self._tracking.log_epoch(trial, event.record)
        elif isinstance(event, Ended):
            self._tracking.end(trial, event.record.status, event.record.error)

    def conclude(self, results: StudyResults, report: Path) -> None:
        """Tells of the verdicts and of the report."""
        if not self._tracking:
            return
        sentences = [verdict.sentence() for verdict in judge_results(results)]
        documents = [report / name for name in DOCUMENTS]
        self._tracking.conclude(sentences, [path for path in documents if path.exists()])

    def _trial(self, spec: TrialSpec, seed: int, provenance: dict[str, str]) -> TrackedTrial:
        plan = self._store.resolved
        label = "" if self._single else plan.label(spec)
        trial_id = plan.trial_id(spec, seed)
        return TrackedTrial(trial_id, spec, seed, label, provenance)
