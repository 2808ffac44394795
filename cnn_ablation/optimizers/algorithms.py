"""Optimizers by name. An entry is a frozen dataclass: its fields are its options."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from cnn_ablation.errors import FieldError
from cnn_ablation.options import Registry, option, validate

if TYPE_CHECKING:
    import optax

ADADELTA = "adadelta"


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """What every optimizer has; a subclass declares its options as fields made by `option`.

    Attributes:
        name: its name in the registry, set by `register_optimizer`.
        learning_rate: the rate where none is given, set by `register_optimizer`.
        weight_decay: the weight decay where none is given, set by `register_optimizer`.
        title: what reports call it.
    """

    name: ClassVar[str] = ""
    learning_rate: ClassVar[float] = 0.001
    weight_decay: ClassVar[float] = 0.0
    title: ClassVar[str] = ""

    def __post_init__(self) -> None:
        validate(self)

    def build(self, learning_rate: Any) -> "optax.GradientTransformation":
        """The optimizer as Optax's.

        Args:
            learning_rate: a number, or a function from the number of the step to one.
        """
        raise NotImplementedError


T = TypeVar("T", bound=type[Optimizer])
OPTIMIZERS: Registry[type[Optimizer]] = Registry("optimizer")


def register_optimizer(
    name: str, *, learning_rate: float, weight_decay: float = 0.0, title: str | None = None
) -> Callable[[T], T]:
    """A decorator that adds a subclass of `Optimizer`.

    Args:
        name: what `--optimizer` calls it.
        learning_rate: its default learning rate.
        weight_decay: its default weight decay, which is applied beside it and not by it.
        title: what reports call it; None is the class's name.

    Raises:
        InputError: the name is taken, or is no lower-case identifier.
    """

    def add(entry: T) -> T:
        entry.name, entry.learning_rate, entry.weight_decay = name, learning_rate, weight_decay
        entry.title = title or entry.__name__
        OPTIMIZERS.register(name)(entry)
        return entry

    return add


@register_optimizer(ADADELTA, learning_rate=1.0)
@dataclasses.dataclass(frozen=True)
class Adadelta(Optimizer):
    """Zeiler 2012 (arXiv 1212.5701), as Keras defines it too.

    Keras's default rate of 0.001, at which the notebook ran, barely begins to train in 2 epochs;
    1.0 is the scale of the method's own paper.
    """

    rho: float = option(0.95, "decay of the running averages", least=0, below=1)
    epsilon: float = option(1e-7, "added under both roots", above=0)

    def build(self, learning_rate: Any) -> "optax.GradientTransformation":
        """Optax's Adadelta."""
        import optax

        return optax.adadelta(learning_rate, rho=self.rho, eps=self.epsilon)


@register_optimizer("sgd", learning_rate=0.01, title="SGD")
@dataclasses.dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum, as Keras defines both (Sutskever et al. 2013).

    Keras multiplies the gradient by the rate before it enters the momentum, Optax the momentum by
    the rate of the step. At a rate that never changes the steps are the same; under a schedule an
    old gradient keeps the rate of its own step, as in Keras.

    Raises:
        FieldError: `nesterov` without a momentum, which it means nothing without.
    """

    momentum: float = option(0.0, "share of the last step that is kept", least=0, below=1)
    nesterov: bool = option(False, "whether momentum looks ahead (Nesterov)")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and not self.momentum:
            raise FieldError("nesterov", True, "means nothing without a momentum above 0")

    def build(self, learning_rate: Any) -> "optax.GradientTransformation":
        """Optax's steps by the rate, and then the momentum over steps."""
        import optax

        step = optax.scale_by_learning_rate(learning_rate)
        if not self.momentum:
            return step
        return optax.chain(step, optax.trace(self.momentum, self.nesterov))


@register_optimizer("adam", learning_rate=0.001)
@dataclasses.dataclass(frozen=True)
class Adam(Optimizer):
    """Kingma and Ba 2014 (arXiv 1412.6980), with Keras's epsilon of 1e-7."""

    beta_1: float = option(0.9, "decay of the running gradient", least=0, below=1)
    beta_2: float = option(0.999, "decay of the running squared gradient", least=0, below=1)
    epsilon: float = option(1e-7, "added to the root of the squared gradient", above=0)

    def build(self, learning_rate: Any) -> "optax.GradientTransformation":
        """Optax's Adam with epsilon where Keras has it.

        Keras adds epsilon to the root of the uncorrected second moment, Optax to that of the
        corrected one: Optax's `eps` alone would differ by the factor sqrt(1 - beta_2^t).
        """
        import optax

        from cnn_ablation.optimizers.transformations import scale_by_keras_adam

        return optax.chain(
            scale_by_keras_adam(self.beta_1, self.beta_2, self.epsilon),
            optax.scale_by_learning_rate(learning_rate),
        )


@register_optimizer("adamw", learning_rate=0.001, weight_decay=0.004, title="AdamW")
@dataclasses.dataclass(frozen=True)
class AdamW(Adam):
    """Adam whose weight decay is on by default, at Keras's 0.004.

    Loshchilov and Hutter 2017 (arXiv 1711.05101). Since `weight_decay` is decoupled beside every
    optimizer, `adam` with 0.004 takes the same steps.
    """


@register_optimizer("rmsprop", learning_rate=0.001, title="RMSprop")
@dataclasses.dataclass(frozen=True)
class RMSprop(Optimizer):
    """Hinton's lecture 6e of 2012, and centered Graves's (arXiv 1308.0850), as Keras defines it."""

    rho: float = option(0.9, "decay of the running averages", least=0, below=1)
    momentum: float = option(0.0, "share of the last step that is kept", least=0, below=1)
    epsilon: float = option(1e-7, "added to the squared gradient, under the root", above=0)
    centered: bool = option(False, "whether the squared mean gradient is taken off its square")

    def build(self, learning_rate: Any) -> "optax.GradientTransformation":
        """Optax's RMSprop, which agrees with Keras's but for its default decay and epsilon."""
        import optax

        return optax.rmsprop(
            learning_rate,
            decay=self.rho,
            eps=self.epsilon,
            centered=self.centered,
            momentum=self.momentum or None,
        )


@register_optimizer("lion", learning_rate=0.001)
@dataclasses.dataclass(frozen=True)
class Lion(Optimizer):
    """Chen et al. 2023 (arXiv 2302.06675), as Keras defines it.

    Every parameter moves by the whole rate at every step: the paper takes a third to a tenth of
    Adam's rate.
    """

    beta_1: float = option(
        0.9, "share of the running gradient in the sign of a step", least=0, below=1
    )
    beta_2: float = option(0.99, "decay of the running gradient", least=0, below=1)

    def build(self, learning_rate: Any) -> "optax.GradientTransformation":
        """Optax's Lion without the weight decay that `optax.lion` has by default."""
        import optax

        return optax.chain(
            optax.scale_by_lion(self.beta_1, self.beta_2),
            optax.scale_by_learning_rate(learning_rate),
        )
