"""Pixels as a network takes them.

Shape convention: B batch, H height, W width, C channels.
"""

import jax.numpy as jnp
from jax import Array


def scale(images_BHWC: Array) -> Array:
    """Scales uint8 pixels to 0..1 in float32, as the notebook does."""
    return images_BHWC.astype(jnp.float32) / 255.0
