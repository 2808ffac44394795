"""A convolution block as Flax modules: fused by a lowering where it can be, else stage by stage."""

from typing import NamedTuple

from flax import linen as nn
from jax import Array, lax
from jax import numpy as jnp
from jax.nn import initializers

from cnn_ablation.design import Block
from cnn_ablation.network.lowerings import Lowering
from cnn_ablation.network.mode import Mode
from cnn_ablation.stages import convolution, dropout, normalization, residual
from cnn_ablation.stages.initializers import Initializer


class Drawn(NamedTuple):
    """How parameters begin.

    Attributes:
        kernel: draws a kernel from a key and a shape.
        bias: value of every bias.
    """

    kernel: Initializer
    bias: float


class ConvBlock(nn.Module):
    """A whole block in one: convolution, bias, activation and pooling, as the lowering fuses them.

    A maximum before the bias and a monotonic activation gives the same values as after them, with
    fewer of them to compute. The gradient of a pooling window goes to its first maximum in
    row-major order, and that of ReLU at zero is zero, in every lowering.

    Attributes:
        block: what the block is.
        lowering: computes it.
        drawn: how its parameters begin.
    """

    block: Block
    lowering: Lowering
    drawn: Drawn

    @nn.compact
    def __call__(self, images_BHWC: Array) -> Array:
        """Maps a batch of maps to the next, of `block.features` channels."""
        kernel_HWIO, bias_O = _kernel_and_bias(self, images_BHWC)
        return self.lowering.block(images_BHWC, kernel_HWIO, bias_O, self.block)


class Convolution(nn.Module):
    """A block's convolution and bias alone, with the parameters of `ConvBlock`.

    Attributes:
        block: what the block is.
        lowering: computes the convolution.
        drawn: how its parameters begin.
    """

    block: Block
    lowering: Lowering
    drawn: Drawn

    @nn.compact
    def __call__(self, images_BHWC: Array) -> Array:
        """Maps a batch of maps to the next, of `block.features` channels."""
        kernel_HWIO, bias_O = _kernel_and_bias(self, images_BHWC)
        convolve = self.lowering.convolution_of(self.block)
        return convolve(images_BHWC, kernel_HWIO, bias_O, self.block)


class Shortcut(nn.Module):
    """What a residual connection adds: a block's input, projected where the shapes differ.

    Attributes:
        block: what the block is.
        drawn: how its parameters begin.
    """

    block: Block
    drawn: Drawn

    @nn.compact
    def __call__(self, images_BHWC: Array, shape: tuple[int, ...]) -> Array:
        """Maps a block's input to the shape (B, H', W', O) of its map."""
        _, height, width, channels = shape
        if not residual.projects(self.block, images_BHWC.shape[1:], (height, width, channels)):
            return images_BHWC
        taken_BHWC = residual.shortcut(images_BHWC, self.block, (height, width))
        kernel_shape = (1, 1, images_BHWC.shape[-1], channels)
        kernel_HWIO = self.param("kernel", self.drawn.kernel, kernel_shape, jnp.float32)
        return taken_BHWC @ kernel_HWIO[0, 0].astype(images_BHWC.dtype)


class Affine(NamedTuple):
    """A map, and what it is to be multiplied by and added to; None for what changes nothing.

    Attributes:
        x_BHWC: the map.
        scale: (B, C) or (1, C).
        offset: likewise.
    """

    x_BHWC: Array
    scale: Array | None = None
    offset: Array | None = None


class Normalization(nn.Module):
    """A block's norm, and a learned scale and offset for each channel, as one affine function.

    Batch norm keeps running statistics in the collection `batch_stats`: `mean` and `var`.

    Attributes:
        block: what the block is.
        lowering: computes the statistics.
    """

    block: Block
    lowering: Lowering

    @nn.compact
    def __call__(self, x_BHWC: Array, mode: Mode) -> Affine:
        """Normalizes maps; in training batch norm takes the batch's own statistics."""
        channels = x_BHWC.shape[-1]
        scale_1C = self.param("scale", initializers.ones, (channels,), jnp.float32)[None]
        offset_1C = self.param("bias", initializers.zeros, (channels,), jnp.float32)[None]
        x_BHWC = x_BHWC.astype(jnp.float32)
        epsilon = self.block.norm_epsilon
        if self.block.norm == normalization.BATCH:
            mean, variance = (moment_C[None] for moment_C in self._of_batch(x_BHWC, mode))
        elif self.block.norm == normalization.GROUP:
            of_images, pixels = self.lowering.moments(x_BHWC), _pixels(x_BHWC)
            mean, variance = normalization.over_groups(of_images, pixels, self.block.norm_groups)
        elif self.block.norm == normalization.LAYER:
            return Affine(self.lowering.normalize_channels(x_BHWC, epsilon), scale_1C, offset_1C)
        else:
            normalize = normalization.NORMS[self.block.norm]
            return Affine(normalize(x_BHWC, epsilon), scale_1C, offset_1C)
        scale = scale_1C * lax.rsqrt(variance + epsilon)
        return Affine(x_BHWC, scale, offset_1C - mean * scale)

    def _of_batch(self, x_BHWC: Array, mode: Mode) -> normalization.Moments:
        """Batch norm's mean and variance by channel, of the batch in training, else running."""
        shape = (x_BHWC.shape[-1],)
        mean = self.variable("batch_stats", "mean", jnp.zeros, shape, jnp.float32)
        var = self.variable("batch_stats", "var", jnp.ones, shape, jnp.float32)
        if not mode.train:
            return mean.value, var.value
        of_images, weights_B = self.lowering.moments(x_BHWC), mode.weights(len(x_BHWC))
        moments = normalization.over_batch(of_images, _pixels(x_BHWC), weights_B, mode.axis_name)
        kept = self.block.norm_momentum
        for running, now in zip((mean, var), moments, strict=True):
            running.value = kept * running.value + (1 - kept) * lax.stop_gradient(now)
        return moments


def apply_block(
    images_BHWC: Array, block: Block, index: int, lowering: Lowering, drawn: Drawn, mode: Mode
) -> Array:
    """A block's maps; call it inside a compact module, whose layers it names by the layer table."""
    if not lowering.unsupported(block):
        x_BHWC = ConvBlock(block, lowering, drawn, name=f"conv_{index}")(images_BHWC)
        return drop(x_BHWC, block.dropout, f"dropout_{index}", mode)
    x_BHWC = Convolution(block, lowering, drawn, name=f"conv_{index}")(images_BHWC)
    affine = Affine(x_BHWC)
    if normalization.is_present(block):
        affine = Normalization(block, lowering, name=f"norm_{index}")(x_BHWC, mode)
    shortcut = None
    if block.residual:
        shortcut = Shortcut(block, drawn, name=f"shortcut_{index}")(images_BHWC, x_BHWC.shape)
    finished = lowering.finish_of(block)(*affine, shortcut, block).astype(x_BHWC.dtype)
    return drop(finished, block.dropout, f"dropout_{index}", mode)


def _pixels(x_BHWC: Array) -> int:
    return int(x_BHWC.shape[1] * x_BHWC.shape[2])


def drop(x: Array, rate: float, layer: str, mode: Mode) -> Array:
    """Maps, or flat features, with a share of them dropped in training by the layer's own key."""
    if rate == 0 or not mode.train:
        return x
    return dropout.drop(x, rate, mode.key_of(layer), mode.first_example(len(x)))


def _kernel_and_bias(module: ConvBlock | Convolution, images_BHWC: Array) -> tuple[Array, Array]:
    """A module's `kernel` and `bias` in the images' number format; zeros where it has no bias."""
    block, drawn = module.block, module.drawn
    shape = convolution.kernel_shape(block, images_BHWC.shape[-1])
    kernel_HWIO = module.param("kernel", drawn.kernel, shape, jnp.float32)
    begin = initializers.constant(drawn.bias)
    bias_O = (
        module.param("bias", begin, (block.features,), jnp.float32)
        if block.bias
        else jnp.zeros(block.features)
    )
    return kernel_HWIO.astype(images_BHWC.dtype), bias_O.astype(images_BHWC.dtype)
