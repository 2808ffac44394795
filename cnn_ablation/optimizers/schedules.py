"""Schedules: how the learning rate changes from step to step. An entry's fields are its options."""

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from cnn_ablation.options import Registry, validate

CONSTANT = "constant"


@dataclasses.dataclass(frozen=True)
class Schedule:
    """What every schedule has; a subclass declares its options as fields made by `option`.

    Attributes:
        name: its name in the registry, set by `register_schedule`.
    """

    name: ClassVar[str] = ""

    def __post_init__(self) -> None:
        validate(self)

    def rate(self, learning_rate: float, steps: int) -> Any:
        """The learning rate as a number, or as a function from the number of the step to one.

        Args:
            learning_rate: the highest rate.
            steps: steps of the whole training.
        """
        raise NotImplementedError


T = TypeVar("T", bound=type[Schedule])
SCHEDULES: Registry[type[Schedule]] = Registry("schedule")


def register_schedule(name: str) -> Callable[[T], T]:
    """A decorator that adds a subclass of `Schedule`.

    Raises:
        InputError: the name is taken, or is no lower-case identifier.
    """

    def add(entry: T) -> T:
        entry.name = name
        SCHEDULES.register(name)(entry)
        return entry

    return add


@register_schedule(CONSTANT)
@dataclasses.dataclass(frozen=True)
class Constant(Schedule):
    """The same rate at every step."""

    def rate(self, learning_rate: float, steps: int) -> Any:
        """The rate itself."""
        return learning_rate


@register_schedule("cosine")
@dataclasses.dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from the rate to 0 (Loshchilov and Hutter 2016, arXiv 1608.03983)."""

    def rate(self, learning_rate: float, steps: int) -> Any:
        """Optax's cosine decay."""
        import optax

        return optax.cosine_decay_schedule(learning_rate, steps)


@register_schedule("linear")
@dataclasses.dataclass(frozen=True)
class Linear(Schedule):
    """A straight line from the rate to 0."""

    def rate(self, learning_rate: float, steps: int) -> Any:
        """Optax's linear schedule."""
        import optax

        return optax.linear_schedule(learning_rate, 0.0, steps)
