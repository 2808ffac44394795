"""The sum of a residual connection: a block's input is added to its map before the activation.

He et al. 2015 (arXiv 1512.03385): the input itself where the shapes agree, else a 1x1 projection
of it without bias. With `same` padding the projection takes every stride-th pixel from the first
on, as a 1x1 convolution of that stride does; with `valid` those under the middle of the kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnn_ablation.stages import convolution
from cnn_ablation.stages.maps import BlockLike, Layer, Map

if TYPE_CHECKING:
    from jax import Array

FIELDS = ("residual",)


def projects(block: BlockLike, seen: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether the connection needs a projection, from the shapes of a block's input and its map."""
    return bool(block.residual) and tuple(seen) != tuple(shape)


def shortcut(images_BHWC: Array, block: BlockLike, size: tuple[int, int]) -> Array:
    """The pixels of a block's input that its map's pixels are added to: (B, *size, C)."""
    from jax import lax

    inside = block.padding == "valid"
    start = (convolution.reach(block.kernel_size, block.dilation) - 1) // 2 if inside else 0
    ends = (start + (count - 1) * block.stride + 1 for count in size)
    batch, channels = images_BHWC.shape[0], images_BHWC.shape[-1]
    steps = (1, block.stride, block.stride, 1)
    return lax.slice(images_BHWC, (0, start, start, 0), (batch, *ends, channels), steps)


def after(block: BlockLike, before: Map) -> Map:
    """The same map."""
    return before


def layer(block: BlockLike, index: int, seen: Map, before: Map, after: Map) -> Layer | None:
    """The row `shortcut_INDEX`, where there is a projection."""
    if not projects(block, seen.shape, after.shape):
        return None
    weights = seen.channels * after.channels
    macs = after.height * after.width * weights
    return Layer(f"shortcut_{index}", after.shape, weights, macs, after.seen())


def misfit(block: BlockLike, number: int, seen: Map, before: Map) -> tuple[str, str] | None:
    """Nothing: any two maps can be brought together."""
    return None
