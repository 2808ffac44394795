"""Images brought to another size. Pillow is imported where it is needed."""

import dataclasses
from typing import Any

import numpy as np

from cnn_ablation.data.dataset import Dataset, LabeledImages


def resized(dataset: Dataset, size: tuple[int, ...]) -> Dataset:
    """The same dataset with images of another height and width; () leaves them.

    Bilinear, over all pixels that fall on one, so that smaller images have no moire. The
    proportions become those of the size.
    """
    if not size or dataset.image_shape[:2] == size:
        return dataset

    def part(images: LabeledImages) -> LabeledImages:
        found = np.stack([resize(image, size) for image in images.images_NHWC])
        return LabeledImages(found, images.labels_N)

    return dataclasses.replace(dataset, train=part(dataset.train), test=part(dataset.test))


def resize(image_HWC: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """One uint8 image, each channel by itself."""
    from PIL import Image

    height, width = size
    if image_HWC.shape[:2] == (height, width):
        return image_HWC

    def channel(image_HW: Any) -> np.ndarray:
        image = Image.fromarray(np.ascontiguousarray(image_HW))
        return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))

    return np.stack([channel(image_HW) for image_HW in np.moveaxis(image_HWC, -1, 0)], axis=-1)
