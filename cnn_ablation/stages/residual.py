"""The sum of a residual connection: a block's input is added to its map before the activation.

He et al. 2015 (arXiv 1512.03385): the input itself where the shapes agree, else a 1x1 projection of
it without bias. The pixel that is added is the one under the middle of the kernel, so that strides
and `valid` padding take the same pixels from the input as the convolution is centred on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnn_ablation.stages import convolution
from cnn_ablation.stages.geometry import pad_before
from cnn_ablation.stages.maps import BlockLike, Layer, Map

if TYPE_CHECKING:
    from jax import Array

FIELDS = ("residual",)


def projects(block: BlockLike, seen: tuple[int, int, int], shape: tuple[int, int, int]) -> bool:
    """Whether the connection needs a projection, from the shapes of a block's input and its map."""
    return bool(block.residual) and tuple(seen) != tuple(shape)


def centres(images_BHWC: Array, block: BlockLike, size: tuple[int, int]) -> Array:
    """The input's pixels on which the convolution's windows are centred: (B, *size, C)."""
    from jax import lax

    reach = convolution.reach(block.kernel_size, block.dilation)
    batch, height, width, channels = images_BHWC.shape
    starts = [
        (reach - 1) // 2 - pad_before(full, reach, block.stride, block.padding)
        for full in (height, width)
    ]
    ends = [
        start + (count - 1) * block.stride + 1 for start, count in zip(starts, size, strict=True)
    ]
    return lax.slice(
        images_BHWC,
        (0, *starts, 0),
        (batch, *ends, channels),
        (1, block.stride, block.stride, 1),
    )


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
