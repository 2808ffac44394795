"""How a network is trained: epochs, batches, the optimizer with its own options, the schedule."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from cnn_ablation.design.part import Part
from cnn_ablation.errors import FieldError
from cnn_ablation.optimizers import OPTIMIZERS, SCHEDULES, Optimizer, Schedule
from cnn_ablation.optimizers.algorithms import ADADELTA
from cnn_ablation.optimizers.schedules import CONSTANT
from cnn_ablation.options import NUMBER, Option, Registry, declared, option

DTYPES = ("float32", "bfloat16")
# What each of the two entries is chosen by, and among which.
_ENTRIES: dict[str, Registry[Any]] = {"optimizer": OPTIMIZERS, "schedule": SCHEDULES}


@dataclasses.dataclass(frozen=True, init=False)
class TrainingSpec(Part):
    """The training procedure: the notebook's, but for the learning rate.

    The optimizer and the schedule own options of their own, which are given and read here like any
    other field: `TrainingSpec(optimizer="sgd", momentum=0.9).momentum`.

    Attributes:
        optimizer: the optimizer with its options.
        schedule: the schedule with its options.

    Raises:
        FieldError: a value is not allowed, or an option means nothing beside the others.
    """

    part: ClassVar[str] = "training"

    epochs: int = option(2, "passes over the training images", least=1)
    batch_size: int = option(
        128, "images per step; the last batch of an epoch may be smaller", least=1
    )
    optimizer: Optimizer = option(
        ADADELTA, "how parameters are updated", choices=OPTIMIZERS, absent=ADADELTA
    )
    learning_rate: float = option(
        1.0,
        "highest learning rate (default: the optimizer's own). Adadelta's own scale of 1.0 trains "
        "in 2 epochs; the notebook ran at Keras's default of 0.001, at which they barely begin",
        kind=NUMBER,
        above=0,
    )
    schedule: Schedule = option(
        CONSTANT,
        "how the learning rate changes from step to step",
        choices=SCHEDULES,
        absent=CONSTANT,
    )
    dtype: str = option(
        "float32", f"number format of the computation: {' or '.join(DTYPES)}", choices=DTYPES
    )

    def __init__(
        self,
        epochs: int = 2,
        batch_size: int = 128,
        learning_rate: float | None = None,
        *,
        optimizer: str | Optimizer = ADADELTA,
        schedule: str | Schedule = CONSTANT,
        dtype: str = "float32",
        **options: Any,
    ) -> None:
        """Takes the fields, and the options of the optimizer and of the schedule by their names."""
        entries = {"optimizer": optimizer, "schedule": schedule}
        built = {name: _entry(name, value, options) for name, value in entries.items()}
        _refuse_foreign(options, list(built.values()))
        if learning_rate is None:
            learning_rate = built["optimizer"].learning_rate
        own = declared(type(self))
        for name, value in (
            ("epochs", epochs),
            ("batch_size", batch_size),
            ("learning_rate", learning_rate),
            ("dtype", dtype),
        ):
            object.__setattr__(self, name, own[name].checked(name, value))
        for name, entry in built.items():
            object.__setattr__(self, name, entry)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name not in _ENTRIES:
            for entry in (self.optimizer, self.schedule):
                if name in declared(entry):
                    return getattr(entry, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def options(self) -> dict[str, Option]:
        """The fields by name, the entries' options behind the entries."""
        return dict(_with_options(self.optimizer, self.schedule))

    def values(self) -> dict[str, Any]:
        """The fields' values by name; an entry by its name."""
        return {
            name: getattr(self, name).name if name in _ENTRIES else getattr(self, name)
            for name in self.options()
        }

    @classmethod
    def every_option(cls) -> dict[str, Option]:
        """The fields and the options of every optimizer and schedule."""
        return dict(_with_options(*OPTIMIZERS.values(), *SCHEDULES.values()))

    def replace(self, **changes: Any) -> Self:
        """The same with other values in some fields.

        Another optimizer brings its own options, and its own learning rate where this one's was
        its optimizer's own: a rate that was chosen stays chosen.

        Raises:
            InputError: there is no such field, or a value is not allowed.
        """
        self._require_known(changes)
        values = self.values()
        for name in _ENTRIES:
            chosen = changes.get(name, values[name])
            if chosen != values[name] and isinstance(chosen, str):
                own = declared(getattr(self, name))
                values = {n: v for n, v in values.items() if n not in own}
                if name == "optimizer" and self.learning_rate == self.optimizer.learning_rate:
                    values["learning_rate"] = None
        return type(self)(**{**values, **changes})


def owners(name: str) -> dict[str, type[Any]]:
    """The optimizers and schedules that have an option of this name."""
    entries = [*OPTIMIZERS.items(), *SCHEDULES.items()]
    return {owner: entry for owner, entry in entries if name in declared(entry)}


def _with_options(*entries: Any) -> Iterator[tuple[str, Option]]:
    for name, its in declared(TrainingSpec).items():
        yield name, its
        if name == "learning_rate":
            for entry in entries:
                if issubclass(entry if isinstance(entry, type) else type(entry), Optimizer):
                    yield from declared(entry).items()
        if name == "schedule":
            for entry in entries:
                if issubclass(entry if isinstance(entry, type) else type(entry), Schedule):
                    yield from declared(entry).items()


def _entry(name: str, value: Any, options: Mapping[str, Any]) -> Any:
    """An optimizer or a schedule from its name, or from one that there is, with these options."""
    registry = _ENTRIES[name]
    if isinstance(value, (Optimizer, Schedule)):
        own = {n: v for n, v in options.items() if n in declared(value)}
        return dataclasses.replace(value, **own) if own else value
    entry = registry.get(value) if isinstance(value, str) else None
    if entry is None:
        raise FieldError(name, value, f"must be {declared(TrainingSpec)[name].words}")
    return entry(**{n: v for n, v in options.items() if n in declared(entry)})


def _refuse_foreign(options: Mapping[str, Any], entries: list[Any]) -> None:
    own = [name for entry in entries for name in declared(entry)]
    for name, value in options.items():
        if name in own:
            continue
        whose = owners(name)
        if not whose:
            TrainingSpec._require_known({name: value})
        beside = " and ".join(
            f"{field}={entry.name}" for field, entry in zip(_ENTRIES, entries, strict=True)
        )
        raise FieldError(
            name,
            value,
            f"means nothing with {beside}, whose options are {', '.join(own) or 'none'}; it is an "
            f"option of {', '.join(whose)}",
        )
