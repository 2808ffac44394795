"""Convolution: cross-correlation of a map with square kernels, and a bias for each output channel.

Formulas: Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning"
(arXiv 1603.07285), relationships 5 to 7, and 15 for dilated kernels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnn_ablation.stages.geometry import conv_output_size, pad_before
from cnn_ablation.stages.maps import BlockLike, Layer, Map

if TYPE_CHECKING:
    from jax import Array

FIELDS = ("features", "kernel_size", "stride", "padding", "dilation", "groups", "bias")


def reach(taps: int, dilation: int) -> int:
    """Pixels along one axis from the first tap of a kernel to its last, both counted."""
    return (taps - 1) * dilation + 1


def kernel_shape(block: BlockLike, channels: int) -> tuple[int, int, int, int]:
    """Shape of the kernel: (height, width, input channels of a group, output channels)."""
    return block.kernel_size, block.kernel_size, channels // block.groups, block.features


def after(block: BlockLike, before: Map) -> Map:
    """The map behind the convolution."""
    height, width = (_output_size(block, size) for size in (before.height, before.width))
    return before.through(height, width, block.features, window=_window(block), stride=block.stride)


def layer(block: BlockLike, index: int, seen: Map, before: Map, after: Map) -> Layer:
    """The row `conv_INDEX`: kernel and, where there is one, bias."""
    height, width, inputs, outputs = kernel_shape(block, before.channels)
    weights = height * width * inputs * outputs
    macs = after.height * after.width * weights
    params = weights + (outputs if block.bias else 0)
    return Layer(f"conv_{index}", after.shape, params, macs, after.seen())


def misfit(block: BlockLike, number: int, seen: Map, before: Map) -> tuple[str, str] | None:
    """Refuses groups that do not share the channels, and a kernel that does not fit a map."""
    for name, count in (("input channels", before.channels), ("features", block.features)):
        if count % block.groups:
            return "groups", f"must divide the {count} {name} of block {number}"
    side = min(before.height, before.width)
    if _output_size(block, side) >= 1:
        return None
    sees = f"block {number} sees a {before.height}x{before.width} map, into which its"
    kernel = f"{block.kernel_size}x{block.kernel_size} {block.padding} kernel"
    if block.dilation > 1 and block.kernel_size <= side:
        most = (side - 1) // (block.kernel_size - 1)
        dilated = f"{kernel} of dilation {block.dilation} does"
        return "dilation", f"{sees} {dilated} not fit; allowed here: 1 to {most}"
    return "kernel_size", f"{sees} {kernel} does not fit; allowed here: 1 to {side}"


def convolve(images_BHWC: Array, kernel_HWIO: Array, block: BlockLike) -> Array:
    """The convolution without its bias, as XLA's own operation: (B, H', W', O)."""
    from jax import lax

    return lax.conv_general_dilated(
        images_BHWC,
        kernel_HWIO,
        (block.stride, block.stride),
        block.padding.upper(),
        rhs_dilation=(block.dilation, block.dilation),
        feature_group_count=block.groups,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def convolve_by_products(images_BHWC: Array, kernel_HWIO: Array, block: BlockLike) -> Array:
    """The same as matrix products, for the CPU: (B, H', W', O).

    XLA runs the gradients of a convolution inside a loop on the CPU as naive loops
    (jax-ml/jax#12868). Here every tap of the kernel is a slice of the map, and all of them
    together are one matrix product.
    """
    import jax.numpy as jnp
    from jax import lax

    height, width, channels = images_BHWC.shape[1:]
    rows, columns, inputs, outputs = kernel_HWIO.shape
    step, apart = block.stride, block.dilation
    spans = ((height, reach(rows, apart)), (width, reach(columns, apart)))
    out_height, out_width = (
        conv_output_size(size, window, step, block.padding) for size, window in spans
    )
    widths = []
    for (size, window), out in zip(spans, (out_height, out_width), strict=True):
        before = pad_before(size, window, step, block.padding)
        widths.append((before, max((out - 1) * step + window - before - size, 0)))
    padded = jnp.pad(images_BHWC, ((0, 0), *widths, (0, 0)))
    batch = padded.shape[0]
    taps = [
        lax.slice(
            padded,
            (0, row, column, 0),
            (
                batch,
                row + (out_height - 1) * step + 1,
                column + (out_width - 1) * step + 1,
                channels,
            ),
            (1, step, step, 1),
        )
        for row in range(0, rows * apart, apart)
        for column in range(0, columns * apart, apart)
    ]
    kernel_TIO = kernel_HWIO.reshape(rows * columns, inputs, outputs)
    if block.groups == 1:
        return jnp.concatenate(taps, axis=-1) @ kernel_TIO.reshape(-1, outputs)
    return _sum_of_groups(taps, kernel_TIO, block.groups)


def _sum_of_groups(taps: list[Array], kernel_TIO: Array, groups: int) -> Array:
    """Taps (B, H, W, C) and their weights to outputs, each group of channels to its own."""
    import jax.numpy as jnp

    _, inputs, outputs = kernel_TIO.shape
    shape = (*taps[0].shape[:-1], groups)
    weights_TIGO = kernel_TIO.reshape(len(taps), inputs, groups, outputs // groups)
    if inputs == 1:
        # Depthwise: a product of matrices with one column each would be slower than what it is.
        parts = [
            tap.reshape(*shape, 1) * weights_GO
            for tap, (weights_GO,) in zip(taps, weights_TIGO, strict=True)
        ]
        return sum(parts[1:], parts[0]).reshape(*taps[0].shape[:-1], outputs)
    patches = jnp.concatenate([tap.reshape(*shape, inputs) for tap in taps], axis=-1)
    weights = weights_TIGO.reshape(len(taps) * inputs, groups, outputs // groups)
    products = jnp.einsum("bhwgp,pgo->bhwgo", patches, weights)
    return products.reshape(*taps[0].shape[:-1], outputs)


def _output_size(block: BlockLike, size: int) -> int:
    return conv_output_size(size, _window(block), block.stride, block.padding)


def _window(block: BlockLike) -> int:
    return reach(block.kernel_size, block.dilation)
