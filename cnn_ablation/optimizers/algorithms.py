"""Optimizers by name. An entry is a frozen dataclass: its fields are its options."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

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
        title: what reports call it.
    """

    name: ClassVar[str] = ""
    learning_rate: ClassVar[float] = 0.001
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
    name: str, *, learning_rate: float, title: str | None = None
) -> Callable[[T], T]:
    """A decorator that adds a subclass of `Optimizer`.

    Args:
        name: what `--optimizer` calls it.
        learning_rate: its default learning rate.
        title: what reports call it; None is the class's name.

    Raises:
        InputError: the name is taken, or is no lower-case identifier.
    """

    def add(entry: T) -> T:
        entry.name, entry.learning_rate = name, learning_rate
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
    """Stochastic gradient descent with momentum, as Keras defines both.

    Keras multiplies the gradient by the rate before it enters the momentum; with a rate that does
    not change during training the steps are the same as Optax's.
    """

    momentum: float = option(0.0, "share of the last step that is kept", least=0, below=1)
    nesterov: bool = option(False, "whether momentum looks ahead (Nesterov)")

    def build(self, learning_rate: Any) -> "optax.GradientTransformation":
        """Optax's SGD."""
        import optax

        return optax.sgd(learning_rate, momentum=self.momentum or None, nesterov=self.nesterov)


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

        return optax.chain(
            _scale_by_keras_adam(self.beta_1, self.beta_2, self.epsilon),
            optax.scale_by_learning_rate(learning_rate),
        )


def _scale_by_keras_adam(
    beta_1: float, beta_2: float, epsilon: float
) -> "optax.GradientTransformation":
    """Adam's step for a rate of 1, its bias corrections taken as Keras takes them."""
    import jax
    import jax.numpy as jnp
    import optax

    def init(params: Any) -> optax.ScaleByAdamState:
        zeros = jax.tree.map(jnp.zeros_like, params)
        return optax.ScaleByAdamState(jnp.zeros((), jnp.int32), zeros, zeros)

    def update(
        updates: Any, state: optax.ScaleByAdamState, params: Any = None
    ) -> tuple[Any, optax.ScaleByAdamState]:
        count = state.count + 1
        mu = jax.tree.map(lambda g, m: beta_1 * m + (1 - beta_1) * g, updates, state.mu)
        nu = jax.tree.map(lambda g, v: beta_2 * v + (1 - beta_2) * g * g, updates, state.nu)
        scale = jnp.sqrt(1 - beta_2**count) / (1 - beta_1**count)
        steps = jax.tree.map(lambda m, v: scale * m / (jnp.sqrt(v) + epsilon), mu, nu)
        return steps, optax.ScaleByAdamState(count, mu, nu)

    return optax.GradientTransformation(init, update)
