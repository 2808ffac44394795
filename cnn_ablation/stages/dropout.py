"""Dropout: in training a random share of the units is set to 0 and the others are scaled up.

Srivastava et al. 2014, in the inverted form of Keras: the mean stays, and evaluation leaves it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnn_ablation.stages.maps import BlockLike, Layer, Map

if TYPE_CHECKING:
    from jax import Array

FIELDS = ("dropout",)


def drop(x_BHWC: Array, rate: float, key: Array, first: Array | int = 0) -> Array:
    """A map with a share of its units dropped, each example's by a key of its own.

    The mask of an example depends on its place in the whole batch, and so not on how the batch is
    cut over devices.

    Args:
        x_BHWC: maps, or flat features (B, D).
        rate: share of the units to drop, from 0 to below 1.
        key: a PRNG key, another one for each step and layer.
        first: place in the whole batch of the first of these examples.
    """
    import jax
    import jax.numpy as jnp

    keys_B = jax.vmap(jax.random.fold_in, (None, 0))(key, first + jnp.arange(x_BHWC.shape[0]))
    kept = jax.vmap(lambda one: jax.random.bernoulli(one, 1 - rate, x_BHWC.shape[1:]))(keys_B)
    return jnp.where(kept, x_BHWC / (1 - rate), 0)


def after(block: BlockLike, before: Map) -> Map:
    """The same map."""
    return before


def layer(block: BlockLike, index: int, seen: Map, before: Map, after: Map) -> Layer | None:
    """The row `dropout_INDEX`, where there is dropout."""
    if block.dropout == 0:
        return None
    return Layer(f"dropout_{index}", after.shape, 0, 0, after.seen())


def misfit(block: BlockLike, number: int, seen: Map, before: Map) -> tuple[str, str] | None:
    """Nothing: dropout takes any map."""
    return None
