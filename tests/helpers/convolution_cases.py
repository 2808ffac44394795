"""What the tests of the convolution block share: blocks, their inputs, and what `lax` computes."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from cnn_ablation.design import Block
from cnn_ablation.network.lowerings import lowering_of

OURS = ["native", "banded"]
Arrays = tuple[jax.Array, jax.Array, jax.Array]

BLOCKS: tuple[dict[str, Any], ...] = (
    {"stride": 1, "padding": "valid", "pool": 2},
    {"stride": 2, "padding": "same", "pool": 1},
)


def reference(images: jax.Array, kernel: jax.Array, bias: jax.Array, **shape: Any) -> jax.Array:
    """Convolution, bias, ReLU and pooling in the order of the notebook."""
    stride, pool = shape["stride"], shape["pool"]
    outputs = lax.conv_general_dilated(
        images,
        kernel,
        (stride, stride),
        shape["padding"].upper(),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    window = (1, pool, pool, 1)
    # ReLU last: after it, ties at zero would hide which member the gradient goes to.
    outputs = lax.reduce_window(outputs, -jnp.inf, lax.max, window, window, "VALID")
    return jnp.where(outputs + bias > 0, outputs + bias, 0.0)


def conv_block(
    images_BHWC: jax.Array,
    kernel_HWIO: jax.Array,
    bias_O: jax.Array,
    *,
    stride: int,
    padding: str,
    pool: int,
    lowering: str,
) -> jax.Array:
    """A fused block by one of the lowerings; the kernel need not be square."""
    block = Block(kernel_HWIO.shape[-1], kernel_HWIO.shape[0], stride, padding, pool)
    return lowering_of(lowering).block(images_BHWC, kernel_HWIO, bias_O, block)


def integers(shape: tuple[int, ...], seed: int) -> jax.Array:
    values = np.random.default_rng(seed).integers(-3, 4, shape)
    return jnp.asarray(values, jnp.float32)


def arrays(images_shape: tuple[int, ...], kernel_shape: tuple[int, ...]) -> Arrays:
    return integers(images_shape, 0), integers(kernel_shape, 1), integers(kernel_shape[-1:], 2)


def values_and_gradients(block: Any, inputs: Arrays) -> tuple[jax.Array, ...]:
    """Outputs, and the gradients at all inputs of a weighted sum of them, jitted."""

    @jax.jit
    def run(inputs: Arrays) -> tuple[jax.Array, ...]:
        outputs, pull_back = jax.vjp(block, *inputs)
        weights = (jnp.arange(outputs.size) % 7 - 3.0).reshape(outputs.shape)
        return outputs, *pull_back(weights)

    return run(inputs)
