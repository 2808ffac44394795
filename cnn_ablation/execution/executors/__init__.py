"""Where trials are trained: in this process, or in others that are its workers.

An executor is given tasks and tells what happens to each trial; who gave them writes it down.
"""

import os

from cnn_ablation.errors import InputError
from cnn_ablation.execution.datasets import Datasets
from cnn_ablation.execution.executors.interface import (
    Began,
    Compiled,
    Ended,
    EpochEnded,
    Event,
    Executor,
    Job,
    Task,
)
from cnn_ablation.execution.executors.options import ExecutorOptions

EXECUTORS = ("inline", "processes", "ray")

__all__ = [
    "EXECUTORS",
    "Began",
    "Compiled",
    "Ended",
    "EpochEnded",
    "Event",
    "Executor",
    "ExecutorOptions",
    "Job",
    "Task",
    "make_executor",
]


def make_executor(options: ExecutorOptions, job: Job, datasets: Datasets) -> Executor:
    """Makes an executor by its name.

    Args:
        options: which; `auto` must have been replaced by what it stands for.
        job: what all tasks share.
        datasets: the images, already loaded; workers elsewhere load their own.

    Raises:
        InputError: there is no such executor or no such cluster, or it cannot have so many workers.
    """
    name, workers = options.executor, options.workers
    if workers is not None and workers < 1:
        raise InputError(f"--workers={workers}: must be a whole number of 1 or more")
    if options.ray_address and name != "ray":
        raise InputError(
            f"--ray_address={options.ray_address}: must be empty with --executor={name}"
        )
    if options.platform and name != "ray":
        raise InputError(
            f"--platform={options.platform}: must be left out with --executor={name}, which "
            "computes on this machine"
        )
    if name == "inline":
        from cnn_ablation.execution.executors.inline import InlineExecutor

        if workers not in (None, 1):
            raise InputError(f"--workers={workers}: must be 1 with --executor=inline")
        return InlineExecutor(job, datasets)
    if name == "processes":
        from cnn_ablation.execution.executors.processes import ProcessExecutor

        return ProcessExecutor(job, workers)
    if name == "ray":
        return _ray_executor(job, options)
    raise InputError(
        f"--executor={name}: must be auto, {', '.join(EXECUTORS[:-1])} or {EXECUTORS[-1]}"
    )


def _ray_executor(job: Job, options: ExecutorOptions) -> Executor:
    # Ray reports its use to its makers unless this says otherwise, from its import on.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # Else a call after a Ray Client has lost its cluster starts one on this machine.
    os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"
    # A Ray Client waits so long for a head that does not answer; by default 30 s.
    os.environ.setdefault("RAY_CLIENT_RECONNECT_GRACE_PERIOD", "10")
    try:
        from cnn_ablation.execution.executors.ray_cluster import RayExecutor
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise InputError(
            "--executor=ray: needs the package ray: pip install cnn_ablation[ray]"
        ) from None
    return RayExecutor(job, options.workers, options.ray_address, options.platform)
