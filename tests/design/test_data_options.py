"""The data's fields: refusals, normal forms, JSON, and which of them decide what is loaded."""

import json
from typing import Any

import pytest

from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.design.words import short_name
from cnn_ablation.errors import FieldError
from cnn_ablation.study import one_axis
from cnn_ablation.study.plan import default_folder


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"train_fraction": 0}, "train_fraction=0: must be a number above 0 to 1"),
        ({"train_fraction": 1.5}, "train_fraction=1.5: must be a number above 0 to 1"),
        ({"label_noise": 1}, "label_noise=1: must be a number from 0 to below 1"),
        ({"input_norm": "none"}, "input_norm=none: must be scale or standardize"),
        ({"image_size": 0}, "image_size=0: must be a whole number of 1 or more"),
        ({"image_size": (2, 3, 4)}, "image_size=2,3,4: must be one side, or height and width"),
    ],
)
def test_a_refusal_names_field_value_and_what_is_allowed(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(FieldError) as refusal:
        DataSpec(**fields)
    assert str(refusal.value) == message


def test_one_side_is_a_square() -> None:
    square: Any = 24
    assert (
        DataSpec(image_size=square) == DataSpec(image_size=(24,)) == DataSpec(image_size=(24, 24))
    )
    spec = DataSpec(image_size=(24, 30), train_fraction=0.5)
    assert DataSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_what_a_seed_draws_decides_no_array() -> None:
    spec = DataSpec("./photos", image_size=(9, 9))
    drawn: dict[str, Any] = {"train_fraction": 0.1, "label_noise": 0.2, "input_norm": "standardize"}
    assert spec.replace(**drawn).loaded == spec
    assert spec.replace(**drawn).drawn == DataSpec(**drawn)


def test_a_path_is_called_by_its_last_part() -> None:
    data = DataSpec("/home/somebody/photos")
    assert short_name(TrialSpec(data=data)) == "photos"
    assert default_folder("own", TrainingSpec(), data).startswith("own-photos-rate-1-2-epochs-")
    assert default_folder("own", TrainingSpec(), data) != default_folder(
        "own", TrainingSpec(), DataSpec("/elsewhere/photos")
    )


def test_data_are_axes_of_a_study() -> None:
    variants = one_axis(NetworkSpec(), "train_fraction", (0.01, 0.1, 1.0))
    assert [v.label for v in variants] == [f"train_fraction={f}" for f in (0.01, 0.1, 1.0)]
    sizes = one_axis(NetworkSpec(), "image_size", ((), (14,), (20, 24)))
    found = [v.spec(TrainingSpec(), DataSpec()).data.image_size for v in sizes]
    assert found == [(), (14, 14), (20, 24)]
    assert [v.label for v in sizes] == ["image_size=none", "image_size=14", "image_size=20,24"]
