"""What a tracker is told: of a run, of its trials while they train, and of what came of it."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from cnn_ablation.design import TrialSpec
from cnn_ablation.training.records import EpochRecord


@dataclasses.dataclass(frozen=True)
class Run:
    """One call of a command: a study, or one design trained for several seeds.

    Attributes:
        name: the study's name; `cnn_ablation` for a single design.
        title: what it is about, in one line.
        folder: its workdir.
        files: where its files are written: there, or beside a finished run that it will replace.
        continues: whether an earlier call in the same folder may have told of trials already.
        environment: what it runs on, as `environment.describe_environment` tells it.
    """

    name: str
    title: str
    folder: Path
    files: Path
    continues: bool
    environment: Mapping[str, Any]

    def provenance(self) -> dict[str, str]:
        """What of the environment each trial of this run is marked with."""
        return {name: str(self.environment[name]) for name in ("device", "git_revision")}


@dataclasses.dataclass(frozen=True)
class TrackedTrial:
    """One design with one seed.

    Attributes:
        trial_id: content hash of spec, dataset version and seed.
        spec: the design, the training and the data.
        seed: the seed.
        label: what the study calls the design; empty where there is but one.
        provenance: what it is trained on, by name, as far as that is known.
    """

    trial_id: str
    spec: TrialSpec
    seed: int
    label: str = ""
    provenance: Mapping[str, str] = dataclasses.field(default_factory=dict)


class Tracker(Protocol):
    """Hears of one run, in one process and thread, in the order of the methods below.

    What a method raises ends this tracker and nothing else.

    Attributes:
        flag: the flag that asks for it, as warnings name it.
    """

    flag: str

    def start(self, run: Run) -> None:
        """Opens what it writes to.

        Raises:
            InputError: it cannot be written to; the run has not begun and does not.
        """

    def holds(self, trial: TrackedTrial) -> bool:
        """Whether an earlier call told of this whole trial."""

    def begin(self, trial: TrackedTrial) -> None:
        """A trial begins, maybe again; whatever was told of it before is void."""

    def log_epoch(self, trial: TrackedTrial, record: EpochRecord) -> None:
        """A trial that has begun has one epoch more."""

    def end(self, trial: TrackedTrial, status: str, error: str | None) -> None:
        """A trial that has begun is over: `completed`, `diverged` or `failed`."""

    def conclude(self, verdicts: Sequence[str], documents: Sequence[Path]) -> None:
        """A run is over: its verdicts as sentences, and files that tell of it."""

    def close(self, *, completed: bool) -> None:
        """Nothing more comes; trials that have not ended were stopped if not `completed`."""
