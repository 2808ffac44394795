"""What each design of a study takes on this machine: from its trials, or from one epoch of it."""

import statistics
import time
from collections.abc import Iterable, Sequence

from cnn_ablation.claims.words import plural
from cnn_ablation.design import TrialSpec
from cnn_ablation.display.progress import Progress
from cnn_ablation.execution.executors import Compiled, Ended, Event, Executor, Task
from cnn_ablation.execution.forecast import Pace
from cnn_ablation.execution.preparing import Prepared
from cnn_ablation.study.results import StudyResults
from cnn_ablation.training.compute import ComputeOptions
from cnn_ablation.training.records import EpochRecord
from cnn_ablation.training.trainer import Trainer

# So many of a design's last trials say how long it takes.
_LAST = 5
# What reading a compiled program back takes of what compiling it took; 0.08 to 0.16 were seen.
_LOAD_SHARE = 0.12


class Calibration:
    """Paces of designs where trials run, measured where nothing is known of them.

    Attributes:
        paces: what each design takes.
        measured: how many designs were trained for an epoch to see it.
        start_seconds: what a worker needs before its first task; 0 where trials run in this
            process, and where it is not known.
        alone_share: what an epoch takes with the whole device, as a share of that where trials run.
    """

    def __init__(self, prepared: Prepared, executor: Executor, known: StudyResults) -> None:
        """Takes what is known from stored trials.

        Args:
            prepared: the study.
            executor: trains an epoch of the designs that are not known.
            known: the trials that there are.
        """
        self.paces = paces_of(known)
        self.measured, self.start_seconds, self.alone_share = 0, 0.0, 1.0
        self._prepared, self._executor = prepared, executor

    def measure(self, specs: Iterable[TrialSpec], *, alone: bool) -> None:
        """Trains an epoch of each design that is not known.

        Args:
            specs: the designs that matter.
            alone: whether it matters what they take with the whole device.
        """
        unknown = [spec for spec in dict.fromkeys(specs) if spec not in self.paces]
        if not unknown:
            return
        self.measured = len(unknown)
        self._train(unknown)
        if alone and self._executor.workers > 1:
            self.alone_share = self._share_of(unknown)

    def _train(self, specs: Sequence[TrialSpec]) -> None:
        begun = time.perf_counter()
        whole = {spec.one_epoch(): spec for spec in specs}
        loads: dict[TrialSpec, float] = {}
        starts: list[float] = []
        with Progress(len(whole), "design") as progress:
            progress.say(f"one epoch of {plural(len(whole), 'design')} is trained to see its time")

            def on_event(event: Event) -> None:
                spec = whole[event.spec]
                starts.append(time.perf_counter() - begun)
                if isinstance(event, Compiled):
                    loads[spec] = _LOAD_SHARE * event.seconds
                elif isinstance(event, Ended):
                    # One that fails takes no time to speak of.
                    seconds = statistics.fmean([_seconds(e) for e in event.record.epochs] or [0.0])
                    self.paces[spec] = Pace(seconds, loads.get(spec, 0.0))
                    progress.advance()

            seed = self._prepared.plan.seeds[0]
            self._executor.run([Task(spec, (seed,)) for spec in whole], on_event)
        self.start_seconds = starts[0] if self._executor.workers > 1 else 0.0

    def _share_of(self, specs: Sequence[TrialSpec]) -> float:
        """Times the design of median pace with the whole device."""
        spec = sorted(specs, key=lambda one: self.paces[one].epoch_seconds)[len(specs) // 2]
        compute = ComputeOptions(conv=self._prepared.plan.lowering)
        dataset = self._prepared.datasets.get(spec.data)
        trainer = Trainer(spec.one_epoch(), dataset, compute)
        # The first epoch warms up, as in the timing pass.
        epochs = [trainer.train(self._prepared.plan.seeds[0]).record.epochs for _ in range(2)][-1]
        if not epochs or not self.paces[spec].epoch_seconds:
            return 1.0
        return _seconds(epochs[0]) / self.paces[spec].epoch_seconds


def paces_of(results: StudyResults) -> dict[TrialSpec, Pace]:
    """What designs took that have trials already."""
    found = {}
    for spec in results.plan.designs:
        last = [trial for trial in results.trials if trial.spec == spec][-_LAST:]
        seconds = [_seconds(epoch) for trial in last for epoch in trial.epochs]
        if seconds:
            found[spec] = Pace(statistics.median(seconds), 0.0)
    return found


def _seconds(epoch: EpochRecord) -> float:
    return epoch.train_seconds + epoch.eval_seconds
