"""Bits of right answers as a text, and back."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_ablation.errors import InputError
from cnn_ablation.system.correctness import Correctness


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_bits_come_back(bits: list[bool]) -> None:
    kept = Correctness.of(bits)
    assert kept.bits().tolist() == bits
    assert kept.count == sum(bits)
    assert Correctness.from_json(kept.to_json()) == kept
    assert base64.b64decode(kept.text) == np.packbits(bits).tobytes()
    kept.require(sum(bits) / len(bits))


@pytest.mark.parametrize(
    "damaged",
    [
        {"test_correct": "gA==", "test_images": 9},
        {"test_correct": "/w==", "test_images": 7},
        {"test_correct": "not base64", "test_images": 8},
        {"test_correct": 8, "test_images": 8},
        {"test_correct": "gA==", "test_images": 0},
        {"test_correct": "gA=="},
    ],
)
def test_what_holds_no_such_bits_is_refused(damaged: dict[str, object]) -> None:
    with pytest.raises(InputError, match="test_correct"):
        Correctness.from_json(damaged)


def test_bits_are_held_against_an_accuracy() -> None:
    kept = Correctness.of([True, False, True])
    kept.require(2 / 3)
    for other in (1 / 3, None):
        with pytest.raises(InputError, match="2 of 3 bits set"):
            kept.require(other)


def test_older_trials_have_none() -> None:
    assert Correctness.from_json({"seed": 3}) is None
