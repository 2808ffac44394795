"""The block as XLA's own operations: best on accelerators, and what the tests compare with."""

import jax
import numpy as np
from jax import lax

from cnn_ablation.design import Block
from cnn_ablation.stages.convolution import convolve


def conv_block(
    images_BHWC: jax.Array, kernel_HWIO: jax.Array, bias_O: jax.Array, block: Block
) -> jax.Array:
    """Convolution, max-pool, bias and ReLU; see `cnn_ablation.network.lowerings.Lowering`."""
    features_BHWO = convolve(images_BHWC, kernel_HWIO, block)
    if block.pool > 1:
        window = (1, block.pool, block.pool, 1)
        # Only with a constant to start from is this JAX's max-pool, the one with a gradient.
        lowest = np.array(-np.inf, features_BHWO.dtype)
        features_BHWO = lax.reduce_window(features_BHWO, lowest, lax.max, window, window, "VALID")
    return jax.nn.relu(features_BHWO + bias_O)
