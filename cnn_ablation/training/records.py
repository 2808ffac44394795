"""What a trial leaves behind: typed results that turn into strict JSON and back."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, Self

Status = Literal["completed", "diverged"]


@dataclasses.dataclass(frozen=True)
class EpochRecord:
    """One epoch of one trial.

    Attributes:
        epoch: number from 1.
        train_loss: mean over the epoch's examples of the loss before each step, as Keras reports.
        train_accuracy: share of right answers, likewise.
        test_loss: mean cross-entropy over the whole test split, after the epoch.
        test_accuracy: share of right answers over the whole test split, after the epoch.
        train_seconds: wall time of the epoch's training; compilation is not in it.
        eval_seconds: wall time of the evaluation.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    train_seconds: float
    eval_seconds: float


@dataclasses.dataclass(frozen=True)
class TrialRecord:
    """One seed's training.

    Attributes:
        seed: the seed.
        status: `completed`, or `diverged` where a loss was NaN or infinite.
        epochs: the epochs whose figures are all finite, in order.
    """

    seed: int
    status: Status
    epochs: tuple[EpochRecord, ...]

    def to_json(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {**dataclasses.asdict(self), "epochs": [vars(epoch) for epoch in self.epochs]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Reads what `to_json` wrote."""
        epochs = tuple(EpochRecord(**epoch) for epoch in document["epochs"])
        return cls(document["seed"], document["status"], epochs)
