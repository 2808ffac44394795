"""Trials on a Ray cluster: every worker is an actor that keeps its devices, its images and JAX.

Actors rather than Ray tasks, because JAX holds the devices that it has opened until its process
ends. Each is asked again and again what is new, which also works through Ray Client; Ray's
streaming generators do not.
"""

import collections
import dataclasses
import functools
import re
import textwrap
import time
from collections.abc import Sequence
from typing import Any

import jax
import ray
from ray.exceptions import RayActorError

from cnn_ablation.design import TrialSpec
from cnn_ablation.errors import InputError, PeerLostError
from cnn_ablation.execution.executors.cores import available_cores, share_of
from cnn_ablation.execution.executors.interface import Ended, Idle, Job, OnEvent, Task
from cnn_ablation.execution.executors.pools import (
    ATTEMPTS,
    costliest_first,
    environment_of_workers,
)
from cnn_ablation.execution.executors.ray_connection import Connection
from cnn_ablation.execution.executors.ray_worker import Message, Orders, Unfit, Worker
from cnn_ablation.training.records import TrialRecord
from cnn_ablation.version import __version__

# How often the head is asked for.
_LISTEN_SECONDS = 5.0


class RayExecutor:
    """Workers wherever the cluster has room; one that dies is replaced, and its trial begun again.

    Ray gives each as many devices as the job says.
    """

    def __init__(
        self, job: Job, workers: int | None, address: str, platform: str | None = None
    ) -> None:
        """Joins a cluster; one on this machine is only started once it is needed.

        Args:
            job: what all tasks share.
            workers: how many at most; None for as many as the cluster has room for.
            address: `auto`, host:port, ray://host:port, or empty for a cluster on this machine.
            platform: what workers compute on: `cpu`, `gpu` or `tpu`; None is what this process
                computes on.

        Raises:
            InputError: there is no such cluster, or it has no room for a worker.
        """
        self._job, self._asked = job, workers
        self._address, self._platform = address, platform or jax.default_backend()
        self._resources = _resources(self._platform, job.compute.devices or 1)
        self._connection = Connection(address) if address else None

    @property
    def workers(self) -> int:
        """How many trials are trained at a time."""
        connection = self._connect()
        room = connection.room(self._resources)
        # Other people's clusters may grow where more is asked for; this machine does not.
        if self._asked is not None and not connection.local:
            return self._asked
        if not room:
            needs = " and ".join(f"{n:g} {name}" for name, n in self._resources.items())
            raise InputError(f"--executor=ray: no machine of the cluster has {needs} for a worker")
        return min(self._asked or room, room)

    def run(self, tasks: Sequence[Task], on_event: OnEvent) -> None:
        """Trains every task, the costliest first so that no worker is left with one at the end.

        Raises:
            InputError: no worker can be started, or one is not fit for the study.
            PeerLostError: the cluster's head is gone.
        """
        try:
            connection = self._connect()
            # Once for all workers of a run: a job may hold a dataset's arrays.
            job = ray.put(self._job)
            start_worker = functools.partial(self._start_worker, job)
            _Run(start_worker, self.workers, tasks, on_event, connection).finish()
        except PeerLostError:
            # To leave a cluster whose head is gone would take a minute, and start one here.
            self._connection = None
            raise
        except BaseException:
            self._disconnect()
            raise
        self._disconnect()

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = Connection(self._address)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _start_worker(self, job: Any, number: int) -> Any:
        """Asks Ray for a worker; it comes to life once there is room."""
        cores = None
        if self._connect().local:
            # Only here do we know that all of the cores are ours to share out.
            cores = share_of(number, self.workers, available_cores())
        orders = Orders(environment_of_workers(), cores, self._platform, __version__)
        needs = dict(self._resources)
        actor = ray.remote(Worker).options(
            num_cpus=needs.pop("CPU"),
            num_gpus=needs.pop("GPU", 0),
            resources=needs,
            max_restarts=0,
        )
        return actor.remote(orders, job)


@dataclasses.dataclass
class _Block:
    """What is left of a task, and how many workers died with its first seed in hand."""

    spec: TrialSpec
    left: list[int]
    deaths: int = 0


class _Place:
    """A place for a worker: the worker that has it, and what that worker is at."""

    def __init__(self, number: int, actor: Any) -> None:
        self.number = number
        self.block: _Block | None = None
        self.failed_starts = 0
        self.seat(actor)

    def seat(self, actor: Any) -> None:
        """Gives the place to a new worker."""
        self.actor, self.idle = actor, False
        self.reply: Any = actor.news.remote()

    def give(self, block: _Block) -> None:
        """Gives the idle worker something to do."""
        self.block, self.idle = block, False
        self.reply = self.actor.news.remote(Task(block.spec, tuple(block.left)))


class _Run:
    """Tasks, the workers that train them, and who hears of it."""

    def __init__(
        self,
        start_worker: Any,
        workers: int,
        tasks: Sequence[Task],
        on_event: OnEvent,
        connection: Connection,
    ) -> None:
        self._start_worker, self._on_event = start_worker, on_event
        self._connection, self._looked = connection, time.monotonic()
        self._pending = collections.deque(
            _Block(task.spec, list(task.seeds)) for task in costliest_first(tasks)
        )
        places = range(min(workers, len(self._pending)))
        self._places = [_Place(number, start_worker(number)) for number in places]

    def finish(self) -> None:
        """Returns once every seed has ended; no worker is left then, or when it raises."""
        try:
            while self._pending or any(place.block for place in self._places):
                asked = {place.reply: place for place in self._places if not place.idle}
                ready, _ = ray.wait(list(asked), timeout=_LISTEN_SECONDS)
                if time.monotonic() > self._looked + _LISTEN_SECONDS:
                    self._require_head()
                for reply in ready:
                    self._hear(asked[reply])
        except PeerLostError:
            raise
        except BaseException as error:
            self._connection.require_client(error)
            self._end_workers()
            raise
        self._end_workers()

    def _require_head(self) -> None:
        self._connection.require_head()
        self._looked = time.monotonic()

    def _end_workers(self) -> None:
        for place in self._places:
            ray.kill(place.actor)

    def _hear(self, place: _Place) -> None:
        try:
            messages: list[Message] = ray.get(place.reply)
        except RayActorError as death:
            # What follows asks the head, and would wait for one that is gone.
            self._require_head()
            self._replace(place, _reason(death))
            return
        for message in messages:
            self._take(place, message)
        if not place.idle:
            place.reply = place.actor.news.remote()
        self._share_out()

    def _take(self, place: _Place, message: Message) -> None:
        if isinstance(message, Unfit):
            raise InputError(f"--executor=ray: a worker is not fit for the study: {message.reason}")
        if isinstance(message, Idle):
            place.idle, place.block, place.failed_starts = True, None, 0
            return
        if isinstance(message, Ended) and place.block is not None:
            place.block.left.remove(message.seed)
            place.block.deaths = 0
        self._on_event(message)

    def _share_out(self) -> None:
        for place in self._places:
            if place.idle and self._pending:
                place.give(self._pending.popleft())

    def _replace(self, place: _Place, reason: str) -> None:
        # A worker that is out of reach may still be at work somewhere.
        ray.kill(place.actor)
        if place.block is None:
            place.failed_starts += 1
        else:
            self._return(place.block, reason)
        place.block = None
        self._share_out()
        if place.failed_starts < ATTEMPTS and self._pending:
            place.seat(self._start_worker(place.number))
            return
        self._places.remove(place)
        if self._pending and not self._places:
            raise InputError(f"--executor=ray: no worker could start: {reason}")

    def _return(self, block: _Block, reason: str) -> None:
        block.deaths += 1
        if block.deaths == ATTEMPTS:
            # Seeds are trained in order: the first that is left was in hand.
            seed, block.deaths = block.left.pop(0), 0
            error = f"its worker process died {ATTEMPTS} times: {reason}"
            self._on_event(Ended(TrialRecord(block.spec, seed, "failed", error=error)))
        if block.left:
            self._pending.appendleft(block)


def _resources(platform: str, devices: int) -> dict[str, float]:
    """What Ray is to set aside for a worker: devices of the kind that it computes on."""
    return {"CPU": devices} if platform == "cpu" else {"CPU": 1, platform.upper(): devices}


def _reason(death: RayActorError) -> str:
    """The gist of many lines, and the machine, in one."""
    text = str(death).strip()
    machine = re.search(r"\bip: (\S+)", text)
    gist = textwrap.shorten(text.splitlines()[-1], 160, placeholder=" ...")
    return f"{gist} (on {machine[1]})" if machine else gist
