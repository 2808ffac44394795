"""The block as XLA's own operations: best on accelerators, and what the tests compare with."""

import jax
import numpy as np
from jax import lax


def conv_block(
    images_BHWC: jax.Array,
    kernel_HWIO: jax.Array,
    bias_O: jax.Array,
    *,
    stride: int,
    padding: str,
    pool: int,
) -> jax.Array:
    """Convolution, max-pool, bias and ReLU; see `cnn_ablation.network.lowerings.conv_block`."""
    features_BHWO = lax.conv_general_dilated(
        images_BHWC,
        kernel_HWIO,
        (stride, stride),
        padding.upper(),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    if pool > 1:
        window = (1, pool, pool, 1)
        # Only with a constant to start from is this JAX's max-pool, the one with a gradient.
        lowest = np.array(-np.inf, features_BHWO.dtype)
        features_BHWO = lax.reduce_window(features_BHWO, lowest, lax.max, window, window, "VALID")
    return jax.nn.relu(features_BHWO + bias_O)
