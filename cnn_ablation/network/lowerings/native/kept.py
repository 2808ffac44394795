"""Activation and pooling in the kernels' terms, and what is kept of them for the gradients."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from cnn_ablation.design import Block
from cnn_ablation.stages import pooling

# In the order of `Activation` in activations.h.
ACTIVATIONS = ("relu", "none", "leaky_relu", "elu", "tanh", "sigmoid", "gelu", "silu")
POOLS = (pooling.MAX, pooling.AVG)


class Finish(NamedTuple):
    """Activation and pooling of a map.

    Attributes:
        activation: one of `ACTIVATIONS`.
        pool: side of the windows, 1 for none.
        average: whether a window gives its mean, not its maximum.
    """

    activation: str = "relu"
    pool: int = 1
    average: bool = False

    @property
    def options(self) -> dict[str, int]:
        """The kernels' numbers for it."""
        return {
            "activation": ACTIVATIONS.index(self.activation),
            "pool": self.pool,
            "average": int(self.average),
        }

    @property
    def outputs_tell(self) -> bool:
        """Whether the outputs are what the backward pass needs."""
        return self.activation == "relu" and self.pool == 1

    def kept(self, out_BHWC: tuple[int, ...]) -> list[jax.ShapeDtypeStruct]:
        """What a forward pass to maps of this shape keeps: winners, then slopes; see block.h."""
        batch, height, width, channels = out_BHWC
        winners = jax.ShapeDtypeStruct(out_BHWC, jnp.int32)
        slopes = jax.ShapeDtypeStruct(out_BHWC, jnp.float32)
        if self.average and self.pool > 1:
            members = (batch, height * self.pool, width * self.pool, channels)
            linear = self.activation == "none"
            return [] if linear else [jax.ShapeDtypeStruct(members, jnp.float32)]
        curved = self.activation not in ("relu", "none")
        return [*([winners] if self.pool > 1 else []), *([slopes] if curved else [])]


RELU = Finish()


def finish_of(block: Block) -> Finish:
    """A block's activation and pooling, both known to the kernels."""
    return Finish(block.activation, block.pool, block.pool_kind == pooling.AVG)
