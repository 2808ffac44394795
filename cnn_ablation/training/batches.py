"""An order of examples cut into batches, and batches into shards of one size.

Shape convention: N examples, S steps of an epoch, P shards of a batch, B examples of a shard.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array, lax

from cnn_ablation.network.lowerings import lowering_of
from cnn_ablation.stages import pixels
from cnn_ablation.training.state import BATCH_AXIS, Batch, Examples


def batch_grid(order_N: Array, batch_size: int, shards: int = 1) -> tuple[Array, Array]:
    """Cuts an order of examples into batches, and each batch into shards of one size.

    Returns:
        indices_SPB into the examples, by step, part of the batch and place in it, and
        weights_SPB, which are 0 for padding and else 1.
    """
    count = order_N.shape[0]
    steps, width = -(-count // batch_size), -(-batch_size // shards) * shards
    padded_N = jnp.pad(order_N, (0, steps * batch_size - count))
    weights_N = (jnp.arange(steps * batch_size) < count).astype(jnp.float32)
    indices_SPB, weights_SPB = (
        jnp.pad(array_N.reshape(steps, batch_size), ((0, 0), (0, width - batch_size))).reshape(
            steps, shards, width // shards
        )
        for array_N in (padded_N, weights_N)
    )
    return indices_SPB, weights_SPB


def own_shard(grid: tuple[Array, Array], shards: int) -> tuple[Array, Array]:
    """The part of every batch that this device computes: indices_SB and weights_SB."""
    own = lax.axis_index(BATCH_AXIS) if shards > 1 else 0
    indices_SPB, weights_SPB = grid
    return indices_SPB[:, own], weights_SPB[:, own]


def take(
    examples: Examples,
    indices_B: Array,
    weights_B: Array,
    change: Callable[[Array], Array] | None = None,
    lowering: str = "xla",
) -> Batch:
    """Gathers a batch and scales its pixels to 0..1.

    Args:
        examples: a split.
        indices_B: which of its examples.
        weights_B: 0 for padding.
        change: what is done to the uint8 images_BHWC before they are scaled, if anything.
        lowering: name of the lowering.
    """
    if change is None:
        images_BHWC = lowering_of(lowering).gather(examples.images_NHWC, indices_B)
    else:
        images_BHWC = pixels.scale(change(examples.images_NHWC[indices_B]))
    return Batch(images_BHWC, examples.labels_N[indices_B], weights_B)
