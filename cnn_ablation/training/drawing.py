"""What a seed draws of the training data, and the statistics of what it drew.

Shape convention: N examples, H height, W width, C channels.
"""

import jax
import jax.numpy as jnp
from jax import Array, lax

from cnn_ablation.design.data import STANDARDIZE
from cnn_ablation.network.lowerings import lowering_of
from cnn_ablation.stages import pixels
from cnn_ablation.training.state import Examples, InputStats, TrainConfig


def draw_examples(key: Array, count: int, config: TrainConfig) -> Array | None:
    """Which of `count` examples a seed trains on; None where all.

    The same key draws the same order for every share, so that a smaller one lies inside a larger.
    """
    wanted = config.data.train_examples(count)
    return (
        None if wanted == count else lowering_of(config.lowering).permutation(key, count)[:wanted]
    )


def draw_labels(key: Array, labels_N: Array, config: TrainConfig) -> Array:
    """The labels with a share of them wrong, each of the other classes as likely as another.

    What is wrong at one share is so, with the same class, at every larger one.
    """
    share, classes = config.data.label_noise, config.network.classes
    if share == 0:
        return labels_N
    chance_key, class_key = jax.random.split(key)
    wrong_N = jax.random.uniform(chance_key, labels_N.shape) < share
    ahead_N = jax.random.randint(class_key, labels_N.shape, 1, max(classes, 2))
    return jnp.where(wrong_N, (labels_N + ahead_N) % classes, labels_N)


def initial_input_stats(config: TrainConfig) -> InputStats:
    """Statistics that change nothing, where pixels are standardized; else None."""
    if config.data.input_norm != STANDARDIZE:
        return None
    zeros_C = jnp.zeros(config.network.image_shape[-1], jnp.float32)
    return {"mean": zeros_C, "std": zeros_C}


def measure_input(
    examples: Examples, subset: Array | None, stats: dict[str, Array]
) -> dict[str, Array]:
    """Mean and standard deviation of each channel of the images trained on, pixels from 0 to 1.

    They are measured once, in the first epoch.

    Args:
        examples: the training split.
        subset: which of its examples are trained on; None is all.
        stats: what was measured before, or what `initial_input_stats` gave.
    """
    measured: dict[str, Array] = lax.cond(
        jnp.any(stats["std"] > 0), lambda: stats, lambda: _measured(examples, subset)
    )
    return measured


def _measured(examples: Examples, subset: Array | None) -> dict[str, Array]:
    def mean(values_NHWC: Array) -> Array:
        # By image first: a single sum of all pixels would lose digits of float32.
        of_each_NC = jnp.mean(values_NHWC, axis=(1, 2))
        return jnp.mean(of_each_NC if subset is None else of_each_NC[subset], axis=0)

    pixels_NHWC = pixels.scale(examples.images_NHWC)
    middle_C = mean(pixels_NHWC)
    return {"mean": middle_C, "std": jnp.sqrt(mean(jnp.square(pixels_NHWC - middle_C)))}
