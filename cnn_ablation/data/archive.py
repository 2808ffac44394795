"""A user's own npz file in Keras's form: the arrays x_train, y_train, x_test and y_test."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from cnn_ablation.data.dataset import Dataset
from cnn_ablation.errors import InputError

NAMES = ("x_train", "y_train", "x_test", "y_test")
_IMAGES = "must be uint8 (examples, height, width) or (examples, height, width, channels)"
_LABELS = "must be whole numbers (examples,) or (examples, 1)"


def read_archive(path: Path, name: str) -> Dataset:
    """The dataset of an npz file; nothing in it is unpickled.

    Args:
        path: the file.
        name: what to call the dataset.

    Raises:
        InputError: an array is missing, or is not what it must be; the message names it.
    """
    arrays = _arrays(path)
    parts = []
    for split in ("train", "test"):
        images = _images(f"{path}: x_{split}", arrays[f"x_{split}"])
        labels = _labels(f"{path}: y_{split}", arrays[f"y_{split}"])
        if len(images) != len(labels):
            raise InputError(
                f"{path}: x_{split} holds {len(images)} images and y_{split} {len(labels)} labels; "
                "must be as many"
            )
        parts.append((images, labels))
    (images, labels), (others, their_labels) = parts
    if images.shape[1:] != others.shape[1:]:
        raise InputError(
            f"{path}: x_test holds images of the shape {others.shape[1:]}, x_train of "
            f"{images.shape[1:]}; all must have the same"
        )
    classes = 1 + int(labels.max())
    if labels.min() == labels.max():
        raise InputError(f"{path}: y_train holds one class, {labels[0]}; must be two or more")
    if their_labels.max() >= classes:
        raise InputError(
            f"{path}: y_test holds the label {their_labels.max()}; must be 0 to {classes - 1}, the "
            "classes of y_train"
        )
    return Dataset.from_arrays(name, parts[0], parts[1], num_classes=classes)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        file = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise _damaged(path, error) from None
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise InputError(f"{path}: holds one array; must be an npz file with {', '.join(NAMES)}")
    with file:
        missing = [name for name in NAMES if name not in file.files]
        if missing:
            raise InputError(
                f"{path}: lacks {', '.join(missing)}; must hold {', '.join(NAMES)}, as Keras's "
                f"datasets do; it holds {', '.join(file.files) or 'nothing'}"
            )
        return {name: _array(path, name, file) for name in NAMES}


def _array(path: Path, name: str, file: "np.lib.npyio.NpzFile") -> np.ndarray:
    try:
        return np.asarray(file[name])
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        if "Object arrays" in str(error):
            raise InputError(
                f"{path}: {name} holds Python objects; must be an array of whole numbers"
            ) from None
        raise _damaged(path, error) from None


def _images(what: str, images: np.ndarray) -> np.ndarray:
    _require_numbers(what, images, _IMAGES)
    if images.ndim not in (3, 4) or 0 in images.shape:
        raise InputError(f"{what} has the shape {images.shape}; {_IMAGES}, and not empty")
    low, high = int(images.min()), int(images.max())
    if low < 0 or high > 255:
        raise InputError(f"{what} holds {low} to {high}; pixels must lie from 0 to 255")
    return images if images.ndim == 4 else images[..., np.newaxis]


def _labels(what: str, labels: np.ndarray) -> np.ndarray:
    _require_numbers(what, labels, _LABELS)
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.ndim != 1 or len(labels) == 0:
        raise InputError(f"{what} has the shape {labels.shape}; {_LABELS}, and not empty")
    if labels.min() < 0:
        raise InputError(f"{what} holds the label {labels.min()}; labels must be 0 or more")
    return labels


def _require_numbers(what: str, array: np.ndarray, allowed: str) -> None:
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise InputError(f"{what} holds NaN (not a number); {allowed}")
    if array.dtype.kind not in "iu":
        raise InputError(f"{what} is {array.dtype}; {allowed}")


def _damaged(path: Path, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return InputError(f"{path}: cannot be read as an npz file ({reason})")
