"""Training and evaluation as two modes of one network."""

import zlib
from typing import NamedTuple

import jax
from jax import Array, lax
from jax import numpy as jnp


class Mode(NamedTuple):
    """What a network's layers must know beside their input.

    Attributes:
        train: whether this is training: batch norm takes the batch's statistics, dropout drops.
        weights_B: 1 for an example that counts and 0 for padding; None where all count.
        key: PRNG key of this step's noise; None where there is no dropout.
        axis_name: mesh axis over whose devices the batch is cut, or None.
    """

    train: bool = False
    weights_B: Array | None = None
    key: Array | None = None
    axis_name: str | None = None

    def weights(self, count: int) -> Array:
        """The examples' weights, also where all count."""
        return jnp.ones(count) if self.weights_B is None else self.weights_B

    def key_of(self, layer: str) -> Array:
        """A layer's own key for this step.

        Raises:
            ValueError: there is none to derive it from.
        """
        if self.key is None:
            raise ValueError(f"{layer}: dropout in training needs a PRNG key")
        return jax.random.fold_in(self.key, zlib.crc32(layer.encode()))

    def first_example(self, count: int) -> Array | int:
        """The place in the whole batch of the first of this device's `count` examples."""
        return 0 if self.axis_name is None else lax.axis_index(self.axis_name) * count


EVALUATE = Mode()
