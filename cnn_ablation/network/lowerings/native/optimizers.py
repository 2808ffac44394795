"""Optimizers whose steps the kernels compute, as Optax's transformations with Optax's states."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from cnn_ablation.network.lowerings.native.targets import call
from cnn_ablation.optimizers import Optimizer
from cnn_ablation.optimizers.algorithms import Adadelta, Adam, AdamW, RMSprop

if TYPE_CHECKING:
    import optax


def optimizer(of: Optimizer, learning_rate: Any) -> "optax.GradientTransformation":
    """An optimizer at a rate; see `lowerings.Lowering.optimizer`."""
    import optax

    rated = optax.scale_by_learning_rate(learning_rate)
    # By the very class: a user's subclass may compute something else. States have the form of
    # Optax's own, which any lowering can go on with: its Adadelta begins with a decay, here of 0.
    if type(of) is Adadelta:
        return optax.chain(optax.identity(), scale_by_adadelta(of.rho, of.epsilon), rated)
    if type(of) in (Adam, AdamW):
        assert isinstance(of, Adam)
        return optax.chain(scale_by_adam(of.beta_1, of.beta_2, of.epsilon), rated)
    if type(of) is RMSprop and not of.centered:
        trace = optax.trace(of.momentum) if of.momentum else optax.identity()
        return optax.chain(scale_by_rms(of.rho, of.epsilon), rated, trace)
    return of.build(learning_rate)


def scale_by_adadelta(rho: float, epsilon: float) -> "optax.GradientTransformation":
    """`optax.scale_by_adadelta` in one pass over all parameters."""
    import optax

    options = {"kept": rho, "added": 1 - rho, "epsilon": epsilon}

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        del params
        steps, e_g, e_x = _step("AdadeltaStep", (updates, state.e_g, state.e_x), options)
        return steps, optax.ScaleByAdaDeltaState(e_g=e_g, e_x=e_x)

    return optax.GradientTransformation(optax.scale_by_adadelta(rho, epsilon).init, update)


def scale_by_adam(beta_1: float, beta_2: float, epsilon: float) -> "optax.GradientTransformation":
    """`optimizers.transformations.scale_by_keras_adam` in one pass over all parameters."""
    import optax

    from cnn_ablation.optimizers.transformations import keras_adam_scale, scale_by_keras_adam

    options = {
        **{"kept": beta_1, "added": 1 - beta_1, "epsilon": epsilon},
        **{"kept_square": beta_2, "added_square": 1 - beta_2},
    }

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        del params
        count = state.count + 1
        scale = keras_adam_scale(count, beta_1, beta_2)
        trees = (updates, state.mu, state.nu)
        steps, mu, nu = _step("AdamStep", trees, options, scale)
        return steps, optax.ScaleByAdamState(count, mu, nu)

    return optax.GradientTransformation(scale_by_keras_adam(beta_1, beta_2, epsilon).init, update)


def scale_by_rms(rho: float, epsilon: float) -> "optax.GradientTransformation":
    """`optax.scale_by_rms` in one pass over all parameters."""
    import optax

    options = {"kept": rho, "added": 1 - rho, "epsilon": epsilon}

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        del params
        steps, nu = _step("RmsPropStep", (updates, state.nu), options)
        return steps, state._replace(nu=nu)

    return optax.GradientTransformation(optax.scale_by_rms(rho, epsilon).init, update)


def _step(
    kernel: str, trees: Sequence[Any], options: Mapping[str, float], *numbers: jax.Array
) -> list[Any]:
    """The gradients and running means of all parameters, replaced by steps and new means."""
    form = jax.tree.structure(trees[0])
    leaves = [leaf for tree in trees for leaf in jax.tree.leaves(tree)]
    results = [jax.ShapeDtypeStruct(leaf.shape, jnp.float32) for leaf in leaves]
    changed = call(kernel, results, [*numbers, *leaves], options, in_place=len(numbers))
    count = len(leaves) // len(trees)
    return [
        jax.tree.unflatten(form, changed[at : at + count]) for at in range(0, len(changed), count)
    ]
