"""A run of one design whose trials are made up at once, for tests of what becomes of its files."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cnn_ablation.commands.single_design import train_design
from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.execution.executors import Began, Ended, EpochEnded, Event, Task
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.training.records import EpochRecord, TrialRecord

SPEC = TrialSpec(
    NetworkSpec(stride=5, hidden=3),
    TrainingSpec(epochs=1),
    DataSpec(train_split="train[:100]", test_split="test[:50]"),
)


class FakeExecutor:
    """Makes up trials, and is stopped at one of the seeds.

    Attributes:
        trained: the seeds of the last run, in order.
        same: whether a trial's figures are those of its design and seed, each time.
        stop_at: the seed at which Ctrl-C comes.
        runs: how many trials there ever were: what is trained again has other figures.
    """

    workers = 1
    trained: list[int]
    stop_at: int | None
    runs = 0
    same = False

    def __init__(self, *_: object) -> None: ...

    def run(self, tasks: Sequence[Task], on_event: Callable[[Event], None]) -> None:
        for spec, seed in ((task.spec, seed) for task in tasks for seed in task.seeds):
            if seed == self.stop_at:
                raise KeyboardInterrupt
            self.trained.append(seed)
            FakeExecutor.runs += 1
            loss = 1.0 / (spec.network.hidden_layers[0] + seed if self.same else FakeExecutor.runs)
            on_event(Began(spec, seed))
            epochs = []
            for number in range(1, spec.training.epochs + 1):
                epochs.append(EpochRecord(number, 0.5, 0.5, loss / number, 0.5, 1.0, 0.1))
                on_event(EpochEnded(spec, seed, epochs[-1]))
            on_event(Ended(TrialRecord(spec, seed, "completed", tuple(epochs))))


def train(
    folder: Path | str, *, stop_at: int | None = None, overwrite: bool = True, **more: Any
) -> int:
    """One run, its executor faked by `monkeypatch.setattr(preparing, "make_executor", ...)`."""
    FakeExecutor.trained, FakeExecutor.stop_at = [], stop_at
    options = StudyOptions.of(
        training=SPEC.training,
        data=SPEC.data,
        seeds=(3, 4),
        workdir=str(folder),
        controls=False,
        timing_rounds=0,
        executor="inline",
        retry_failed=True,
        conv="xla",
        **more,
    )
    return train_design(SPEC, options, overwrite=overwrite)
