"""The order of the examples and a batch's pixels, by the kernels; the numbers are those of JAX.

Shape convention: N examples, B batch, H height, W width, C channels.
"""

import math

import jax
import jax.numpy as jnp

from cnn_ablation.network.lowerings import plain
from cnn_ablation.network.lowerings.native.targets import call


def gather(images_NHWC: jax.Array, indices_B: jax.Array) -> jax.Array:
    """A batch of images with its pixels scaled; see `lowerings.Lowering.gather`."""
    if images_NHWC.dtype != jnp.uint8:
        return plain.gather(images_NHWC, indices_B)
    shape = (*indices_B.shape, *images_NHWC.shape[1:])
    batch = jax.ShapeDtypeStruct(shape, jnp.float32)
    return call("Gather", [batch], (images_NHWC, indices_B))[0]


def permutation(key: jax.Array, count: int) -> jax.Array:
    """The order that `jax.random.permutation` draws.

    It sorts by random numbers, so often that equal ones do not matter, and XLA's sort takes longer
    than all else that a small network does in an epoch.
    """
    order_N = jnp.arange(count, dtype=jnp.int32)
    for _ in range(math.ceil(3 * math.log(max(1, count)) / math.log(2**32 - 1))):
        key, own = jax.random.split(key)
        keys_N = jax.random.bits(own, (count,), jnp.uint32)
        (order_N,) = call(
            "SortByKeys", [jax.ShapeDtypeStruct((count,), jnp.int32)], (keys_N, order_N)
        )
    return order_N
