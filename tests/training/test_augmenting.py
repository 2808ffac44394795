"""Augmentation in training: a function of seed, epoch, step and place in the batch.

That it is the same on any number of devices is in test_modes.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cnn_ablation.augmentations import AUGMENTATIONS, Augmentation, register_augmentation
from cnn_ablation.design import NetworkSpec, TrainingSpec
from cnn_ablation.training.augmenting import augmenting
from cnn_ablation.training.batches import take
from cnn_ablation.training.state import Examples, TrainConfig
from cnn_ablation.training.steps import create_train_state, evaluate, train_epoch

NETWORK = NetworkSpec(features=(2, 3), hidden=5, classes=4, image_shape=(8, 9, 2))
TRAINING = TrainingSpec(batch_size=16, augment=("shift", "flip", "erase"))
CONFIG = TrainConfig(NETWORK, TRAINING, "xla")
# Most of the time is XLA's compiling, which need not make these programs fast.
QUICK: dict[str, str | bool] = {"xla_backend_optimization_level": "0"}
epoch = jax.jit(train_epoch, static_argnums=4, compiler_options=QUICK)
create = jax.jit(create_train_state, static_argnums=1, compiler_options=QUICK)


def examples(count: int = 37) -> Examples:
    generator = np.random.default_rng(0)
    images_NHWC = generator.integers(1, 256, (count, 8, 9, 2), dtype=np.uint8)
    labels_N = generator.integers(0, 4, count)
    return Examples(jnp.asarray(images_NHWC), jnp.asarray(labels_N, jnp.int32))


def augmented(training: TrainingSpec, seed: int = 0, count: int = 37) -> np.ndarray:
    change = augmenting(CONFIG._replace(training=training), jax.random.key(seed), 0, count)
    batch = take(examples(), jnp.arange(count), jnp.ones(count), change)
    return np.asarray(batch.images_BHWC)


def test_every_image_of_a_batch_has_noise_of_its_own() -> None:
    same = Examples(jnp.ones((30, 8, 9, 2), jnp.uint8) * 255, jnp.zeros(30, jnp.int32))
    change = augmenting(CONFIG, jax.random.key(0), 0, 30)
    images = np.asarray(take(same, jnp.arange(30), jnp.ones(30), change).images_BHWC)
    assert len({image.tobytes() for image in images}) > 15
    assert images.min() >= 0
    assert images.max() <= 1


def test_an_augmentation_does_the_same_beside_others_and_in_a_smaller_batch() -> None:
    alone = augmented(TrainingSpec(augment="flip"))
    np.testing.assert_array_equal(alone[:5], augmented(TrainingSpec(augment="flip"), count=5))
    both = augmented(TrainingSpec(augment=("shift", "flip"), shift_pixels=1))
    shifted = augmented(TrainingSpec(augment="shift", shift_pixels=1))
    plain = np.asarray(take(examples(), jnp.arange(37), jnp.ones(37)).images_BHWC)
    flipped = (alone != plain).any((1, 2, 3))
    np.testing.assert_array_equal(both[~flipped], shifted[~flipped])
    np.testing.assert_array_equal(both[flipped], shifted[flipped][:, :, ::-1])


def test_epochs_and_seeds_augment_differently_and_the_same_seed_alike() -> None:
    state = create(jnp.int32(5), CONFIG)
    losses = [
        float(epoch(state, examples(), jnp.int32(seed), jnp.int32(number), CONFIG)[1].loss)
        for seed, number in ((5, 1), (5, 1), (5, 2), (6, 1))
    ]
    assert losses[0] == losses[1]
    assert len(set(losses)) == 3


def test_nothing_is_augmented_in_evaluation_and_nothing_without_being_asked() -> None:
    state = create(jnp.int32(5), CONFIG)
    plain = CONFIG._replace(training=TrainingSpec(batch_size=16))
    assert augmenting(plain, jax.random.key(0), 0, 3) is None
    figures = [evaluate(state.variables, examples(), config) for config in (CONFIG, plain)]
    assert float(figures[0].loss) == float(figures[1].loss)


def test_an_augmentation_of_a_users_own_is_used() -> None:
    @register_augmentation("invert")
    @dataclasses.dataclass(frozen=True)
    class Invert(Augmentation):
        def change(self, image_HWC: Any, key: Any) -> Any:
            return 255 - image_HWC

    try:
        images = augmented(TrainingSpec(augment="invert"))
        plain = np.asarray(take(examples(), jnp.arange(37), jnp.ones(37)).images_BHWC)
        np.testing.assert_allclose(images, 1 - plain, atol=1e-6)
    finally:
        AUGMENTATIONS.unregister("invert")
