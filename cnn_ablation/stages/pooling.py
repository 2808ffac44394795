"""Pooling: square windows side by side, each reduced to one value; partial windows are dropped.

A pool is a function from windows (B, H, W, members of the window, C) to their values (B, H, W, C).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cnn_ablation.options import Registry
from cnn_ablation.stages.geometry import pool_output_size
from cnn_ablation.stages.maps import BlockLike, Layer, Map

if TYPE_CHECKING:
    from jax import Array

FIELDS = ("pool", "pool_kind")

Pool = Callable[..., Any]
MAX, AVG = "max", "avg"
POOLS: Registry[Pool] = Registry("pool_kind")
register_pool = POOLS.register
"""Adds a pool: `@register_pool("name")` on `pool(windows_BHWPC) -> x_BHWC`."""


@register_pool(MAX)
def largest(windows_BHWPC: Array) -> Array:
    """The largest member; the gradient goes to the first of equal ones, in row-major order."""
    return _chain(windows_BHWPC, 3)


@register_pool(AVG)
def mean(windows_BHWPC: Array) -> Array:
    """The mean of the members."""
    import jax.numpy as jnp

    return jnp.mean(windows_BHWPC, axis=-2)


def pool(x_BHWC: Array, block: BlockLike) -> Array:
    """A map behind the block's pooling; without pooling the map itself."""
    if block.pool == 1:
        return x_BHWC
    if block.pool_kind == MAX:
        return max_pool(x_BHWC, block.pool)
    pooled: Array = POOLS[block.pool_kind](windows_of(x_BHWC, block.pool))
    return pooled


def windows_of(x_BHWC: Array, size: int) -> Array:
    """Every whole window of size x size units: (B, H', W', size^2 in row-major order, C)."""
    batch, height, width, channels = x_BHWC.shape
    rows, columns = height // size, width // size
    whole = x_BHWC[:, : rows * size, : columns * size]
    grid = whole.reshape(batch, rows, size, columns, size, channels)
    return grid.transpose(0, 1, 3, 2, 4, 5).reshape(batch, rows, columns, size * size, channels)


def max_pool(x_BHWC: Array, size: int) -> Array:
    """The largest of every whole window, and its gradient to the first of equal ones.

    First along rows, then down columns: two short chains of selections instead of one over all
    members, which is as long as the window is large and whose gradient reads the map for each.
    """
    return _largest_of_groups(_largest_of_groups(x_BHWC, 2, size), 1, size)


def _largest_of_groups(array: Array, axis: int, size: int) -> Array:
    """The largest of every `size` neighbours along an axis; what fills no group is dropped."""
    from jax import lax

    groups = array.shape[axis] // size
    shape = (*array.shape[:axis], groups, size, *array.shape[axis + 1 :])
    grouped = lax.slice_in_dim(array, 0, groups * size, axis=axis).reshape(shape)
    return _chain(grouped, axis + 1)


def _chain(array: Array, axis: int) -> Array:
    """The largest along an axis, by one selection after another."""
    import jax.numpy as jnp
    from jax import lax

    size = array.shape[axis]
    members = [lax.index_in_dim(array, i, axis, keepdims=False) for i in range(size)]
    # A comparison has no gradient, so that the gradient follows the selected member alone.
    best = members[0]
    for member in members[1:]:
        best = jnp.where((member > best) | jnp.isnan(member), member, best)
    return best


def after(block: BlockLike, before: Map) -> Map:
    """The map behind the pooling."""
    height, width = (pool_output_size(size, block.pool) for size in (before.height, before.width))
    return before.through(height, width, before.channels, window=block.pool, stride=block.pool)


def layer(block: BlockLike, index: int, seen: Map, before: Map, after: Map) -> Layer | None:
    """The row `pool_INDEX`, where there is pooling."""
    if block.pool == 1:
        return None
    return Layer(f"pool_{index}", after.shape, 0, 0, after.seen())


def misfit(block: BlockLike, number: int, seen: Map, before: Map) -> tuple[str, str] | None:
    """Refuses a window larger than the map."""
    most = min(before.height, before.width)
    if pool_output_size(most, block.pool) >= 1:
        return None
    return (
        "pool",
        f"block {number} sees a {seen.height}x{seen.width} map, of which its convolution leaves "
        f"{most} and its pool window {block.pool} nothing; allowed here: 1 to {most}",
    )
