"""The specs: normal form, refusals, JSON, identity."""

import dataclasses
import json

import pytest
from hypothesis import given, settings
from strategies import network_specs

from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.errors import FieldError, InputError


def test_defaults_are_the_notebooks_base_model() -> None:
    network, training = NetworkSpec(), TrainingSpec()
    assert network.features == (8, 16)
    assert network.kernel_size == (3, 3)
    assert network.stride == (1, 1)
    assert network.padding == ("valid", "valid")
    assert network.pool == (1, 1)
    assert (network.hidden, network.classes, network.image_shape) == (32, 10, (28, 28, 1))
    assert (training.epochs, training.batch_size) == (2, 128)
    assert (training.learning_rate, training.rho, training.epsilon) == (1.0, 0.95, 1e-7)


def test_one_value_and_one_per_block_are_the_same_spec() -> None:
    assert NetworkSpec(stride=2) == NetworkSpec(stride=(2, 2))
    assert hash(NetworkSpec(stride=2)) == hash(NetworkSpec(stride=(2, 2)))
    assert len(NetworkSpec(features=4, kernel_size=(3, 3, 3)).blocks) == 3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"stride": 0}, "stride=0: must be a whole number of 1 or more"),
        ({"stride": (1, -2)}, "stride=1,-2: must be a whole number of 1 or more"),
        ({"stride": True}, "stride=True: must be a whole number of 1 or more"),
        ({"hidden": 2.0}, "hidden=2.0: must be a whole number of 1 or more"),
        ({"padding": "full"}, "padding=full: must be valid or same"),
        (
            {"kernel_size": 30},
            "kernel_size=30: block 1 sees a 28x28 map, into which its 30x30 valid kernel "
            "does not fit; allowed here: 1 to 28",
        ),
        (
            {"features": 8, "kernel_size": (3, 3, 3), "stride": (1, 2)},
            "stride=1,2: has 2 values where kernel_size has 3; must be one value for all blocks, "
            "or one per block separated by commas",
        ),
        (
            {"pool": (4, 8)},
            "pool=4,8: block 2 sees a 6x6 map, of which its convolution leaves 4 and its pool "
            "window 8 nothing; allowed here: 1 to 4",
        ),
    ],
)
def test_a_refusal_names_field_value_and_what_is_allowed(
    fields: dict[str, object], message: str
) -> None:
    with pytest.raises(FieldError) as refusal:
        NetworkSpec(**fields)  # type: ignore[arg-type]
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    "fields",
    [
        {"epochs": 0},
        {"batch_size": -1},
        {"learning_rate": -1.0},
        {"learning_rate": float("nan")},
        {"learning_rate": float("inf")},
        {"rho": 1.0},
        {"epsilon": 0.0},
        {"dtype": "float16"},
    ],
)
def test_training_refuses_what_cannot_train(fields: dict[str, object]) -> None:
    with pytest.raises(FieldError, match=f"^{next(iter(fields))}="):
        TrainingSpec(**fields)  # type: ignore[arg-type]


@given(network_specs())
@settings(max_examples=50)
def test_json_round_trip(network: NetworkSpec) -> None:
    spec = TrialSpec(network, TrainingSpec(epochs=3), DataSpec(train_split="train[:10%]"))
    text = json.dumps(spec.to_json(), allow_nan=False)
    assert TrialSpec.from_json(json.loads(text)) == spec


def test_json_with_an_unknown_or_missing_part_is_refused() -> None:
    document = TrialSpec().to_json()
    document["network"]["wobble"] = 1
    with pytest.raises(InputError, match="wobble"):
        TrialSpec.from_json(document)
    with pytest.raises(InputError, match="training"):
        TrialSpec.from_json({"network": {}, "data": {}})


def test_trial_id_depends_on_all_that_decides_a_trial() -> None:
    spec = TrialSpec()
    longer = dataclasses.replace(spec, training=TrainingSpec(epochs=3))
    ids = {
        spec.trial_id(0, "3.0.1"),
        spec.trial_id(1, "3.0.1"),
        spec.trial_id(0, "3.0.2"),
        longer.trial_id(0, "3.0.1"),
    }
    assert len(ids) == 4
    assert TrialSpec(network=NetworkSpec(kernel_size=(3, 3))).trial_id(0, "3.0.1") in ids
