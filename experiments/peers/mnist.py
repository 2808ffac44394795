"""MNIST as NumPy arrays, straight from the archives embedded in the package."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_ARCHIVES = Path(__file__).parents[2] / "cnn_ablation" / "data" / "archives"
_IMAGES_HEADER, _LABELS_HEADER = 16, 8  # bytes before the data in an IDX file


class Mnist(NamedTuple):
    """float32 images in [0, 1], shape (examples, 28, 28, 1), and int32 labels."""

    train_images: NDArray[np.float32]
    train_labels: NDArray[np.int32]
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.int32]


def load() -> Mnist:
    """Returns the 60,000 training and 10,000 test examples."""
    return Mnist(_images("train"), _labels("train"), _images("t10k"), _labels("t10k"))


def _images(split: str) -> NDArray[np.float32]:
    content = gzip.decompress((_ARCHIVES / f"{split}-images-idx3-ubyte.gz").read_bytes())
    pixels = np.frombuffer(content, np.uint8, offset=_IMAGES_HEADER)
    return pixels.reshape(-1, 28, 28, 1).astype(np.float32) / np.float32(255)


def _labels(split: str) -> NDArray[np.int32]:
    content = gzip.decompress((_ARCHIVES / f"{split}-labels-idx1-ubyte.gz").read_bytes())
    return np.frombuffer(content, np.uint8, offset=_LABELS_HEADER).astype(np.int32)
