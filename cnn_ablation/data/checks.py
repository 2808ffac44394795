"""What arrays of images and labels must be; those that hold the right numbers are converted."""

from typing import Any

import numpy as np

from cnn_ablation.errors import InputError

_MAX_LABEL = np.iinfo(np.int32).max


def checked_images(images: Any) -> np.ndarray:
    """Returns images as uint8, (examples, height, width, channels).

    Raises:
        InputError: they are of another form, there is none, or a pixel is not from 0 to 255.
    """
    array = _array("images", images, "uint8")
    if array.ndim != 4 or 0 in array.shape:
        raise InputError(
            f"images: have the shape {array.shape}, must be (examples, height, width, channels) "
            "with at least one example"
        )
    if array.dtype.kind == "f":
        raise InputError(
            f"images: are {array.dtype}, must be uint8: pixels are whole numbers 0 to 255, which "
            "the network's input scales by itself"
        )
    return _integers("images", array, np.uint8, 255)


def checked_labels(labels: Any, num_images: int) -> np.ndarray:
    """Returns class numbers as int32, (examples,).

    Raises:
        InputError: they are of another form or below 0, or not as many as the images.
    """
    array = _array("labels", labels, "an integer")
    if array.ndim != 1:
        raise InputError(f"labels: have the shape {array.shape}, must be (examples,)")
    if len(array) != num_images:
        raise InputError(f"labels: are {len(array)}, must be as many as the images: {num_images}")
    return _integers("labels", array, np.int32, _MAX_LABEL)


def _array(what: str, values: Any, allowed: str) -> np.ndarray:
    if not isinstance(values, np.ndarray):
        raise InputError(
            f"{what}: are of the type {type(values).__name__}, must be {allowed} NumPy array"
        )
    return values


def _integers(what: str, array: np.ndarray, dtype: type[np.integer[Any]], top: int) -> np.ndarray:
    """Returns integers of any width as those of one."""
    if array.dtype.kind not in "iu":
        raise InputError(f"{what}: are {array.dtype}, must be whole numbers ({dtype.__name__})")
    if array.dtype != np.uint8:
        low, high = int(array.min()), int(array.max())
        if low < 0 or high > top:
            raise InputError(f"{what}: are {low} to {high}, must lie from 0 to {top}")
    return array.astype(dtype, copy=False)
