"""What surrounds a convolution in plain JAX: for accelerators, and for choices without a kernel."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax

from cnn_ablation.design import Block
from cnn_ablation.optimizers import Optimizer
from cnn_ablation.stages import ACTIVATIONS, activation, pixels, pooling

if TYPE_CHECKING:
    import optax


def gather(images_NHWC: jax.Array, indices_B: jax.Array) -> jax.Array:
    """A batch of images with its pixels scaled; see `lowerings.Lowering.gather`."""
    return pixels.scale(images_NHWC[indices_B])


def optimizer(of: Optimizer, learning_rate: Any) -> "optax.GradientTransformation":
    """An optimizer at a rate; see `lowerings.Lowering.optimizer`."""
    return of.build(learning_rate)


def with_bias(
    convolve: Callable[[jax.Array, jax.Array, Block], jax.Array],
) -> Callable[[jax.Array, jax.Array, jax.Array, Block], jax.Array]:
    """A convolution and, where the block has one, its bias: (images, kernel, bias_O, block)."""

    def biased(
        images_BHWC: jax.Array, kernel_HWIO: jax.Array, bias_O: jax.Array, block: Block
    ) -> jax.Array:
        x_BHWC = convolve(images_BHWC, kernel_HWIO, block)
        return x_BHWC + bias_O if block.bias else x_BHWC

    return biased


def dense(
    features_BD: jax.Array, kernel_DO: jax.Array, bias_O: jax.Array, name: str = "relu"
) -> jax.Array:
    """A Dense layer with the activation of a name."""
    activated: jax.Array = ACTIVATIONS[name](features_BD @ kernel_DO + bias_O)
    return activated


def finish(
    x_BHWC: jax.Array,
    scale: jax.Array | None,
    offset: jax.Array | None,
    shortcut_BHWC: jax.Array | None,
    block: Block,
) -> jax.Array:
    """A map scaled, offset and added to, activated and pooled; see `lowerings.Lowering.finish`."""
    if scale is not None:
        x_BHWC *= scale[:, None, None]
    if offset is not None:
        x_BHWC += offset[:, None, None]
    if shortcut_BHWC is not None:
        x_BHWC += shortcut_BHWC
    return pooling.pool(activation.activate(x_BHWC, block), block)
