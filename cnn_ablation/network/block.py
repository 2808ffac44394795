"""A convolution block as Flax modules: fused by a lowering where it can be, else stage by stage."""

from typing import NamedTuple

from flax import linen as nn
from jax import Array, lax
from jax import numpy as jnp
from jax.nn import initializers

from cnn_ablation.design import Block
from cnn_ablation.network.lowerings import Lowering
from cnn_ablation.network.mode import Mode
from cnn_ablation.stages import (
    activation,
    convolution,
    dropout,
    normalization,
    pooling,
    residual,
)
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
    """A whole block in one: convolution, max-pool, bias and ReLU, as the lowering fuses them.

    Pooling before bias and ReLU gives the same values as after them, since both are monotonic,
    with fewer of them to compute. The gradient of a pooling window goes to its first maximum in
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
        x_BHWC = self.lowering.convolve(images_BHWC, kernel_HWIO, self.block)
        return x_BHWC + bias_O if self.block.bias else x_BHWC


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


class Normalization(nn.Module):
    """A block's norm, and a learned scale and offset for each channel.

    Batch norm keeps running statistics in the collection `batch_stats`: `mean` and `var`.

    Attributes:
        block: what the block is.
    """

    block: Block

    @nn.compact
    def __call__(self, x_BHWC: Array, mode: Mode) -> Array:
        """Normalizes maps; in training batch norm takes the batch's own statistics."""
        channels = x_BHWC.shape[-1]
        scale_C = self.param("scale", initializers.ones, (channels,), jnp.float32)
        bias_C = self.param("bias", initializers.zeros, (channels,), jnp.float32)
        full = x_BHWC.astype(jnp.float32)
        if self.block.norm == normalization.BATCH:
            mean_C, variance_C = self._statistics(full, mode)
            normal = normalization.standardize(full, mean_C, variance_C, self.block.norm_epsilon)
        else:
            normal = normalization.normalize(full, self.block)
        return (normal * scale_C + bias_C).astype(x_BHWC.dtype)

    def _statistics(self, x_BHWC: Array, mode: Mode) -> tuple[Array, Array]:
        """Batch norm's mean and variance by channel, of the batch in training, else running."""
        shape = (x_BHWC.shape[-1],)
        mean = self.variable("batch_stats", "mean", jnp.zeros, shape, jnp.float32)
        var = self.variable("batch_stats", "var", jnp.ones, shape, jnp.float32)
        if not mode.train:
            return mean.value, var.value
        moments = normalization.moments(x_BHWC, mode.weights(len(x_BHWC)), mode.axis_name)
        kept = self.block.norm_momentum
        for running, now in zip((mean, var), moments, strict=True):
            running.value = kept * running.value + (1 - kept) * lax.stop_gradient(now)
        return moments


def apply_block(
    images_BHWC: Array, block: Block, index: int, lowering: Lowering, drawn: Drawn, mode: Mode
) -> Array:
    """A block's maps; call it inside a compact module, whose layers it names by the layer table."""
    if not lowering.unsupported(block):
        return ConvBlock(block, lowering, drawn, name=f"conv_{index}")(images_BHWC)
    x_BHWC = Convolution(block, lowering, drawn, name=f"conv_{index}")(images_BHWC)
    if normalization.is_present(block):
        x_BHWC = Normalization(block, name=f"norm_{index}")(x_BHWC, mode)
    if block.residual:
        x_BHWC += Shortcut(block, drawn, name=f"shortcut_{index}")(images_BHWC, x_BHWC.shape)
    x_BHWC = pooling.pool(activation.activate(x_BHWC, block), block)
    return drop(x_BHWC, block.dropout, f"dropout_{index}", mode)


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
