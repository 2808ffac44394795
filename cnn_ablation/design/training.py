"""How a network is trained: epochs, batches, optimizer, schedule and augmentations with options."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from cnn_ablation.augmentations import AUGMENTATIONS, Augmentation
from cnn_ablation.design.part import Part
from cnn_ablation.errors import FieldError
from cnn_ablation.optimizers import OPTIMIZERS, SCHEDULES, Optimizer, Schedule
from cnn_ablation.optimizers.algorithms import ADADELTA
from cnn_ablation.optimizers.schedules import CONSTANT
from cnn_ablation.options import NUMBER, TEXT, WHOLE, Option, Registry, declared, option
from cnn_ablation.options.fields import defaults

MAX_SEED = 2**31 - 1
DTYPES = ("float32", "bfloat16")
# Precisions of products of float32 numbers, and what JAX calls them.
PRECISIONS = {"float32": "float32", "tf32": "tensorfloat32", "bfloat16": "bfloat16"}
# Fields that give a source of randomness a seed of its own, and what the source is called.
SEED_FIELDS = {"init_seed": "init", "order_seed": "order", "noise_seed": "noise"}
Entry = Optimizer | Schedule | Augmentation
# The fields that choose entries by name, and among which.
_REGISTRIES: dict[str, Registry[Any]] = {
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "augment": AUGMENTATIONS,
}


def _seed(source: str) -> Any:
    """Declares the field of a source's own seed."""
    return option(
        None,
        f"{source}: a seed of their own, the same in all trials (default: each trial's seed)",
        kind=WHOLE,
        least=0,
        most=MAX_SEED,
        optional=True,
        absent=None,
    )


@dataclasses.dataclass(frozen=True, init=False, repr=False)
class TrainingSpec(Part):
    """The training procedure: the notebook's, but for the learning rate.

    Optimizer, schedule and augmentations own options of their own, which are given and read here
    like any other field: `TrainingSpec(optimizer="sgd", momentum=0.9).momentum`.

    Attributes:
        optimizer: the optimizer with its options.
        schedule: the schedule with its options.
        augment: the augmentations with their options, in the order in which they are applied.

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
    warmup: float = option(
        0.0,
        "epochs in which the rate rises in a straight line from 0; the schedule follows them",
        least=0,
        absent=0.0,
    )
    weight_decay: float = option(
        0.0,
        "share of its kernels that a step at a rate of 1 takes off, beside the optimizer; biases "
        "and norms are left out (default: adamw 0.004, others 0)",
        least=0,
        absent=0.0,
    )
    clip_norm: float = option(
        0.0, "largest norm of a step's whole gradient; 0 is no bound", least=0, absent=0.0
    )
    label_smoothing: float = option(
        0.0,
        "share of a label that is spread over all classes in training",
        least=0,
        below=1,
        absent=0.0,
    )
    augment: tuple[Augmentation, ...] = option(
        (),
        "changes of the training images, several separated by commas, or none",
        kind=TEXT,
        shape="several",
        choices=AUGMENTATIONS,
        absent=(),
        may_be_none=True,
    )
    dtype: str = option(
        "float32", f"number format of the computation: {' or '.join(DTYPES)}", choices=DTYPES
    )

    init_seed: int | None = _seed("initial parameters")
    order_seed: int | None = _seed("the order of the training images")
    noise_seed: int | None = _seed("random numbers of dropout and augmentation")

    def __init__(
        self,
        epochs: int = 2,
        batch_size: int = 128,
        learning_rate: float | None = None,
        *,
        optimizer: str | Optimizer = ADADELTA,
        schedule: str | Schedule = CONSTANT,
        augment: str | Sequence[str | Augmentation] = (),
        weight_decay: float | None = None,
        **others: Any,
    ) -> None:
        """Takes the fields, and the options of the chosen entries by their names."""
        own = declared(type(self))
        options = {name: value for name, value in others.items() if name not in own}
        entries: dict[str, Any] = {
            "optimizer": _entry("optimizer", optimizer, options),
            "schedule": _entry("schedule", schedule, options),
            "augment": _augmentations(augment, options),
        }
        _refuse_foreign(options, **entries)
        rule = entries["optimizer"]
        plain = {name: others.get(name, default) for name, default in defaults(type(self)).items()}
        plain |= {"epochs": epochs, "batch_size": batch_size}
        plain["learning_rate"] = rule.learning_rate if learning_rate is None else learning_rate
        plain["weight_decay"] = rule.weight_decay if weight_decay is None else weight_decay
        for name, its in own.items():
            value = entries[name] if name in entries else its.checked(name, plain[name])
            object.__setattr__(self, name, value)
        if self.warmup > self.epochs:
            allowed = f"must not be longer than the training of epochs={self.epochs}"
            raise FieldError("warmup", self.warmup, allowed)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name not in _REGISTRIES:
            for entry in self.entries:
                if name in declared(entry):
                    return getattr(entry, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Optimizer, schedule and augmentations, which have options of their own."""
        return (self.optimizer, self.schedule, *self.augment)

    def options(self) -> dict[str, Option]:
        """The fields by name, the entries' options behind the entries."""
        return dict(_with_options(map(type, self.entries)))

    def values(self) -> dict[str, Any]:
        """The fields' values by name; an entry by its name."""
        named = {
            "optimizer": self.optimizer.name,
            "schedule": self.schedule.name,
            "augment": tuple(entry.name for entry in self.augment),
        }
        return {
            name: named[name] if name in named else getattr(self, name) for name in self.options()
        }

    @classmethod
    def every_option(cls) -> dict[str, Option]:
        """The fields and the options of every optimizer, schedule and augmentation."""
        return dict(_with_options(its for one in _REGISTRIES.values() for its in one.values()))

    def replace(self, **changes: Any) -> Self:
        """The same with other values in some fields.

        Another optimizer brings its own options, and its own learning rate and weight decay where
        this one's were its optimizer's own: a rate that was chosen stays chosen.

        Raises:
            InputError: there is no such field, or a value is not allowed.
        """
        self._require_known(changes)
        values = self.values()
        chosen = {name: changes.get(name, values[name]) for name in _REGISTRIES}
        left = [self.optimizer] if chosen["optimizer"] != values["optimizer"] else []
        for name in ("learning_rate", "weight_decay") if left else ():
            if getattr(self, name) == getattr(self.optimizer, name):
                values[name] = None
        gone = [*left, *([self.schedule] if chosen["schedule"] != values["schedule"] else [])]
        gone += [entry for entry in self.augment if entry.name not in _names(chosen["augment"])]
        own = {name for entry in gone for name in declared(entry)}
        return type(self)(**{**{n: v for n, v in values.items() if n not in own}, **changes})


def owners(name: str) -> dict[str, type[Any]]:
    """The optimizers, schedules and augmentations that have an option of this name."""
    return {
        owner: entry
        for registry in _REGISTRIES.values()
        for owner, entry in registry.items()
        if name in declared(entry)
    }


def _with_options(entries: Iterable[type[Entry]]) -> Iterator[tuple[str, Option]]:
    """The fields, and behind each that is chosen by name the options of what was chosen."""
    behind = {"learning_rate": Optimizer, "schedule": Schedule, "augment": Augmentation}
    found = list(entries)
    for name, its in declared(TrainingSpec).items():
        yield name, its
        for entry in found:
            if name in behind and issubclass(entry, behind[name]):
                yield from declared(entry).items()


def _entry(name: str, value: Any, options: Mapping[str, Any]) -> Any:
    """An entry from its name, or from one that there is, with these options."""
    if isinstance(value, (Optimizer, Schedule, Augmentation)):
        own = {n: v for n, v in options.items() if n in declared(value)}
        return dataclasses.replace(value, **own) if own else value
    entry = _REGISTRIES[name].get(value) if isinstance(value, str) else None
    if entry is None:
        raise FieldError(name, value, f"must be {declared(TrainingSpec)[name].words}")
    return entry(**{n: v for n, v in options.items() if n in declared(entry)})


def _augmentations(value: Any, options: Mapping[str, Any]) -> tuple[Augmentation, ...]:
    """Augmentations in the order of their registry, which is that in which they are applied."""
    several = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    found = {entry.name: entry for entry in (_entry("augment", v, options) for v in several)}
    if len(found) < len(several):
        raise FieldError("augment", value, "must name each augmentation once")
    return tuple(found[name] for name in AUGMENTATIONS if name in found)


def _names(entries: Any) -> set[str]:
    several = entries if isinstance(entries, (tuple, list)) else (entries,)
    return {one if isinstance(one, str) else one.name for one in several}


def _refuse_foreign(
    options: Mapping[str, Any],
    optimizer: Optimizer,
    schedule: Schedule,
    augment: tuple[Augmentation, ...],
) -> None:
    own = [name for entry in (optimizer, schedule, *augment) for name in declared(entry)]
    for name, value in options.items():
        if name in own:
            continue
        whose = owners(name)
        if not whose:
            TrainingSpec._require_known({name: value})
        beside = f"optimizer={optimizer.name} and schedule={schedule.name}"
        if augment or any(owner in AUGMENTATIONS for owner in whose):
            beside += f" and augment={','.join(entry.name for entry in augment) or 'none'}"
        raise FieldError(
            name,
            value,
            f"means nothing with {beside}, whose options are {', '.join(own) or 'none'}; it is an "
            f"option of {', '.join(whose)}",
        )
