"""Trials in worker processes side by side, each on cores of its own.

Every worker's XLA cuts its work into as many parts as this process's would, though it has fewer
cores: the cut decides the order in which float32 sums are taken, and so their last bits. That way
a trial's figures are the same here and inline.
"""

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from cnn_ablation.design import TrialSpec
from cnn_ablation.errors import InputError
from cnn_ablation.execution.executors.cores import available_cores, share_of
from cnn_ablation.execution.executors.interface import (
    Ended,
    Event,
    Idle,
    Job,
    OnEvent,
    Setup,
    Task,
)
from cnn_ablation.execution.executors.pools import (
    ATTEMPTS,
    Pending,
    environment_of_workers,
)
from cnn_ablation.training.records import TrialRecord


class ProcessExecutor:
    """A pool of spawned workers; one that dies is replaced, and its trial begun again.

    Attributes:
        workers: how many there are.
    """

    def __init__(self, job: Job, workers: int | None) -> None:
        """Names the job; workers start with the first run.

        Args:
            job: what all tasks share.
            workers: how many; None is one per core.
        """
        self._job, self._cores = job, available_cores()
        self.workers = workers or len(self._cores)

    def run(self, tasks: Sequence[Task], on_event: OnEvent) -> None:
        """Trains every task, the costliest first so that no worker is left with one at the end.

        Raises:
            InputError: no worker can be started.
        """
        pending = Pending(tasks)
        news: queue.SimpleQueue[Event | _Left] = queue.SimpleQueue()
        setups = [
            Setup(self._job, share_of(number, self.workers, self._cores))
            for number in range(min(self.workers, len(tasks)))
        ]
        threads = [_WorkerThread(setup, pending, news) for setup in setups]
        try:
            for member in threads:
                member.start()
            at_work = len(threads)
            while at_work:
                message = news.get()
                if not isinstance(message, _Left):
                    on_event(message)
                elif message.error is not None:
                    raise message.error
                else:
                    at_work -= 1
        finally:
            for member in threads:
                member.stop()


class _WorkerLostError(Exception):
    """A worker is gone; the message says how."""


class _Left:
    """A thread has nothing left to do, or can do nothing."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error


class _WorkerThread(threading.Thread):
    """A thread that keeps one worker process busy, and replaces it when it dies."""

    def __init__(
        self,
        setup: Setup,
        pending: Pending,
        news: "queue.SimpleQueue[Event | _Left]",
    ) -> None:
        super().__init__(daemon=True)
        self._setup, self._pending, self._news = setup, pending, news
        self._worker: _Worker | None = None
        self._last: TrialSpec | None = None
        self._stopping, self._starting = False, threading.Lock()

    def run(self) -> None:
        error: Exception | None = None
        try:
            while (task := self._next()) is not None:
                self._finish(task)
        except Exception as failure:
            error = failure
        self._news.put(_Left(error))

    def stop(self) -> None:
        """Ends the worker, whatever it is at, and then the thread."""
        with self._starting:
            self._stopping = True
            if self._worker is not None:
                self._worker.kill()
        if self.ident is not None:
            self.join()
        if self._worker is not None:
            self._worker.wait_for_end()

    def _next(self) -> Task | None:
        return None if self._stopping else self._pending.take(self._last)

    def _finish(self, task: Task) -> None:
        left, deaths, self._last = list(task.seeds), 0, task.spec
        while left and not self._stopping:
            try:
                for event in self._worker_at_hand().train(Task(task.spec, tuple(left))):
                    if isinstance(event, Ended):
                        left.remove(event.seed)
                        deaths = 0
                    self._news.put(event)
            except _WorkerLostError as death:
                self._worker = None
                deaths += 1
                # Seeds are trained in order: the first that is left was in hand.
                if deaths == ATTEMPTS and not self._stopping:
                    error = f"its worker process died {ATTEMPTS} times: {death}"
                    seed, deaths = left.pop(0), 0
                    record = TrialRecord(task.spec, seed, "failed", error=error)
                    self._news.put(Ended(record))

    def _worker_at_hand(self) -> "_Worker":
        for attempt in range(1, ATTEMPTS + 1):
            if self._worker is not None:
                break
            with self._starting:
                if self._stopping:
                    raise _WorkerLostError("stopped")
                self._worker = worker = _Worker(self._setup)
            try:
                worker.wait_until_ready()
            except _WorkerLostError as death:
                self._worker = None
                if attempt == ATTEMPTS and not self._stopping:
                    raise InputError(
                        f"--executor=processes: a worker could not start ({death}); what it said "
                        "stands above"
                    ) from None
        assert self._worker is not None
        return self._worker


class _Worker:
    """One worker process."""

    def __init__(self, setup: Setup) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cnn_ablation.execution.executors.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
            # Ctrl-C is for us: a session of its own keeps it from the terminal's signals.
            start_new_session=True,
        )
        self._setup = setup

    def wait_until_ready(self) -> None:
        """Returns once the worker has its data and waits for a task."""
        self._send(self._setup)
        list(self._listen())

    def train(self, task: Task) -> Iterator[Event]:
        """Gives the worker a task and yields what it tells of it."""
        self._send(task)
        yield from self._listen()

    def kill(self) -> None:
        """Ends the process at once."""
        self._process.kill()

    def wait_for_end(self) -> str:
        """Waits until the process is gone, and says how it went."""
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            # What could not be sent before is not sent now either.
            with contextlib.suppress(OSError):
                pipe.close()
        return f"killed by signal {-code}" if code < 0 else f"exit code {code}"

    def _send(self, message: Setup | Task) -> None:
        assert self._process.stdin is not None
        try:
            pickle.dump(message, self._process.stdin)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise _WorkerLostError(self.wait_for_end()) from None

    def _listen(self) -> Iterator[Event]:
        assert self._process.stdout is not None
        while True:
            try:
                message = pickle.load(self._process.stdout)
            except (EOFError, pickle.UnpicklingError):
                raise _WorkerLostError(self.wait_for_end()) from None
            if isinstance(message, Idle):
                return
            yield message


def _environment() -> dict[str, str]:
    """This process's environment, and what makes a worker like this process."""
    environment = {**os.environ, **environment_of_workers()}
    home = str(Path(__file__).resolve().parents[3])
    inherited = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join([home, inherited] if inherited else [home])
    return environment
