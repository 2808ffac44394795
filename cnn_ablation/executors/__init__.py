"""Where trials are trained: in this process, or in others that are its workers.

An executor is given tasks and tells what happens to each trial; who gave them writes it down.
"""

from cnn_ablation.data import Dataset
from cnn_ablation.errors import InputError
from cnn_ablation.executors.interface import Began, Ended, EpochEnded, Event, Executor, Job, Task

EXECUTORS = ("inline", "processes")

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


def make_executor(name: str, workers: int | None, job: Job, dataset: Dataset) -> Executor:
    """Makes an executor by its name.

    Args:
        name: one of `EXECUTORS`.
        workers: how many trials at a time, None for what suits the machine.
        job: what all tasks share.
        dataset: the images, already loaded; workers elsewhere load their own.

    Raises:
        InputError: there is no such executor, or it cannot have so many workers.
    """
    if workers is not None and workers < 1:
        raise InputError(f"--workers={workers}: must be a whole number of 1 or more")
    if name == "inline":
        from cnn_ablation.executors.inline import InlineExecutor

        if workers not in (None, 1):
            raise InputError(f"--workers={workers}: must be 1 with --executor=inline")
        return InlineExecutor(job, dataset)
    if name == "processes":
        from cnn_ablation.executors.processes import ProcessExecutor

        return ProcessExecutor(job, workers)
    raise InputError(f"--executor={name}: must be {' or '.join(EXECUTORS)}")
