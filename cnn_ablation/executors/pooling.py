"""What executors with several workers have in common."""

import os
from collections.abc import Sequence

from cnn_ablation.executors.cores import available_cores
from cnn_ablation.executors.interface import Task
from cnn_ablation.summary import summarize

# So many workers may die with one trial in hand before it counts as failed.
ATTEMPTS = 3


def costliest_first(tasks: Sequence[Task]) -> list[Task]:
    """The tasks in an order that leaves no worker with a long one at the end."""
    return sorted(tasks, key=_cost, reverse=True)


def environment_of_workers() -> dict[str, str]:
    """The variables that make XLA in a worker compute as it does in this process."""
    own = {
        # XLA on a CPU cuts its work into NPROC parts, by default one per core that it may use.
        "NPROC": str(len(available_cores())),
        # Several processes can only share a GPU if none takes all of its memory at once.
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }
    return {name: os.environ.get(name, value) for name, value in own.items()}


def _cost(task: Task) -> int:
    return summarize(task.spec.network).macs * len(task.seeds)
