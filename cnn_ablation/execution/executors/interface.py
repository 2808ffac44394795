"""What an executor is given and what it tells; plain values that travel between processes."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self

from cnn_ablation.data import DataLocation, Dataset
from cnn_ablation.design import DataSpec, TrialSpec
from cnn_ablation.execution.extensions import Extension
from cnn_ablation.system.hardware import UNKNOWN, Machine
from cnn_ablation.training.compute import ComputeOptions
from cnn_ablation.training.records import EpochRecord, TrialRecord


@dataclasses.dataclass(frozen=True)
class Job:
    """What all tasks share.

    Attributes:
        compute: how trials are placed and lowered.
        location: where datasets lie.
        fingerprints: hash of the images that each spec of data names.
        extensions: files that register choices of the study's user.
        datasets: arrays that no worker can find by their name.
        models: folder that each completed trial's model is kept in; None keeps none.
    """

    compute: ComputeOptions = dataclasses.field(default_factory=ComputeOptions)
    location: DataLocation = dataclasses.field(default_factory=DataLocation)
    fingerprints: tuple[tuple[DataSpec, str], ...] = ()
    extensions: tuple[Extension, ...] = ()
    datasets: tuple[Dataset, ...] = ()
    models: str | None = None


@dataclasses.dataclass(frozen=True)
class Task:
    """One design and some of its seeds: compiled once, trained one seed after another."""

    spec: TrialSpec
    seeds: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """The task as JSON values."""
        return {"spec": self.spec.to_json(), "seeds": list(self.seeds)}

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Reads what `to_json` wrote."""
        return cls(TrialSpec.from_json(document["spec"]), tuple(document["seeds"]))


@dataclasses.dataclass(frozen=True)
class Began:
    """A trial is being trained; one that began before lost its worker and begins again."""

    spec: TrialSpec
    seed: int


@dataclasses.dataclass(frozen=True)
class Compiled:
    """A design's executables are ready: training can begin.

    Attributes:
        spec: the design.
        seed: the first of the seeds that it is compiled for.
        lowering: name of the lowering.
        seconds: what compiling took, or finding the executables in a cache.
        machines: what it is trained on, on several hosts those of all.
    """

    spec: TrialSpec
    seed: int
    lowering: str
    seconds: float
    machines: tuple[Machine, ...] = ()


@dataclasses.dataclass(frozen=True)
class EpochEnded:
    """A trial has trained and evaluated one epoch more."""

    spec: TrialSpec
    seed: int
    record: EpochRecord


@dataclasses.dataclass(frozen=True)
class Ended:
    """A trial is over; its record says how.

    Attributes:
        record: how it went.
        machine: what it was trained on.
    """

    record: TrialRecord
    machine: Machine = UNKNOWN

    @property
    def spec(self) -> TrialSpec:
        """The design."""
        return self.record.spec

    @property
    def seed(self) -> int:
        """The seed."""
        return self.record.seed


Event = Began | Compiled | EpochEnded | Ended
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
