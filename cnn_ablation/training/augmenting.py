"""Augmentation of a batch on the device: every image by a key of its own.

Shape convention: B batch, H height, W width, C channels.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array, lax

from cnn_ablation.augmentations import Augmentation
from cnn_ablation.network.mode import Mode
from cnn_ablation.training.state import BATCH_AXIS, TrainConfig

Change = Callable[[Array], Array]


def augmenting(config: TrainConfig, key: Array, step: Array | int, count: int) -> Change | None:
    """What a step does to its uint8 images_BHWC; None where they stay as they are.

    An image's key follows from the step's, the augmentation's name and the image's place in the
    whole batch: it is the same however the batch is cut over devices, and whatever other
    augmentations there are.

    Args:
        config: what is trained and how.
        key: PRNG key of the epoch's noise.
        step: number of the step in its epoch; layers derive their keys from the step's, by names.
        count: images of this device's part of the batch.
    """
    if not config.training.augment:
        return None
    axis_name = BATCH_AXIS if config.shards > 1 else None
    mode = Mode(True, key=jax.random.fold_in(key, step), axis_name=axis_name)
    places_B = mode.first_example(count) + jnp.arange(count)

    def change(images_BHWC: Array) -> Array:
        for augmentation in config.training.augment:
            images_BHWC = _each(augmentation, images_BHWC, mode, places_B)
        return images_BHWC

    return change


def _each(augmentation: Augmentation, images_BHWC: Array, mode: Mode, places_B: Array) -> Array:
    own = mode.key_of(f"augment_{augmentation.name}")
    keys_B = jax.vmap(jax.random.fold_in, (None, 0))(own, places_B)
    # Or XLA gathers an image, or changes it, anew for every pixel that the next change looks at.
    images_BHWC = lax.optimization_barrier(images_BHWC)
    changed: Array = jax.vmap(augmentation.change)(images_BHWC, keys_B)
    return changed
