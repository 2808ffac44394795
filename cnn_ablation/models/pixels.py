"""Pixels as they come, brought to the form that a network takes."""

from typing import Any

import numpy as np

from cnn_ablation.errors import InputError


def checked_pixels(images: Any, image_shape: tuple[int, int, int]) -> tuple[np.ndarray, bool]:
    """One image or a batch as (N, H, W, C): uint8 from 0 to 255, or float32 from 0 to 1.

    Args:
        images: an array, or what NumPy makes one of: (H, W) and (N, H, W) where images are grey,
            (H, W, C) and (N, H, W, C); whole numbers from 0 to 255, or floats from 0 to 1.
        image_shape: (H, W, C) of the network.

    Returns:
        The batch, and whether it was a single image.

    Raises:
        InputError: they are of another shape, or not pixels.
    """
    array = np.asarray(images)
    return _values(_batch(array, image_shape)), _is_single(array, image_shape)


def _is_single(array: np.ndarray, image_shape: tuple[int, int, int]) -> bool:
    return array.shape in (image_shape, image_shape[:2])


def _batch(array: np.ndarray, image_shape: tuple[int, int, int]) -> np.ndarray:
    height, width, channels = image_shape
    if array.shape == image_shape:
        return array[np.newaxis]
    if array.ndim == 4 and array.shape[1:] == image_shape and len(array):
        return array
    if channels == 1 and array.shape == (height, width):
        return array[np.newaxis, ..., np.newaxis]
    if channels == 1 and array.ndim == 3 and array.shape[1:] == (height, width) and len(array):
        return array[..., np.newaxis]
    grey = f", ({height}, {width}) or (images, {height}, {width})" if channels == 1 else ""
    raise InputError(
        f"images: have the shape {array.shape}; must be ({height}, {width}, {channels}) or "
        f"(images, {height}, {width}, {channels}){grey}"
    )


def _values(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind in "iu":
        darkest, brightest = int(array.min()), int(array.max())
        if darkest < 0 or brightest > 255:
            raise InputError(
                f"images: hold {darkest} to {brightest}; whole numbers must be 0 to 255"
            )
        return array.astype(np.uint8, copy=False)
    if array.dtype.kind != "f":
        raise InputError(
            f"images: are {array.dtype}; must be whole numbers from 0 to 255, or floats from 0 to 1"
        )
    low, high = float(array.min()), float(array.max())
    if not (low >= 0.0 and high <= 1.0):
        raise InputError(
            f"images: hold floats from {low:g} to {high:g}; must be from 0 to 1. Pixels from 0 to "
            "255 are whole numbers: images.astype('uint8')"
        )
    return array.astype(np.float32, copy=False)
