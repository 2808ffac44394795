"""Validation images: which are held out, that the test images are not looked at, and refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_ablation.data import Dataset
from cnn_ablation.data.holding_out import held_out
from cnn_ablation.design import DataSpec
from cnn_ablation.errors import FieldError


def dataset(labels: np.ndarray, tests: int = 5) -> Dataset:
    """Images that say their own number."""
    count = len(labels)
    images = np.zeros((count, 2, 2, 1), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 1, 0] = np.arange(count) % 256, np.arange(count) // 256
    return Dataset.from_arrays("d", (images, labels), (images[:tests], labels[:tests]), 10)


def numbers(images_NHWC: np.ndarray) -> list[int]:
    return [int(image[0, 0, 0]) + 256 * int(image[0, 1, 0]) for image in images_NHWC]


LABELS = np.random.default_rng(0).choice(10, 600, p=np.arange(1, 11) / 55)


def test_every_class_gives_its_share_and_no_image_is_in_both() -> None:
    part = held_out(dataset(LABELS), 0.2)
    for label in range(10):
        whole = int(np.count_nonzero(label == LABELS))
        assert int((part.test.labels_N == label).sum()) == round(0.2 * whole)
    own, rest = numbers(part.test.images_NHWC), numbers(part.train.images_NHWC)
    assert sorted(own + rest) == list(range(600))
    assert rest == sorted(rest), "the order of the training images stays"
    np.testing.assert_array_equal(part.train.labels_N, LABELS[rest])
    assert part.validation == 0.2


def test_the_split_is_the_same_each_time_and_smaller_shares_lie_in_larger_ones() -> None:
    small, large = (held_out(dataset(LABELS), share) for share in (0.1, 0.3))
    assert set(numbers(small.test.images_NHWC)) < set(numbers(large.test.images_NHWC))
    # As it was when this was written: trials of other versions are compared with these.
    assert numbers(small.test.images_NHWC)[:6] == [17, 25, 27, 29, 38, 43]


@given(st.integers(0, 2**32 - 1))
def test_test_images_have_no_part_in_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = dataset(LABELS)
    other = Dataset.from_arrays(
        "d",
        (data.train.images_NHWC, data.train.labels_N),
        (rng.integers(0, 256, (9, 2, 2, 1)), rng.integers(0, 10, 9)),
        10,
    )
    assert held_out(data, 0.2).fingerprint == held_out(other, 0.2).fingerprint


@pytest.mark.parametrize("share", [0.01, 0.999])
def test_a_share_that_leaves_nothing_is_refused(share: float) -> None:
    with pytest.raises(FieldError, match=f"validation={share:g}: must leave some of 20 images"):
        held_out(dataset(np.arange(20) % 10), share)


def test_without_a_share_nothing_changes() -> None:
    data = dataset(LABELS)
    assert held_out(data, 0.0) is data
    assert DataSpec().evaluated == "test"
    assert DataSpec(validation=0.2).evaluated == "validation"
    assert "validation" not in DataSpec().to_json()
