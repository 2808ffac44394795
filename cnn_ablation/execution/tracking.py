"""What a study's trackers are told: its trials, those that are there already, and its verdicts."""

from pathlib import Path

from cnn_ablation.design.spec import NetworkSpec
from cnn_ablation.execution.executors.interface import Began, EpochEnded, Event
from cnn_ablation.study import labels
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.store import FINISHED, Store
from cnn_ablation.study.verdicts import judge_results
from cnn_ablation.trackers import Run, Tracking, Trial

DOCUMENTS = ("report.md", "report.html", "results.csv")


class StudyTracking:
    """Hears an executor's events, and tells trackers of trials by the names that the study uses."""

    def __init__(self, tracking: Tracking, store: Store) -> None:
        self._tracking, self._plan = tracking, store.plan
        self._labels = labels(store.plan.study)
        self._provenance: dict[str, str] = {}
        self._begun: set[tuple[NetworkSpec, int]] = set()

    def start(self, store: Store) -> None:
        """Opens the trackers and tells them of the finished trials that they do not hold.

        Raises:
            InputError: one of them cannot be written to.
        """
        if not self._tracking:
            return
        study = store.plan.study
        run = Run(study.name, study.title, store.folder, True, store.plan.environment)
        self._tracking.start(run)
        self._provenance = run.provenance()
        for trial in store.results().trials:
            if trial.status in FINISHED:
                # Whatever these were trained on, it may not have been this environment.
                told = self._trial(trial.network, trial.seed, {})
                self._tracking.catch_up(told, trial.epochs, trial.status)

    def hear(self, event: Event) -> None:
        """Tells of one event."""
        trial = self._trial(event.network, event.seed, self._provenance)
        key = (event.network, event.seed)
        # A trial whose worker died before it began ends all the same.
        if isinstance(event, Began) or key not in self._begun:
            self._begun.add(key)
            self._tracking.begin(trial)
        if isinstance(event, EpochEnded):
            self._tracking.log_epoch(trial, event.record)
        elif not isinstance(event, Began):
            self._tracking.end(trial, event.status, event.error)

    def conclude(self, results: StudyResults, report: Path) -> None:
        """Tells of the verdicts and of the report."""
        if not self._tracking:
            return
        sentences = [verdict.sentence() for verdict in judge_results(results)]
        documents = [report / name for name in DOCUMENTS]
        self._tracking.conclude(sentences, [path for path in documents if path.exists()])

    def _trial(self, network: NetworkSpec, seed: int, provenance: dict[str, str]) -> Trial:
        spec = self._plan.spec(network)
        trial_id = spec.trial_id(seed, self._plan.dataset_version)
        return Trial(trial_id, spec, seed, self._labels[network], provenance)
