"""Trials on all hosts at once: host 0 names them, the others train their part and tell nobody."""

from collections.abc import Sequence

from cnn_ablation.data import Dataset
from cnn_ablation.errors import InputError
from cnn_ablation.execution import hosts
from cnn_ablation.execution.executors.block import train_block
from cnn_ablation.execution.executors.interface import Ended, Event, Job, OnEvent, Task


class HostsExecutor:
    """Host 0's executor: trains task after task on the devices of all hosts."""

    workers = 1

    def __init__(self, job: Job, dataset: Dataset) -> None:
        """Takes the dataset as it is loaded, and lets the other hosts compare theirs."""
        hosts.require_same(_facts(job, dataset))
        self._job, self._dataset = job, dataset

    def run(self, tasks: Sequence[Task], on_event: OnEvent) -> None:
        """Trains every task.

        Raises:
            RuntimeError: a trial failed: the hosts may no longer be in step, and all must end.
        """
        for task in tasks:
            hosts.send(task)
            train_block(task, self._dataset, self._job, _stopping_at_failure(on_event))


def follow_tasks(job: Job, dataset: Dataset) -> None:
    """On the other hosts: trains what host 0 names, until it dismisses them.

    Raises:
        InputError: the job or the images are not those of host 0.
        RuntimeError: a trial failed here.
    """
    hosts.require_same(_facts(job, dataset))
    while (task := hosts.receive()) is not None:
        train_block(task, dataset, job, _stopping_at_failure(lambda _: None))


def require_inline(executor: str, workers: int | None) -> None:
    """Refuses executors that train elsewhere.

    Raises:
        InputError: the executor is another than `inline`, or has several workers.
    """
    if executor != "inline" or workers not in (None, 1):
        given = f"--executor={executor}" if executor != "inline" else f"--workers={workers}"
        raise InputError(
            f"{given}: must be left out with --coordinator, whose hosts train each trial together; "
            "--executor=ray without it trains trials side by side on many machines"
        )


def _facts(job: Job, dataset: Dataset) -> dict[str, object]:
    """What must be the same on all hosts; designs, training and seeds are host 0's alone."""
    return {
        "conv": job.conv,
        "devices": job.devices,
        "seeds_per_device": job.seeds_per_device,
        "images": dataset.fingerprint,
    }


def _stopping_at_failure(on_event: OnEvent) -> OnEvent:
    def hear(event: Event) -> None:
        if isinstance(event, Ended) and event.status == "failed":
            raise RuntimeError(f"seed {event.seed} failed: {event.error}")
        on_event(event)

    return hear
