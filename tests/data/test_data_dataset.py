"""What a dataset made by hand must be, and what is made of it."""

import dataclasses
import re
from typing import Any

import numpy as np
import pytest

from cnn_ablation.data import Dataset, LabeledImages
from cnn_ablation.errors import InputError

IMAGES = np.arange(5 * 4 * 3 * 2, dtype=np.uint8).reshape(5, 4, 3, 2)
LABELS = np.array([0, 2, 1, 2, 0], np.int32)


def make(**changed: Any) -> Dataset:
    part = LabeledImages(IMAGES, LABELS)
    right = Dataset("x", "1", "train", "test", 3, part, part)
    return dataclasses.replace(right, **changed)


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (IMAGES / 255, LABELS, "images: are float64, must be uint8: pixels are whole numbers 0 to"),
        (IMAGES.astype(np.float16), LABELS, "which the network's input scales by itself"),
        (IMAGES.astype(bool), LABELS, "images: are bool, must be whole numbers (uint8)"),
        (IMAGES.astype(np.int64) - 1, LABELS, "images: are -1 to 118, must lie from 0 to 255"),
        (IMAGES.astype(np.int16) * 3, LABELS, "images: are 0 to 357, must lie from 0 to 255"),
        (IMAGES[..., 0], LABELS, "images: have the shape (5, 4, 3), must be (examples, height,"),
        (IMAGES[:0], LABELS[:0], "images: have the shape (0, 4, 3, 2), must be"),
        (IMAGES.tolist(), LABELS, "images: are of the type list, must be uint8 NumPy array"),
        (IMAGES, LABELS.tolist(), "labels: are of the type list, must be an integer NumPy array"),
        (IMAGES, LABELS[:4], "labels: are 4, must be as many as the images: 5"),
        (IMAGES, LABELS[:, None], "labels: have the shape (5, 1), must be (examples,)"),
        (IMAGES, LABELS.astype(float), "labels: are float64, must be whole numbers (int32)"),
        (IMAGES, LABELS - 1, "labels: are -1 to 1, must lie from 0 to 2147483647"),
        (IMAGES, LABELS.astype(np.uint64) << 40, "must lie from 0 to 2147483647"),
    ],
)
def test_images_and_labels_are_refused_in_one_line(images: Any, labels: Any, says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        LabeledImages(images, labels)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"num_classes": 2}, "dataset x: a train label is 2, must be 0 to 1 (num_classes=2)"),
        ({"test": LabeledImages(IMAGES, LABELS + 1)}, "dataset x: a test label is 3, must be 0 to"),
        ({"num_classes": 0}, "num_classes=0: must be a whole number of 1 or more"),
        ({"num_classes": 2.5}, "num_classes=2.5: must be a whole number of 1 or more"),
        (
            {"test": LabeledImages(IMAGES[:, 1:], LABELS)},
            "training images have the shape (4, 3, 2), test images (3, 3, 2)",
        ),
    ],
)
def test_a_dataset_is_refused_in_one_line(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        make(**changed)
    assert "\n" not in str(caught.value)


def test_right_arrays_are_kept_and_other_integers_converted() -> None:
    kept = LabeledImages(IMAGES, LABELS)
    assert kept.images_NHWC is IMAGES and kept.labels_N is LABELS
    for kind in (np.int16, np.uint64, ">i4"):
        converted = LabeledImages(IMAGES.astype(kind), LABELS.astype(kind))
        assert converted.images_NHWC.dtype == np.uint8 and converted.labels_N.dtype == np.int32
        np.testing.assert_array_equal(converted.images_NHWC, IMAGES)
        np.testing.assert_array_equal(converted.labels_N, LABELS)
    assert make(num_classes=np.int64(3)).num_classes == 3


def test_from_arrays() -> None:
    grey = IMAGES[..., 0]
    made = Dataset.from_arrays("mine", train=(grey, LABELS), test=(grey[:2].tolist(), [0, 3]))
    assert (made.name, made.train_split, made.test_split) == ("mine", "train", "test")
    assert (made.image_shape, made.num_classes) == ((4, 3, 1), 4)
    assert made.version == f"arrays-{made.fingerprint[:8]}"
    np.testing.assert_array_equal(made.train.images_NHWC, grey[..., None])
    np.testing.assert_array_equal(made.test.labels_N, [0, 3])
    colour = Dataset.from_arrays("mine", (IMAGES, LABELS), (IMAGES, LABELS), num_classes=9)
    assert (colour.image_shape, colour.num_classes) == ((4, 3, 2), 9)
    assert colour.version != made.version
    assert dataclasses.replace(colour, name="other").fingerprint == colour.fingerprint


@pytest.mark.parametrize(
    ("train", "says"),
    [
        ((IMAGES / 255, LABELS), "dataset mine: train images: are float64, must be uint8"),
        ((IMAGES, LABELS[:3]), "dataset mine: train labels: are 3, must be as many as"),
        ((IMAGES, LABELS + 7), "dataset mine: a train label is 9, must be 0 to 2"),
        (IMAGES, "dataset mine: train: must be a pair of images and labels"),
        ((IMAGES,), "dataset mine: train: must be a pair of images and labels"),
    ],
)
def test_from_arrays_names_what_is_wrong(train: Any, says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        Dataset.from_arrays("mine", train=train, test=(IMAGES, LABELS), num_classes=3)
