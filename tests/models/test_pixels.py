"""Pixels as they come: every form of an image gives the same, and anything else one clear line."""

from typing import Any

import numpy as np
import pytest

from cnn_ablation.errors import InputError
from cnn_ablation.models.pixels import checked_pixels

GREY, COLOUR = (4, 5, 1), (4, 5, 3)
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("shape", "image_shape", "batch", "single"),
    [
        ((4, 5), GREY, 1, True),
        ((4, 5, 1), GREY, 1, True),
        ((7, 4, 5), GREY, 7, False),
        ((7, 4, 5, 1), GREY, 7, False),
        ((4, 5, 3), COLOUR, 1, True),
        ((7, 4, 5, 3), COLOUR, 7, False),
        ((4, 4, 5), GREY, 4, False),
    ],
)
def test_every_form_is_a_batch(
    shape: tuple[int, ...], image_shape: tuple[int, int, int], batch: int, single: bool
) -> None:
    images = RNG.integers(0, 256, shape, np.uint8)
    found, alone = checked_pixels(images, image_shape)
    assert found.shape == (batch, *image_shape)
    assert alone == single
    np.testing.assert_array_equal(found.ravel(), images.ravel())


def test_whole_numbers_stay_and_floats_are_shares() -> None:
    whole = RNG.integers(0, 256, GREY, np.int64)
    assert checked_pixels(whole, GREY)[0].dtype == np.uint8
    assert checked_pixels(whole.tolist(), GREY)[0].dtype == np.uint8
    shares, _ = checked_pixels(whole / 255, GREY)
    assert shares.dtype == np.float32
    assert shares.max() <= 1


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (np.zeros((5, 4), np.uint8), r"have the shape \(5, 4\); must be \(4, 5, 1\)"),
        (np.zeros((0, 4, 5), np.uint8), "have the shape"),
        (np.zeros((2, 4, 5, 3), np.uint8), "have the shape"),
        (np.full((4, 5), 256), "hold 256 to 256; whole numbers must be 0 to 255"),
        (np.full((4, 5), -1), "hold -1 to -1"),
        (np.full((4, 5), 128.0), r"floats from 128 to 128; must be from 0 to 1.*astype"),
        (np.full((4, 5), np.nan), "floats from nan"),
        (np.zeros((4, 5), bool), "are bool; must be whole numbers"),
        (np.full((4, 5), "x"), "are <U1"),
        (None, "have the shape"),
    ],
)
def test_anything_else_is_one_clear_line(images: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        checked_pixels(images, GREY)
