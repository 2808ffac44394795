"""Normalization of a map before its activation, followed by a learned scale and offset by channel.

A norm is a function from maps and an epsilon to normalized maps; `batch` alone also keeps running
statistics, which evaluation uses in the place of the batch's own. Definitions and defaults are
Keras 3's: Ioffe and Szegedy 2015 (arXiv 1502.03167) for `batch`, Ba et al. 2016 (arXiv 1607.06450)
for `layer`, Wu and He 2018 (arXiv 1803.08494) for `group`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cnn_ablation.options import Registry
from cnn_ablation.stages.maps import BlockLike, Layer, Map

if TYPE_CHECKING:
    from jax import Array

FIELDS = ("norm", "norm_momentum", "norm_epsilon", "norm_groups")

Norm = Callable[..., Any]
NONE, BATCH, GROUP = "none", "batch", "group"
NORMS: Registry[Norm] = Registry("norm")
register_norm = NORMS.register
"""Adds a norm: `@register_norm("name")` on `norm(x_BHWC, epsilon) -> x_BHWC`."""


@register_norm(NONE)
def none(x_BHWC: Array, epsilon: float) -> Array:
    """No normalization, and neither scale nor offset."""
    return x_BHWC


@register_norm(BATCH)
def batch(x_BHWC: Array, epsilon: float) -> Array:
    """Zero mean and unit variance of every channel over the examples of a batch."""
    import jax.numpy as jnp

    mean_C, variance_C = moments(x_BHWC, jnp.ones(x_BHWC.shape[0]))
    return standardize(x_BHWC, mean_C, variance_C, epsilon)


@register_norm("layer")
def layer_norm(x_BHWC: Array, epsilon: float) -> Array:
    """Zero mean and unit variance over the channels of every position, as Keras's default axis."""
    import jax.numpy as jnp

    mean = jnp.mean(x_BHWC, axis=-1, keepdims=True)
    variance = jnp.mean(jnp.square(x_BHWC - mean), axis=-1, keepdims=True)
    return standardize(x_BHWC, mean, variance, epsilon)


@register_norm(GROUP)
def group_norm(x_BHWC: Array, epsilon: float, groups: int = 1) -> Array:
    """Zero mean and unit variance over all positions and the channels of a group."""
    import jax.numpy as jnp

    grouped = x_BHWC.reshape(*x_BHWC.shape[:-1], groups, -1)
    mean = jnp.mean(grouped, axis=(1, 2, 4), keepdims=True)
    variance = jnp.mean(jnp.square(grouped - mean), axis=(1, 2, 4), keepdims=True)
    return standardize(grouped, mean, variance, epsilon).reshape(x_BHWC.shape)


def normalize(x_BHWC: Array, block: BlockLike) -> Array:
    """Maps normalized by a norm without running statistics."""
    if block.norm == GROUP:
        return group_norm(x_BHWC, block.norm_epsilon, block.norm_groups)
    normal: Array = NORMS[block.norm](x_BHWC, block.norm_epsilon)
    return normal


def is_present(block: BlockLike) -> bool:
    """Whether a block is normalized at all."""
    return bool(block.norm != NONE)


def after(block: BlockLike, before: Map) -> Map:
    """The same map."""
    return before


def layer(block: BlockLike, index: int, seen: Map, before: Map, after: Map) -> Layer | None:
    """The row `norm_INDEX`: a scale and an offset for each channel, where there is a norm."""
    if not is_present(block):
        return None
    return Layer(f"norm_{index}", after.shape, 2 * after.channels, 0, after.seen())


def misfit(block: BlockLike, number: int, seen: Map, before: Map) -> tuple[str, str] | None:
    """Refuses groups that do not share the channels."""
    if block.norm != GROUP or before.channels % block.norm_groups == 0:
        return None
    return "norm_groups", f"must divide the {before.channels} channels of block {number}"


def moments(x_BHWC: Array, weights_B: Array, axis_name: str | None = None) -> tuple[Array, Array]:
    """Mean and variance of every channel over the examples whose weight is not 0.

    Args:
        x_BHWC: maps.
        weights_B: 1 for an example that counts and 0 for padding.
        axis_name: the mesh axis over whose devices the batch is cut, or None.

    Returns:
        mean_C and variance_C (of the population), the same on every device.
    """
    import jax.numpy as jnp
    from jax import lax

    def total(values: Array) -> Array:
        return values if axis_name is None else lax.psum(values, axis_name)

    weights_B111 = weights_B[:, None, None, None]
    count = total(jnp.sum(weights_B)) * x_BHWC.shape[1] * x_BHWC.shape[2]
    mean_C = total(jnp.sum(x_BHWC * weights_B111, axis=(0, 1, 2))) / count
    squares = jnp.square(x_BHWC - mean_C) * weights_B111
    return mean_C, total(jnp.sum(squares, axis=(0, 1, 2))) / count


def standardize(x_BHWC: Array, mean: Array, variance: Array, epsilon: float) -> Array:
    """Maps less a mean, over the root of a variance and epsilon."""
    from jax import lax

    return (x_BHWC - mean) * lax.rsqrt(variance + epsilon)
