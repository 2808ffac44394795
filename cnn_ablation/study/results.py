"""What a study has found so far: all that claims and reports are made from. No JAX, no files."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from cnn_ablation.design.spec import DataSpec, NetworkSpec, TrainingSpec
from cnn_ablation.study.declaration import Study
from cnn_ablation.training.records import EpochRecord


@dataclasses.dataclass(frozen=True)
class TrialResult:
    """One finished trial of a study.

    Attributes:
        trial_id: content hash of spec, dataset version and seed.
        network: the design.
        seed: the seed.
        status: `completed`, `diverged` or `failed`.
        epochs: the figures of its finite epochs, in order.
        error: what made it fail, in one line, or None.
    """

    trial_id: str
    network: NetworkSpec
    seed: int
    status: str
    epochs: tuple[EpochRecord, ...]
    error: str | None = None


@dataclasses.dataclass(frozen=True)
class Timing:
    """One design's epoch, timed alone on the device in one round of the timing pass.

    Attributes:
        network: the design.
        round: number of the round from 1; every round times each design once.
        train_seconds: wall time of one epoch of training, without compilation.
        eval_seconds: wall time of one evaluation of the test split.
    """

    network: NetworkSpec
    round: int
    train_seconds: float
    eval_seconds: float


@dataclasses.dataclass(frozen=True)
class StudyResults:
    """A study, how it was run and what it found.

    Attributes:
        study: the declaration.
        training: the procedure that every design went through.
        data: the images.
        dataset_version: version of the dataset in TFDS.
        seeds: the seeds asked for; each design has at most one trial of each.
        trials: what has been trained.
        timings: what has been timed.
        environment: what it ran on, as `environment.describe_environment` tells it.
    """

    study: Study
    training: TrainingSpec
    data: DataSpec
    dataset_version: str
    seeds: tuple[int, ...]
    trials: tuple[TrialResult, ...]
    timings: tuple[Timing, ...]
    environment: Mapping[str, Any]
