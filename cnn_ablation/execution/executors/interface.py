"""What an executor is given and what it tells; plain values that travel between processes."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from cnn_ablation.design.spec import DataSpec, NetworkSpec, TrialSpec
from cnn_ablation.training.records import EpochRecord


@dataclasses.dataclass(frozen=True)
class Job:
    """What all tasks share.

    Attributes:
        data: the images.
        conv: lowering of convolutions: auto, native, xla or banded.
        devices: how many devices each task takes, None for one per seed as far as there are any.
        seeds_per_device: how many seeds a device trains together.
        data_dir: folder of prepared datasets, None for TFDS's own.
        manual_dir: folder with a dataset's original archives, or None.
        compilation_cache_dir: folder of compiled programs, as the flag of that name says.
    """

    data: DataSpec
    conv: str = "auto"
    devices: int | None = None
    seeds_per_device: int = 1
    data_dir: str | None = None
    manual_dir: str | None = None
    compilation_cache_dir: str | None = None


@dataclasses.dataclass(frozen=True)
class Task:
    """One design and some of its seeds: compiled once, trained one seed after another."""

    spec: TrialSpec
    seeds: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Began:
    """A trial is being trained; one that began before lost its worker and begins again."""

    network: NetworkSpec
    seed: int


@dataclasses.dataclass(frozen=True)
class EpochEnded:
    """A trial has trained and evaluated one epoch more."""

    network: NetworkSpec
    seed: int
    record: EpochRecord


@dataclasses.dataclass(frozen=True)
class Ended:
    """A trial is over.

    Attributes:
        network: the design.
        seed: the seed.
        status: how it ended.
        epochs: the figures of its finite epochs.
        error: what made it fail, in one line, or None.
    """

    network: NetworkSpec
    seed: int
    status: Literal["completed", "diverged", "failed"]
    epochs: tuple[EpochRecord, ...] = ()
    error: str | None = None


Event = Began | EpochEnded | Ended
OnEvent = Callable[[Event], None]


@dataclasses.dataclass(frozen=True)
class Setup:
    """The first thing that a worker reads: its job, and the cores that are its own."""

    job: Job
    cores: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Idle:
    """Said when a worker is ready for a task: at first, and after each."""


class Executor(Protocol):
    """Trains tasks somewhere.

    Attributes:
        workers: how many trials it trains at a time.
    """

    @property
    def workers(self) -> int:
        """How many trials are trained at a time."""

    def run(self, tasks: Sequence[Task], on_event: OnEvent) -> None:
        """Trains every seed of every task; one that fails ends as `failed`, and the rest go on.

        Args:
            tasks: what to train.
            on_event: hears of everything, in this thread; what it raises stops the run, as does
                a KeyboardInterrupt, and no worker is left behind.
        """
