"""What a loaded dataset is: labelled images of two splits, as plain arrays."""

import dataclasses
import functools
import hashlib
import numbers
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from cnn_ablation.data.checks import checked_images, checked_labels
from cnn_ablation.errors import InputError


@dataclasses.dataclass(frozen=True)
class LabeledImages:
    """Images and their labels, in the order in which they were prepared.

    Whole numbers of another type are converted on construction where their values allow it.

    Attributes:
        images_NHWC: uint8, (examples, height, width, channels).
        labels_N: int32 class numbers, (examples,).

    Raises:
        InputError: an array is not of that form, or there are not as many labels as images.
    """

    images_NHWC: np.ndarray
    labels_N: np.ndarray

    def __post_init__(self) -> None:
        images_NHWC = checked_images(self.images_NHWC)
        labels_N = checked_labels(self.labels_N, len(images_NHWC))
        object.__setattr__(self, "images_NHWC", images_NHWC)
        object.__setattr__(self, "labels_N", labels_N)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.images_NHWC.shape[1:]))
        return f"LabeledImages({len(self.labels_N):,} images of {shape})"


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
        validation: the share of the training images that `test` holds; 0 where it holds the split.
        class_names: the classes' names by number; empty where they have none.

    Raises:
        InputError: a label is not a class, or the splits' images have different shapes.
    """

    name: str
    version: str
    train_split: str
    test_split: str
    num_classes: int
    train: LabeledImages
    test: LabeledImages
    validation: float = 0.0
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.num_classes, numbers.Integral) or self.num_classes < 1:
            raise InputError(
                f"dataset {self.name}: num_classes={self.num_classes}: must be a whole number of 1 "
                "or more"
            )
        object.__setattr__(self, "num_classes", int(self.num_classes))
        for split, part in (("train", self.train), ("test", self.test)):
            highest = int(part.labels_N.max())
            if highest >= self.num_classes:
                raise InputError(
                    f"dataset {self.name}: a {split} label is {highest}, must be 0 to "
                    f"{self.num_classes - 1} (num_classes={self.num_classes})"
                )
        object.__setattr__(self, "class_names", tuple(map(str, self.class_names)))
        if self.class_names and len(self.class_names) != self.num_classes:
            raise InputError(
                f"dataset {self.name}: class_names are {len(self.class_names)}, must be one for "
                f"each of the {self.num_classes} classes"
            )
        shapes = [part.images_NHWC.shape[1:] for part in (self.train, self.test)]
        if shapes[0] != shapes[1]:
            raise InputError(
                f"dataset {self.name}: training images have the shape {shapes[0]}, test images "
                f"{shapes[1]}; all must have the same"
            )

    @classmethod
    def from_arrays(
        cls,
        name: str,
        train: tuple[Any, Any],
        test: tuple[Any, Any],
        num_classes: int | None = None,
        class_names: Sequence[str] = (),
    ) -> Self:
        """Makes a dataset of arrays, or of what NumPy makes an array of.

        Args:
            name: what to call it.
            train: images to train on and their labels. Images are whole numbers from 0 to 255,
                (examples, height, width, channels), or (examples, height, width) where they are
                grey; labels are class numbers from 0 on, (examples,).
            test: images to test on and their labels.
            num_classes: how many classes there are; None is one for each name, or without names
                the highest label plus one.
            class_names: the classes' names by number.

        Returns:
            The dataset, its version named after its content.

        Raises:
            InputError: an array is not what it must be.
        """
        parts = (_part(name, "train", train), _part(name, "test", test))
        if num_classes is None and class_names:
            num_classes = len(class_names)
        if num_classes is None:
            num_classes = 1 + max(int(part.labels_N.max()) for part in parts)
        version = f"arrays-{_fingerprint(*parts)[:8]}"
        return cls(
            name, version, "train", "test", num_classes, *parts, class_names=tuple(class_names)
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels), the same for every image."""
        height, width, channels = self.train.images_NHWC.shape[1:]
        return height, width, channels

    def __repr__(self) -> str:
        height, width, channels = self.image_shape
        return (
            f"Dataset({self.name} {self.version}: {len(self.train.labels_N):,} + "
            f"{len(self.test.labels_N):,} images of {height} x {width} x {channels}, "
            f"{self.num_classes} classes)"
        )

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hash of all images and labels, in their order: 16 hexadecimal digits."""
        return _fingerprint(self.train, self.test)


def _part(name: str, split: str, arrays: tuple[Any, Any]) -> LabeledImages:
    try:
        images, labels = map(np.asarray, arrays)
    except (TypeError, ValueError):
        raise InputError(f"dataset {name}: {split}: must be a pair of images and labels") from None
    if images.ndim == 3:
        images = images[..., np.newaxis]
    try:
        return LabeledImages(images, labels)
    except InputError as error:
        raise InputError(f"dataset {name}: {split} {error}") from None


def _fingerprint(*parts: LabeledImages) -> str:
    digest = hashlib.sha256()
    for part in parts:
        for array in (part.images_NHWC, part.labels_N):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).reshape(-1).data)
    return digest.hexdigest()[:16]
