"""What executors with several workers have in common."""

import os
from collections.abc import Sequence

from cnn_ablation.design.summary import summarize
from cnn_ablation.execution.executors.cores import available_cores
from cnn_ablation.execution.executors.interface import Task

# Several processes can only share a GPU if none takes all of its memory at once.
_SHARED_MEMORY = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}

# So many workers may die with one trial in hand before it counts as failed.
ATTEMPTS = 3


def costliest_first(tasks: Sequence[Task]) -> list[Task]:
    """The tasks in an order that leaves no worker with a long one at the end."""
    return sorted(tasks, key=_cost, reverse=True)


def share_accelerator() -> None:
    """Leaves memory to workers on the accelerator of this process; before its JAX starts."""
    for name, value in _SHARED_MEMORY.items():
        os.environ.setdefault(name, value)


def environment_of_workers() -> dict[str, str]:
    """The variables that make XLA in a worker compute as it does in this process."""
    # XLA on a CPU cuts its work into NPROC parts, by default one per core that it may use.
    own = {"NPROC": str(len(available_cores())), **_SHARED_MEMORY}
    return {name: os.environ.get(name, value) for name, value in own.items()}


def _cost(task: Task) -> int:
    return summarize(task.spec.network).macs * len(task.seeds)
