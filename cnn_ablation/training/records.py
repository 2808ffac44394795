"""What a trial leaves behind: typed results that turn into strict JSON and back."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, get_args

from cnn_ablation.design import TrialSpec, require_seed
from cnn_ablation.design.words import short_name
from cnn_ablation.errors import InputError
from cnn_ablation.options.fields import Option, Range
from cnn_ablation.options.kinds import NUMBER, WHOLE
from cnn_ablation.system.correctness import Correctness

Status = Literal["completed", "diverged", "failed"]
FINISHED = ("completed", "diverged")
SECONDS = Option(NUMBER, "wall time", allowed=Range(least=0))
_SHARE = Option(NUMBER, "share of right answers", allowed=Range(least=0, most=1))
# Rounding may leave a tiny one a hair below zero.
_LOSS = Option(NUMBER, "mean cross-entropy in nats", allowed=Range(least=-1e-3))


def _figure(its: Option) -> Any:
    return dataclasses.field(metadata={"figure": its})


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

    epoch: int = _figure(Option(WHOLE, "number from 1", allowed=Range(least=1)))
    train_loss: float = _figure(_LOSS)
    train_accuracy: float = _figure(_SHARE)
    test_loss: float = _figure(_LOSS)
    test_accuracy: float = _figure(_SHARE)
    train_seconds: float = _figure(SECONDS)
    eval_seconds: float = _figure(SECONDS)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "EpochRecord":
        """Reads an epoch's JSON object.

        Raises:
            InputError: a field is missing or unknown, or a value is not allowed.
        """
        its = {field.name: field.metadata["figure"] for field in dataclasses.fields(cls)}
        if not isinstance(document, Mapping) or document.keys() != its.keys():
            raise InputError(f"an epoch must have {', '.join(its)}")
        return cls(**{name: its[name].checked(name, value) for name, value in document.items()})


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

    def __repr__(self) -> str:
        last = f", test accuracy {self.epochs[-1].test_accuracy:.2%}" if self.epochs else ""
        return (
            f"TrialRecord({short_name(self.spec)}, seed {self.seed}, {self.status}, "
            f"{len(self.epochs)} epochs{last})"
        )

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
        require_seed(document["seed"])
        if not isinstance(document["epochs"], list):
            raise InputError("epochs: must be a list")
        epochs = tuple(map(EpochRecord.from_json, document["epochs"]))
        if spec is None:
            spec = TrialSpec.from_json(document.get("spec"))
        correct, error = Correctness.from_json(document), document.get("error")
        record = cls(spec, document["seed"], document["status"], epochs, error, correct)
        record._require_sense()
        return record

    def _require_sense(self) -> None:
        """Refuses epochs and an error that no training can leave with this status."""
        numbers, asked = [epoch.epoch for epoch in self.epochs], self.spec.training.epochs
        if numbers != list(range(1, len(numbers) + 1)):
            raise InputError("epochs: must be numbered from 1")
        count = len(numbers)
        if count != asked if self.status == "completed" else count >= asked:
            raise InputError(f"{count} epochs of {asked} do not fit status {self.status}")
        is_text = isinstance(self.error, str)
        if is_text if self.finished else not is_text:
            raise InputError(f"error {self.error!r} does not fit status {self.status}")
        if self.test_correct is not None:
            self.test_correct.require(self.epochs[-1].test_accuracy if self.epochs else None)
