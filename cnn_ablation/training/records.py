"""What a trial leaves behind: typed results that turn into strict JSON and back."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, get_args

from cnn_ablation.design import TrialSpec
from cnn_ablation.errors import InputError
from cnn_ablation.system.correctness import Correctness

Status = Literal["completed", "diverged", "failed"]
FINISHED = ("completed", "diverged")


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

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "EpochRecord":
        """Reads an epoch's JSON object.

        Raises:
            InputError: a field is missing or unknown.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        if not isinstance(document, Mapping) or sorted(document) != sorted(names):
            raise InputError(f"an epoch must have {', '.join(names)}")
        return cls(**document)


@dataclasses.dataclass(frozen=True)
class TrialRecord:
    """One finished trial, everywhere: as executors tell of it, stored, judged and reported.

    Attributes:
        spec: what was trained.
        seed: the seed.
        status: `completed`; `diverged` where a loss was NaN or infinite; or `failed`.
        epochs: the epochs whose figures are all finite, in order.
        error: what made it fail, in one line, or None.
        test_correct: which test images were right after the last epoch; None unless completed,
            and in trials from before it was kept.
    """

    spec: TrialSpec
    seed: int
    status: Status
    epochs: tuple[EpochRecord, ...] = ()
    error: str | None = None
    test_correct: Correctness | None = None

    @property
    def finished(self) -> bool:
        """Whether it is a result: completed or diverged."""
        return self.status in FINISHED

    def run_json(self) -> dict[str, Any]:
        """Seed, status, epochs and bits as JSON values, where the spec stands elsewhere."""
        return {
            "seed": self.seed,
            "status": self.status,
            "epochs": [vars(epoch) for epoch in self.epochs],
            **self.correct_json(),
        }

    def correct_json(self) -> dict[str, Any]:
        """`test_correct` and `test_images`, or nothing where they are not known."""
        return {} if self.test_correct is None else self.test_correct.to_json()

    def to_json(self) -> dict[str, Any]:
        """The whole record as JSON values."""
        return {**self.run_json(), "error": self.error, "spec": self.spec.to_json()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], spec: TrialSpec | None = None) -> "TrialRecord":
        """Reads what `to_json` wrote; what stands beside it is passed over.

        Args:
            document: a JSON object.
            spec: what was trained, where the caller knows it; None reads it.

        Raises:
            InputError: a field is missing, a value is not allowed, or the bits are not those of
                the last epoch's accuracy.
        """
        missing = {"seed", "status", "epochs"} - set(document)
        if missing:
            raise InputError(f"a trial lacks {', '.join(sorted(missing))}")
        if document["status"] not in get_args(Status):
            raise InputError(
                f"status {document['status']!r}: must be {', '.join(get_args(Status))}"
            )
        epochs = tuple(map(EpochRecord.from_json, document["epochs"]))
        if spec is None:
            spec = TrialSpec.from_json(document["spec"])
        correct = Correctness.from_json(document)
        if correct is not None:
            correct.require(epochs[-1].test_accuracy if epochs else None)
        error = document.get("error")
        return cls(spec, document["seed"], document["status"], epochs, error, correct)
