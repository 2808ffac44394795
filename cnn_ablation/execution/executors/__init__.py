"""Where trials are trained: in this process, or in others that are its workers.

An executor is given tasks and tells what happens to each trial; who gave them writes it down.
"""

import os

from cnn_ablation.data import Dataset
from cnn_ablation.errors import InputError
from cnn_ablation.execution.executors.interface import (
    Began,
    Ended,
    EpochEnded,
    Event,
    Executor,
    Job,
    Task,
)

EXECUTORS = ("inline", "processes", "ray")

__all__ = [
    "EXECUTORS",
    "Began",
    "Ended",
    "EpochEnded",
    "Event",
    "Executor",
    "Job",
    "Task",
    "make_executor",
]


def make_executor(
    name: str, workers: int | None, job: Job, dataset: Dataset, ray_address: str = ""
) -> Executor:
    """Makes an executor by its name.

    Args:
        name: one of `EXECUTORS`.
        workers: how many trials at a time, None for what suits the machine.
        job: what all tasks share.
        dataset: the images, already loaded; workers elsewhere load their own.
        ray_address: of a Ray cluster that is there, empty for one on this machine while it runs.

    Raises:
        InputError: there is no such executor or no such cluster, or it cannot have so many workers.
    """
    if workers is not None and workers < 1:
        raise InputError(f"--workers={workers}: must be a whole number of 1 or more")
    if ray_address and name != "ray":
        raise InputError(f"--ray_address={ray_address}: must be empty with --executor={name}")
    if name == "inline":
        from cnn_ablation.execution.executors.inline import InlineExecutor

        if workers not in (None, 1):
            raise InputError(f"--workers={workers}: must be 1 with --executor=inline")
        return InlineExecutor(job, dataset)
    if name == "processes":
        from cnn_ablation.execution.executors.processes import ProcessExecutor

        return ProcessExecutor(job, workers)
    if name == "ray":
        return _ray_executor(job, workers, dataset, ray_address)
    raise InputError(
        f"--executor={name}: must be auto, {', '.join(EXECUTORS[:-1])} or {EXECUTORS[-1]}"
    )


def _ray_executor(job: Job, workers: int | None, dataset: Dataset, address: str) -> Executor:
    # Ray reports its use to its makers unless this says otherwise, from its import on.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        from cnn_ablation.execution.executors.ray_cluster import RayExecutor
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise InputError(
            "--executor=ray: needs the package ray: pip install cnn_ablation[ray]"
        ) from None
    return RayExecutor(job, workers, address, dataset.fingerprint)
