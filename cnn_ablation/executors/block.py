"""One task, trained where it is called: the part that all executors share."""

from cnn_ablation.data import Dataset
from cnn_ablation.executors.interface import Began, Ended, EpochEnded, OnEvent, Task
from cnn_ablation.records import EpochRecord
from cnn_ablation.trainer import Trainer


def train_block(task: Task, dataset: Dataset, conv: str, on_event: OnEvent) -> None:
    """Trains a task's seeds in order and tells of each; whatever a trial raises is its own end."""
    network = task.spec.network

    def on_epoch(seed: int, record: EpochRecord) -> None:
        on_event(EpochEnded(network, seed, record))

    trainer: Trainer | None = None
    for seed in task.seeds:
        on_event(Began(network, seed))
        try:
            trainer = trainer or Trainer(task.spec, dataset, conv=conv)
            record = trainer.train(seed, on_epoch).record
        except BrokenPipeError:
            raise
        except Exception as error:
            end = Ended(network, seed, "failed", error=_describe(error))
        else:
            end = Ended(network, seed, record.status, record.epochs)
        on_event(end)


def _describe(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}"[:500] if lines else type(error).__name__
