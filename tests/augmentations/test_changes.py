"""Augmentations of one image: what each may do, and how often."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cnn_ablation.augmentations.changes import AUGMENTATIONS, Augmentation, Erase, Flip, Shift

COUNT = 2000
IMAGE_HWC = np.arange(1, 1 + 9 * 7 * 2, dtype=np.uint8).reshape(9, 7, 2)


def changed(augmentation: Augmentation, image_HWC: Any = IMAGE_HWC, seed: int = 0) -> np.ndarray:
    """One image changed by many keys."""
    keys_N = jax.random.split(jax.random.key(seed), COUNT)
    change = jax.jit(jax.vmap(augmentation.change, (None, 0)))
    return np.asarray(change(jnp.asarray(image_HWC), keys_N))


def moved(down: int, right: int) -> np.ndarray:
    """The image moved, by plain indexing."""
    found = np.zeros_like(IMAGE_HWC)
    height, width, _ = IMAGE_HWC.shape
    for row in range(height):
        for column in range(width):
            if 0 <= row - down < height and 0 <= column - right < width:
                found[row, column] = IMAGE_HWC[row - down, column - right]
    return found


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_shape_and_type_stay_and_a_key_always_does_the_same(name: str) -> None:
    images = changed(AUGMENTATIONS[name]())
    assert images.shape == (COUNT, *IMAGE_HWC.shape)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, changed(AUGMENTATIONS[name]()))
    assert not np.array_equal(images, changed(AUGMENTATIONS[name](), seed=1))
    assert len({image.tobytes() for image in images}) > 1


def test_a_shift_is_every_shift_up_to_the_largest_and_bares_black() -> None:
    images = changed(Shift(shift_pixels=2))
    expected = {moved(down, right).tobytes(): 0 for down in range(-2, 3) for right in range(-2, 3)}
    for image in images:
        expected[image.tobytes()] += 1  # any other image is a KeyError
    # 25 shifts, each 80 times of 2,000 with a standard deviation of 9.
    assert min(expected.values()) > 40
    assert max(expected.values()) < 120


def test_a_flip_mirrors_half_of_the_images() -> None:
    images = changed(Flip())
    mirrored = (images == IMAGE_HWC[:, ::-1]).all((1, 2, 3))
    assert (images[~mirrored] == IMAGE_HWC).all()
    assert mirrored.mean() == pytest.approx(0.5, abs=0.05)


def test_erasing_blackens_a_rectangle_of_a_share_of_the_images() -> None:
    image_HWC = np.full((20, 30, 1), 9, np.uint8)
    images = changed(Erase(erase_share=0.75), image_HWC)[..., 0]
    assert set(np.unique(images)) == {0, 9}
    holes = images == 0
    erased = holes.any((1, 2))
    assert erased.mean() == pytest.approx(0.75, abs=0.04)
    sizes, shapes = [], set()
    for hole in holes[erased]:
        rows, columns = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
        tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert hole.sum() == tall * wide, "a rectangle"
        sizes.append(hole.mean())
        shapes.add((tall > wide, rows[0] == 0, columns[0] == 0))
    assert 0.01 < min(sizes) < 0.04
    assert 0.29 < max(sizes) < 0.36
    assert np.mean(sizes) == pytest.approx((0.02 + 0.33) / 2, abs=0.02)
    assert len(shapes) > 4, "of any proportions, anywhere"
    assert (changed(Erase(erase_share=1.0), image_HWC) == 0).any((1, 2, 3)).all()
