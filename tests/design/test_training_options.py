"""A training's entries and their options: defaults, refusals, JSON."""

import json
from typing import Any

import pytest

from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec
from cnn_ablation.errors import FieldError
from cnn_ablation.study import one_axis


def test_each_optimizer_has_its_own_rate_and_decay() -> None:
    found = {
        name: (
            TrainingSpec(optimizer=name).learning_rate,
            TrainingSpec(optimizer=name).weight_decay,
        )
        for name in ("adadelta", "sgd", "adam", "adamw", "rmsprop", "lion")
    }
    assert found == {
        "adadelta": (1.0, 0.0),
        "sgd": (0.01, 0.0),
        "adam": (0.001, 0.0),
        "adamw": (0.001, 0.004),
        "rmsprop": (0.001, 0.0),
        "lion": (0.001, 0.0),
    }


def test_a_decay_that_was_chosen_stays_chosen_and_one_that_was_not_goes() -> None:
    assert TrainingSpec(optimizer="adamw").replace(optimizer="sgd").weight_decay == 0
    assert TrainingSpec().replace(optimizer="adamw").weight_decay == 0.004
    assert TrainingSpec(weight_decay=0.1).replace(optimizer="adamw").weight_decay == 0.1
    without = TrainingSpec(optimizer="adamw", weight_decay=0)
    assert TrainingSpec.from_json(json.loads(json.dumps(without.to_json()))) == without


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"warmup": 3}, "warmup=3.0: must not be longer than the training of epochs=2"),
        ({"warmup": -1}, "warmup=-1: must be a number of 0 or more"),
        ({"label_smoothing": 1}, "label_smoothing=1: must be a number from 0 to below 1"),
        ({"clip_norm": -1}, "clip_norm=-1: must be a number of 0 or more"),
        ({"weight_decay": True}, "weight_decay=True: must be a number of 0 or more"),
        (
            {"optimizer": "sgd", "nesterov": True},
            "nesterov=True: means nothing without a momentum above 0",
        ),
        (
            {"centered": True},
            "centered=True: means nothing with optimizer=adadelta and schedule=constant, whose "
            "options are rho, epsilon; it is an option of rmsprop",
        ),
        (
            {"shift_pixels": 3, "augment": "flip"},
            "shift_pixels=3: means nothing with optimizer=adadelta and schedule=constant and "
            "augment=flip, whose options are rho, epsilon; it is an option of shift",
        ),
        ({"augment": "turn"}, "augment=turn: must be shift, flip or erase"),
        ({"augment": ("flip", "flip")}, "augment=flip: must name each augmentation once"),
        ({"augment": "shift", "shift_pixels": 0}, "shift_pixels=0: must be a whole number of 1 or"),
        ({"augment": "erase", "erase_share": 2}, "erase_share=2: must be a number above 0 to 1"),
    ],
)
def test_a_refusal_names_field_value_and_what_is_allowed(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(FieldError) as refusal:
        TrainingSpec(**fields)
    assert str(refusal.value).startswith(message)


def test_augmentations_have_one_order_and_their_own_options() -> None:
    spec = TrainingSpec(augment=("erase", "shift"), shift_pixels=4)
    assert spec == TrainingSpec(augment=("shift", "erase"), shift_pixels=4)
    assert spec.values()["augment"] == ("shift", "erase")
    assert (spec.shift_pixels, spec.erase_share) == (4, 0.5)
    assert TrainingSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert spec.replace(augment=("shift", "flip")).shift_pixels == 4
    assert "shift_pixels" not in spec.replace(augment="flip").to_json()
    assert spec.replace(augment=()) == TrainingSpec()


def test_augmentation_is_an_axis_of_a_study() -> None:
    variants = one_axis(NetworkSpec(), "augment", ((), ("shift",), ("shift", "flip")))
    assert [v.label for v in variants] == ["augment=none", "augment=shift", "augment=shift,flip"]
    names = [v.spec(TrainingSpec(), DataSpec()).training.values()["augment"] for v in variants]
    assert names == [(), ("shift",), ("shift", "flip")]
