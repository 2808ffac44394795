"""Trials on all hosts at once: host 0 names them, the others train their part and tell nobody."""

import dataclasses
from collections.abc import Mapping, Sequence

from cnn_ablation.errors import InputError
from cnn_ablation.execution import hosts
from cnn_ablation.execution.datasets import Datasets
from cnn_ablation.execution.executors.block import train_block
from cnn_ablation.execution.executors.interface import Ended, Event, Job, OnEvent, Task
from cnn_ablation.execution.executors.machine import own_machine
from cnn_ablation.execution.executors.options import ExecutorOptions
from cnn_ablation.system.hardware import Machine


class HostsExecutor:
    """Host 0's executor: trains task after task on the devices of all hosts."""

    workers = 1

    def __init__(self, job: Job, datasets: Datasets, facts: Mapping[str, object]) -> None:
        """Takes the datasets as they are loaded, and lets the other hosts compare theirs.

        Args:
            job: what all tasks share.
            datasets: the images.
            facts: what else must be the same on all hosts, by the names of flags.
        """
        hosts.require_same({**facts, **_facts(job)})
        self._job, self._datasets = job, datasets
        self._machines = _machines(job)

    def run(self, tasks: Sequence[Task], on_event: OnEvent) -> None:
        """Trains every task.

        Raises:
            RuntimeError: a trial failed: the hosts may no longer be in step, and all must end.
        """
        for task in tasks:
            hosts.send(task.to_json())
            hear = _stopping_at_failure(on_event)
            train_block(task, self._datasets, self._job, hear, self._machines)


def follow_tasks(job: Job, datasets: Datasets, facts: Mapping[str, object]) -> None:
    """On the other hosts: trains what host 0 names, until it dismisses them.

    Args:
        job: what all tasks share.
        datasets: the images.
        facts: what else must be the same on all hosts, by the names of flags.

    Raises:
        InputError: the job or the images are not those of host 0.
        RuntimeError: a trial failed here.
    """
    hosts.require_same({**facts, **_facts(job)})
    machines = _machines(job)
    while (task := hosts.receive()) is not None:
        on_event = _stopping_at_failure(lambda _: None)
        train_block(Task.from_json(task), datasets, job, on_event, machines)


def require_inline(options: ExecutorOptions) -> None:
    """Refuses executors that train elsewhere.

    Raises:
        InputError: the executor is another than `inline`, or has several workers.
    """
    executor, workers = options.executor, options.workers
    if executor != "inline" or workers not in (None, 1):
        given = f"--executor={executor}" if executor != "inline" else f"--workers={workers}"
        raise InputError(
            f"{given}: must be left out with --coordinator, whose hosts train each trial together; "
            "--executor=ray without it trains trials side by side on many machines"
        )


def _facts(job: Job) -> dict[str, object]:
    """What must be the same on all hosts; designs, training and seeds are host 0's alone."""
    return {
        "conv": job.compute.conv,
        "precision": job.compute.precision,
        "devices": job.compute.devices,
        "seeds_per_device": job.compute.seeds_per_device,
        "images": [fingerprint for _, fingerprint in job.fingerprints],
    }


def _machines(job: Job) -> list[Machine]:
    """What all hosts compute on, by their numbers."""
    own = own_machine(job.compute)
    return [Machine(**told) for told in hosts.gather(dataclasses.asdict(own))]


def _stopping_at_failure(on_event: OnEvent) -> OnEvent:
    def hear(event: Event) -> None:
        if isinstance(event, Ended) and event.record.status == "failed":
            raise RuntimeError(f"seed {event.seed} failed: {event.record.error}")
        on_event(event)

    return hear
