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


@dataclasses.dataclass(frozen=True)
class Orders:
    """What a worker is started with.

    Attributes:
        job: what all tasks share.
        environment: variables to set before JAX starts.
        cores: the cores that are its own; None leaves them to the operating system.
        backend: what JAX must run on, as it does where the study was started.
    """

    job: Job
    environment: dict[str, str]
    cores: tuple[int, ...] | None
    backend: str


@dataclasses.dataclass(frozen=True)
class Unfit:
    """Said by a worker that can train nothing."""

    reason: str


Message = Event | Idle | Unfit


class Worker:
    """Trains one task after another; says `Idle` when ready for one, at first and after each."""

    def __init__(self, orders: Orders) -> None:
        """Starts to load the images."""
        os.environ.update(orders.environment)
        self._tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[Message] = queue.SimpleQueue()
        threading.Thread(target=self._work, args=(orders,), daemon=True).start()

    def news(self, task: Task | None = None) -> list[Message]:
        """Takes a task, if one is given, and returns what has happened once something has."""
        if task is not None:
            self._tasks.put(task)
        messages = [self._news.get()]
        while not self._news.empty():
            messages.append(self._news.get())
        return messages

    def _work(self, orders: Orders) -> None:
        try:
            # Before XLA makes its threads: they inherit the cores of the one that starts them.
            if orders.cores is not None:
                keep_to(orders.cores)
            self._train(orders)
        except Exception as error:
            self._news.put(Unfit(f"{type(error).__name__}: {error}"))

    def _train(self, orders: Orders) -> None:
        import jax

        from cnn_ablation.execution.executors.block import datasets_for, train_block

        if orders.backend == "cpu":
            jax.config.update("jax_platforms", "cpu")
        if (backend := jax.default_backend()) != orders.backend:
            self._news.put(Unfit(f"its JAX runs on {backend}, the study's on {orders.backend}"))
            return
        try:
            datasets = datasets_for(orders.job)
        except InputError as error:
            self._news.put(Unfit(str(error)))
            return
        while True:
            self._news.put(Idle())
            train_block(self._tasks.get(), datasets, orders.job, self._news.put)
