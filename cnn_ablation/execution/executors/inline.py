"""Trials in this process, one after another: the device is theirs alone."""

from collections.abc import Sequence

from cnn_ablation.execution.datasets import Datasets
from cnn_ablation.execution.executors.block import train_block
from cnn_ablation.execution.executors.interface import Job, OnEvent, Task


class InlineExecutor:
    """Trains task after task, in the order given, on the whole device."""

    workers = 1

    def __init__(self, job: Job, datasets: Datasets) -> None:
        """Takes the datasets as they are loaded."""
        self._job, self._datasets = job, datasets

    def run(self, tasks: Sequence[Task], on_event: OnEvent) -> None:
        """Trains every task."""
        for task in tasks:
            train_block(task, self._datasets, self._job, on_event)
