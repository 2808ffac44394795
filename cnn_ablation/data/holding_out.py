"""Validation images: a part of the training images that is evaluated on, and not trained on.

Which images these are hangs on the labels and the share alone: it is the same for every design and
seed, and each class gives the same share. A smaller share lies inside a larger one.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from cnn_ablation.data.dataset import Dataset, LabeledImages
from cnn_ablation.errors import FieldError

_STREAM = 20_261_128


def held_out(dataset: Dataset, share: float) -> Dataset:
    """The dataset with a share of its training images to test on, and the others to train on.

    The test images are gone: nothing that is trained on the result has seen them.

    Args:
        dataset: what was loaded.
        share: of each class, from 0, which leaves the dataset as it is, to below 1.

    Raises:
        FieldError: no image would be left to train on, or none to validate on.
    """
    if share == 0.0:
        return dataset
    validation_N = _chosen(dataset.train.labels_N, share)
    if validation_N.all() or not validation_N.any():
        count = len(validation_N)
        raise FieldError(
            "validation", share, f"must leave some of {count} images on either side, by class"
        )
    train, validation = (
        LabeledImages(dataset.train.images_NHWC[chosen_N], dataset.train.labels_N[chosen_N])
        for chosen_N in (~validation_N, validation_N)
    )
    return dataclasses.replace(dataset, train=train, test=validation, validation=share)


def _chosen(labels_N: np.ndarray, share: float) -> NDArray[np.bool_]:
    """Which images are held out: of each class those that a fixed stream of numbers puts first."""
    # Raw bits: NumPy promises that these stay the same, and no more of its generators.
    drawn_N = np.random.PCG64(_STREAM).random_raw(len(labels_N))
    chosen_N = np.zeros(len(labels_N), np.bool_)
    for label in np.unique(labels_N):
        of_class = np.flatnonzero(labels_N == label)
        order = of_class[np.argsort(drawn_N[of_class], kind="stable")]
        chosen_N[order[: round(share * len(order))]] = True
    return chosen_N
