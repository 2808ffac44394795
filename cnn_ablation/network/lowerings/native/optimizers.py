"""Optimizers whose steps the kernels compute, as Optax's transformations with Optax's states."""

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from cnn_ablation.network.lowerings.native.targets import call
from cnn_ablation.optimizers import Optimizer
from cnn_ablation.optimizers.algorithms import Adadelta

if TYPE_CHECKING:
    import optax


def optimizer(of: Optimizer, learning_rate: Any) -> "optax.GradientTransformation":
    """An optimizer at a rate; see `lowerings.Lowering.optimizer`."""
    import optax

    # A user's subclass may compute something else.
    if type(of) is Adadelta:
        return optax.chain(
            scale_by_adadelta(of.rho, of.epsilon), optax.scale_by_learning_rate(learning_rate)
        )
    return of.build(learning_rate)


def scale_by_adadelta(rho: float, epsilon: float) -> "optax.GradientTransformation":
    """`optax.scale_by_adadelta` in one pass over all parameters; the same numbers to the bit."""
    import optax

    options = {"kept": rho, "added": 1 - rho, "epsilon": epsilon}

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        del params
        trees = (updates, state.e_g, state.e_x)
        leaves, (form, *_) = zip(*map(jax.tree.flatten, trees), strict=True)
        operands = [leaf for own in leaves for leaf in own]
        results = [jax.ShapeDtypeStruct(leaf.shape, jnp.float32) for leaf in operands]
        changed = call("Adadelta", results, operands, options, in_place=True)
        count = len(leaves[0])
        directions, e_g, e_x = (
            jax.tree.unflatten(form, changed[at : at + count]) for at in range(0, 3 * count, count)
        )
        return directions, optax.ScaleByAdaDeltaState(e_g=e_g, e_x=e_x)

    return optax.GradientTransformation(optax.scale_by_adadelta(rho, epsilon).init, update)
