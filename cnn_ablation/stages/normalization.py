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
# A mean, and a variance or a sum of squared deviations.
Moments = tuple["Array", "Array"]
NONE, BATCH, LAYER, GROUP = "none", "batch", "layer", "group"
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

    pixels = x_BHWC.shape[1] * x_BHWC.shape[2]
    mean_C, variance_C = over_batch(moments(x_BHWC), pixels, jnp.ones(x_BHWC.shape[0]))
    return standardize(x_BHWC, mean_C, variance_C, epsilon)


@register_norm(LAYER)
def layer_norm(x_BHWC: Array, epsilon: float) -> Array:
    """Zero mean and unit variance over the channels of every position, as Keras's default axis."""
    import jax.numpy as jnp

    mean = jnp.mean(x_BHWC, axis=-1, keepdims=True)
    variance = jnp.mean(jnp.square(x_BHWC - mean), axis=-1, keepdims=True)
    return standardize(x_BHWC, mean, variance, epsilon)


@register_norm(GROUP)
def group_norm(x_BHWC: Array, epsilon: float, groups: int = 1) -> Array:
    """Zero mean and unit variance over all positions and the channels of a group."""
    pixels = x_BHWC.shape[1] * x_BHWC.shape[2]
    mean_BC, variance_BC = over_groups(moments(x_BHWC), pixels, groups)
    return standardize(x_BHWC, mean_BC[:, None, None], variance_BC[:, None, None], epsilon)


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


def moments(x_BHWC: Array) -> Moments:
    """Each image's mean, and sum of squared deviations from it, by channel: two arrays (B, C)."""
    import jax.numpy as jnp

    mean_BC = jnp.mean(x_BHWC, axis=(1, 2))
    return mean_BC, jnp.sum(jnp.square(x_BHWC - mean_BC[:, None, None]), axis=(1, 2))


def over_batch(
    of_images: Moments, pixels: int, weights_B: Array, axis_name: str | None = None
) -> Moments:
    """Mean and variance of every channel over the examples whose weight is not 0.

    Means and squared deviations of parts are put together as in Chan, Golub and LeVeque 1983,
    "Algorithms for computing the sample variance".

    Args:
        of_images: what `moments` gave.
        pixels: positions of one image.
        weights_B: 1 for an example that counts and 0 for padding.
        axis_name: the mesh axis over whose devices the batch is cut, or None.

    Returns:
        mean_C and variance_C (of the population), the same on every device.
    """
    import jax.numpy as jnp
    from jax import lax

    def total(values_B: Array) -> Array:
        values = jnp.sum(values_B, axis=0)
        return values if axis_name is None else lax.psum(values, axis_name)

    mean_BC, squares_BC = of_images
    weights_B1 = weights_B[:, None]
    count = total(weights_B)
    mean_C = total(mean_BC * weights_B1) / count
    between_BC = pixels * jnp.square(mean_BC - mean_C)
    return mean_C, total((squares_BC + between_BC) * weights_B1) / (count * pixels)


def over_groups(of_images: Moments, pixels: int, groups: int) -> Moments:
    """Mean and variance over all positions and the channels of a group, for each channel: (B, C).

    Args:
        of_images: what `moments` gave.
        pixels: positions of one image.
        groups: how many groups share the channels.
    """
    import jax.numpy as jnp

    batch, channels = of_images[0].shape
    mean_BGC, squares_BGC = (array.reshape(batch, groups, -1) for array in of_images)
    mean_BG1 = jnp.mean(mean_BGC, axis=-1, keepdims=True)
    between_BGC = pixels * jnp.square(mean_BGC - mean_BG1)
    variance_BG1 = jnp.mean(squares_BGC + between_BGC, axis=-1, keepdims=True) / pixels
    each = channels // groups
    mean_BC, variance_BC = (
        jnp.repeat(array[..., 0], each, axis=-1) for array in (mean_BG1, variance_BG1)
    )
    return mean_BC, variance_BC


def standardize(x_BHWC: Array, mean: Array, variance: Array, epsilon: float) -> Array:
    """Maps less a mean, over the root of a variance and epsilon."""
    from jax import lax

    return (x_BHWC - mean) * lax.rsqrt(variance + epsilon)
