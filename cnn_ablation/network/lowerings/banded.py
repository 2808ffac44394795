"""The block in plain JAX for the CPU: matrix products only, whose gradients are fast in a scan.

XLA runs the gradients of a convolution inside a loop on the CPU as naive loops (jax-ml/jax#12868).
Here several neighbouring output columns come from one row of a matrix product: that row holds the
pixels under all of them, and the kernel is expanded into a band with one copy of itself per column.
A stride is first turned into channels, so that every slice is contiguous.
"""

import jax
import jax.numpy as jnp
from jax import lax

from cnn_ablation.design import Block
from cnn_ablation.stages.geometry import conv_output_size, pad_before
from cnn_ablation.stages.pooling import max_pool

# Columns at which a matrix product is efficient enough to pay for the zeros of a wider band.
_PRODUCT_COLUMNS = 64


def conv_block(
    images_BHWC: jax.Array, kernel_HWIO: jax.Array, bias_O: jax.Array, block: Block
) -> jax.Array:
    """Convolution, max-pool, bias and ReLU; see `cnn_ablation.network.lowerings.Lowering`."""
    dtype = images_BHWC.dtype
    images_BHWC, kernel_HWIO, bias_O = (
        array.astype(jnp.float32) for array in (images_BHWC, kernel_HWIO, bias_O)
    )
    features_BHWO = _convolve(images_BHWC, kernel_HWIO, block.stride, block.padding)
    if block.pool > 1:
        features_BHWO = max_pool(features_BHWO, block.pool)
    return jax.nn.relu(features_BHWO + bias_O).astype(dtype)


def convolve(images_BHWC: jax.Array, kernel_HWIO: jax.Array, block: Block) -> jax.Array:
    """The convolution alone, without bias."""
    images, kernel = (array.astype(jnp.float32) for array in (images_BHWC, kernel_HWIO))
    return _convolve(images, kernel, block.stride, block.padding).astype(images_BHWC.dtype)


def _convolve(
    images_BHWC: jax.Array, kernel_HWIO: jax.Array, stride: int, padding: str
) -> jax.Array:
    batch, *image_size, _ = images_BHWC.shape
    *kernel_size, channels, features = kernel_HWIO.shape
    out_height, out_width = (
        conv_output_size(size, window, stride, padding)
        for size, window in zip(image_size, kernel_size, strict=True)
    )
    # Sizes of the kernel in steps of the stride: what is left to do is a convolution of stride 1.
    rows, columns = (-(-window // stride) for window in kernel_size)
    together = min(max(_PRODUCT_COLUMNS // features, 1), 4 if stride == 1 else 2, out_width)
    blocks = -(-out_width // together)
    # A block of columns reads its own pixels and the first `columns - 1` of the blocks after it.
    shifts = -(-(together + columns - 1) // together)

    before = [
        pad_before(size, window, stride, padding)
        for size, window in zip(image_size, kernel_size, strict=True)
    ]
    pixels = _stride_to_channels(
        images_BHWC, stride, before, (out_height + rows - 1, (blocks + shifts - 1) * together)
    )
    kernel_as_image = kernel_HWIO.reshape(1, *kernel_size, channels * features)
    kernel_HWIO = _stride_to_channels(kernel_as_image, stride, (0, 0), (rows, columns)).reshape(
        rows, columns, stride * stride * channels, features
    )
    patches = _patches(pixels, out_height, rows, columns, together, blocks)
    product = patches @ _band(kernel_HWIO, together)
    return product.reshape(batch, out_height, blocks * together, features)[:, :, :out_width]


def _stride_to_channels(
    images_BHWC: jax.Array,
    stride: int,
    before: tuple[int, int] | list[int],
    size: tuple[int, int],
) -> jax.Array:
    """Pad or cut images to `size` squares of stride x stride pixels, and make squares pixels."""
    batch, *image_size, channels = images_BHWC.shape
    after = [
        count * stride - pixels - zeros
        for count, pixels, zeros in zip(size, image_size, before, strict=True)
    ]
    widths = [(0, 0, 0), (before[0], after[0], 0), (before[1], after[1], 0), (0, 0, 0)]
    padded = lax.pad(images_BHWC, jnp.zeros((), images_BHWC.dtype), widths)
    if stride == 1:
        return padded
    squares = padded.reshape(batch, size[0], stride, size[1], stride, channels)
    return squares.transpose(0, 1, 3, 2, 4, 5).reshape(batch, *size, stride * stride * channels)


def _patches(
    pixels_BHWC: jax.Array, out_height: int, rows: int, columns: int, together: int, blocks: int
) -> jax.Array:
    """For every output row and block of columns the pixels that it sees, as one flat vector."""
    batch, _, _, channels = pixels_BHWC.shape
    seen = together + columns - 1
    pieces = []
    for row in range(rows):
        for first in range(0, seen, together):
            window = pixels_BHWC[:, row : row + out_height, first : first + blocks * together]
            piece = window.reshape(batch, out_height, blocks, together * channels)
            pieces.append(piece[..., : (seen - first) * channels])
    return jnp.concatenate(pieces, axis=-1)


def _band(kernel_HWIO: jax.Array, together: int) -> jax.Array:
    """Expand a kernel to the matrix that maps a patch to `together` neighbouring columns."""
    _, _, _, features = kernel_HWIO.shape
    copies = [
        jnp.pad(kernel_HWIO, ((0, 0), (column, together - 1 - column), (0, 0), (0, 0)))
        for column in range(together)
    ]
    return jnp.stack(copies, axis=-2).reshape(-1, together * features)
