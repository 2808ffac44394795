"""What a loaded dataset is: labelled images of two splits, as plain arrays."""

import dataclasses
import functools
import hashlib

import numpy as np


@dataclasses.dataclass(frozen=True)
class LabeledImages:
    """Images and their labels, in the order in which they were prepared.

    Attributes:
        images_NHWC: uint8, (examples, height, width, channels).
        labels_N: int32 class numbers, (examples,).
    """

    images_NHWC: np.ndarray
    labels_N: np.ndarray


@dataclasses.dataclass(frozen=True)
class Dataset:
    """One version of one dataset, its training and test images in memory.

    Attributes:
        name: TFDS name, such as `mnist`.
        version: TFDS version, such as `3.0.1`.
        train_split: what `train` holds, in TFDS split syntax.
        test_split: what `test` holds, in TFDS split syntax.
        num_classes: labels are 0 to num_classes - 1.
        train: images to train on.
        test: images to test on.
    """

    name: str
    version: str
    train_split: str
    test_split: str
    num_classes: int
    train: LabeledImages
    test: LabeledImages

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels), the same for every image."""
        height, width, channels = self.train.images_NHWC.shape[1:]
        return height, width, channels

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hash of all images and labels, in their order: 16 hexadecimal digits."""
        digest = hashlib.sha256()
        for part in (self.train, self.test):
            for array in (part.images_NHWC, part.labels_N):
                digest.update(f"{array.dtype.str}{array.shape}".encode())
                digest.update(np.ascontiguousarray(array).reshape(-1).data)
        return digest.hexdigest()[:16]
