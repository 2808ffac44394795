"""Pieces of optimizers that Optax lacks, or defines otherwise than Keras does.

They import JAX: an optimizer imports them where it is built.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

# Weight decay shrinks kernels. Biases, and a norm's scale and offset, are left as they are.
_DECAYED = "kernel"


def scale_by_keras_adam(
    beta_1: float, beta_2: float, epsilon: float
) -> optax.GradientTransformation:
    """Adam's step for a rate of 1, its bias corrections taken as Keras takes them."""

    def init(params: Any) -> optax.ScaleByAdamState:
        zeros = jax.tree.map(jnp.zeros_like, params)
        return optax.ScaleByAdamState(jnp.zeros((), jnp.int32), zeros, zeros)

    def update(
        updates: Any, state: optax.ScaleByAdamState, params: Any = None
    ) -> tuple[Any, optax.ScaleByAdamState]:
        count = state.count + 1
        mu = jax.tree.map(lambda g, m: beta_1 * m + (1 - beta_1) * g, updates, state.mu)
        nu = jax.tree.map(lambda g, v: beta_2 * v + (1 - beta_2) * g * g, updates, state.nu)
        scale = keras_adam_scale(count, beta_1, beta_2)
        steps = jax.tree.map(lambda m, v: scale * m / (jnp.sqrt(v) + epsilon), mu, nu)
        return steps, optax.ScaleByAdamState(count, mu, nu)

    return optax.GradientTransformation(init, update)


def keras_adam_scale(count: Array, beta_1: float, beta_2: float) -> Array:
    """What corrects the bias of Adam's step number `count`, from 1 on."""
    return jnp.sqrt(1 - beta_2**count) / (1 - beta_1**count)


class DecayState(NamedTuple):
    """What weight decay keeps: the number of steps that were taken."""

    steps: Array


def decay_weights(weight_decay: float, rate: Any) -> optax.GradientTransformation:
    """Decoupled weight decay as Keras defines it: kernels shrink by rate * weight_decay of them.

    It comes last in a chain, after an optimizer's own steps, in which it takes no part: neither in
    their momentum nor in their running averages. Keras decays every variable unless it is told to
    exclude some; here kernels alone are.

    Args:
        weight_decay: share of a kernel that a step at a rate of 1 takes off.
        rate: the learning rate, a number or a function of the step.
    """

    def init(params: Any) -> DecayState:
        return DecayState(jnp.zeros((), jnp.int32))

    def update(updates: Any, state: DecayState, params: Any = None) -> tuple[Any, DecayState]:
        share = weight_decay * (rate(state.steps) if callable(rate) else rate)

        def decayed(path: Any, step: Array, value: Array) -> Array:
            return step - share * value if path[-1].key == _DECAYED else step

        steps = jax.tree_util.tree_map_with_path(decayed, updates, params)
        return steps, DecayState(state.steps + 1)

    return optax.GradientTransformation(init, update)


def warmed(rate: Any, highest: float, steps: int) -> Any:
    """A schedule that begins after a warm-up: so many steps on a straight line from 0.

    As in Keras's CosineDecay, step t of W takes the rate t / W of the highest, so that the first
    step takes 0, and the schedule then begins at its own start.

    Args:
        rate: the schedule, a number or a function of the step.
        highest: the rate that the warm-up leads to.
        steps: of the warm-up; 0 leaves the schedule as it is.
    """
    if steps == 0:
        return rate

    def at(step: Array) -> Array:
        later = rate(jnp.maximum(step - steps, 0)) if callable(rate) else rate
        return jnp.where(step < steps, highest * (step / steps), later)

    return at
