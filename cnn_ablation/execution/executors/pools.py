"""What executors with several workers have in common."""

import os
import threading
from collections.abc import Callable, Sequence

from cnn_ablation.design import TrialSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.execution.executors.cores import available_cores
from cnn_ablation.execution.executors.interface import Task

# Several processes can only share a GPU if none takes all of its memory at once.
_SHARED_MEMORY = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}

# So many workers may die with one trial in hand before it counts as failed.
ATTEMPTS = 3


class Pending:
    """Tasks that nobody has begun, handed out to threads so that a design is compiled once.

    A worker goes on with the design that it has compiled; else it begins one that no worker has
    begun, and helps with others' designs when there is no such left.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        """Takes the tasks, of which the costliest will go first."""
        self._tasks = costliest_first(tasks)
        self._begun: set[TrialSpec] = set()
        self._lock = threading.Lock()

    def take(self, last: TrialSpec | None) -> Task | None:
        """The next task of a worker; None where none is left.

        Args:
            last: the design of the worker's last task.
        """
        wishes: tuple[Callable[[Task], bool], ...] = (
            lambda task: task.spec == last,
            lambda task: task.spec not in self._begun,
            lambda task: True,
        )
        with self._lock:
            for wish in wishes:
                task = next(filter(wish, self._tasks), None)
                if task is not None:
                    self._tasks.remove(task)
                    self._begun.add(task.spec)
                    return task
        return None


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
