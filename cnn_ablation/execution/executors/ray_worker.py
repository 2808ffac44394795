"""A worker of the Ray executor: an actor's body, in a process that Ray starts somewhere.

It trains in a thread of its own, so that what it tells reaches the driver while it trains.
"""

import dataclasses
import os
import queue
import threading

from cnn_ablation.errors import InputError
from cnn_ablation.execution.executors.cores import keep_to
from cnn_ablation.execution.executors.interface import Event, Idle, Job, Task
from cnn_ablation.version import __version__


@dataclasses.dataclass(frozen=True)
class Orders:
    """What a worker is started with.

    Attributes:
        environment: variables to set before JAX starts.
        cores: the cores that are its own; None leaves them to the operating system.
        platform: what JAX must run on.
        version: of this package, where the study was started.
    """

    environment: dict[str, str]
    cores: tuple[int, ...] | None
    platform: str
    version: str


@dataclasses.dataclass(frozen=True)
class Unfit:
    """Said by a worker that can train nothing."""

    reason: str


Message = Event | Idle | Unfit


class Worker:
    """Trains one task after another; says `Idle` when ready for one, at first and after each."""

    def __init__(self, orders: Orders, job: Job) -> None:
        """Starts to load the images.

        Args:
            orders: how to work.
            job: what all tasks share; an argument of its own, since all workers' is one object.
        """
        os.environ.update(orders.environment)
        self._tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[Message] = queue.SimpleQueue()
        threading.Thread(target=self._work, args=(orders, job), daemon=True).start()

    def news(self, task: Task | None = None) -> list[Message]:
        """Takes a task, if one is given, and returns what has happened once something has."""
        if task is not None:
            self._tasks.put(task)
        messages = [self._news.get()]
        while not self._news.empty():
            messages.append(self._news.get())
        return messages

    def _work(self, orders: Orders, job: Job) -> None:
        try:
            # Before XLA makes its threads: they inherit the cores of the one that starts them.
            if orders.cores is not None:
                keep_to(orders.cores)
            self._train(orders, job)
        except Exception as error:
            self._news.put(Unfit(f"{type(error).__name__}: {error}"))

    def _train(self, orders: Orders, job: Job) -> None:
        import jax

        from cnn_ablation.execution.executors.block import datasets_for, train_block

        if __version__ != orders.version:
            told = f"it has cnn_ablation {__version__}, the study's command {orders.version}"
            self._news.put(Unfit(told))
            return
        if orders.platform == "cpu":
            jax.config.update("jax_platforms", "cpu")
        if (backend := jax.default_backend()) != orders.platform:
            self._news.put(Unfit(f"its JAX runs on {backend}, the study on {orders.platform}"))
            return
        try:
            datasets = datasets_for(job)
        except InputError as error:
            self._news.put(Unfit(str(error)))
            return
        while True:
            self._news.put(Idle())
            train_block(self._tasks.get(), datasets, job, self._news.put)
