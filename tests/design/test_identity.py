"""Stored trials outlive the code: their ids, specs and folders stay what they were."""

import dataclasses
import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.design.part import Part
from cnn_ablation.errors import InputError
from cnn_ablation.options import option
from cnn_ablation.study.plan import default_folder

RESULTS = Path(__file__).parents[2] / "experiments" / "results"
PUBLISHED = ("as_published", "epochs_20", "rate_1", "rate_1_epochs_20", "rate_1_controls")
SLOW = TrainingSpec(learning_rate=0.001)


@pytest.mark.parametrize("study", PUBLISHED)
def test_every_published_trial_keeps_its_id_and_its_spec(study: str) -> None:
    lines = [json.loads(line) for line in (RESULTS / study / "trials.jsonl").open()]
    assert len(lines) >= 150
    for line in lines:
        spec = TrialSpec.from_json(line["spec"])
        assert spec.to_json() == line["spec"]
        assert spec.trial_id(line["seed"], "3.0.1") == line["trial_id"]


@pytest.mark.parametrize(
    ("spec", "seed", "trial_id"),
    [
        (TrialSpec(NetworkSpec(kernel_size=(7, 9)), SLOW), 5, "745c57650be023fe"),
        (TrialSpec(NetworkSpec(kernel_size=(7, 9)), SLOW), 0, "4e6b5ffdc9727c2c"),
    ],
)
def test_ids_of_specs_made_here_are_those_of_the_first_version(
    spec: TrialSpec, seed: int, trial_id: str
) -> None:
    assert spec.trial_id(seed, "3.0.1") == trial_id


def test_the_default_folder_of_a_setting_is_that_of_the_first_version() -> None:
    training, data = TrainingSpec(learning_rate=0.001), DataSpec()
    assert default_folder("notebook", training, data) == (
        "notebook-mnist-rate-0.001-2-epochs-aee9df"
    )


@pytest.mark.parametrize(
    ("field", "absent", "other"),
    [
        ("activation", "relu", "gelu"),
        ("norm", "none", "batch"),
        ("norm_momentum", 0.99, 0.9),
        ("norm_epsilon", 1e-3, 1e-5),
        ("pool_kind", "max", "avg"),
        ("dropout", 0.0, 0.5),
        ("dilation", 1, 2),
        ("groups", 1, 2),
        ("bias", True, False),
        ("norm_groups", 8, 4),
        ("residual", False, True),
        ("head", "flatten", "global_avg"),
        ("head_dropout", 0.0, 0.5),
        ("init", "glorot_uniform", "he_normal"),
        ("bias_init", 0.0, 0.1),
        ("optimizer", "adadelta", "sgd"),
        ("schedule", "constant", "cosine"),
        ("warmup", 0.0, 0.5),
        ("weight_decay", 0.0, 0.1),
        ("clip_norm", 0.0, 1.0),
        ("label_smoothing", 0.0, 0.1),
        ("augment", (), ("shift", "erase")),
        ("train_fraction", 1.0, 0.1),
        ("label_noise", 0.0, 0.2),
        ("input_norm", "scale", "standardize"),
        ("image_size", (), (14, 14)),
    ],
)
def test_a_field_that_came_later_is_left_out_at_the_value_of_its_absence(
    field: str, absent: Any, other: Any
) -> None:
    spec = TrialSpec(NetworkSpec(image_shape=(28, 28, 2)))
    assert spec.replace(**{field: absent}).to_json() == spec.to_json()
    changed = spec.replace(**{field: other})
    assert field in json.dumps(changed.to_json())
    assert changed.trial_id(0, "1") != spec.trial_id(0, "1")
    assert TrialSpec.from_json(json.loads(json.dumps(changed.to_json()))) == changed


@dataclasses.dataclass(frozen=True)
class Later(Part):
    """A part whose later field is 2 unless asked, and stands for 1 where it is absent."""

    part: ClassVar[str] = "data"

    size: int = option(3, "of the first version")
    flavour: int = option(2, "came later", absent=1)


def test_a_field_whose_default_is_not_its_absence_is_read_as_it_was_written() -> None:
    for flavour in (1, 2, 3):
        written = Later(flavour=flavour).to_json()
        assert ("flavour" in written) == (flavour != 1)
        assert Later.from_json(written) == Later(flavour=flavour)


def test_a_spec_of_a_newer_version_says_so_in_one_line() -> None:
    document = TrialSpec().to_json()
    document["training"]["wobble"] = 0.1
    with pytest.raises(
        InputError, match=r"training has the fields wobble, .* newer version"
    ) as why:
        TrialSpec.from_json(document)
    assert "\n" not in str(why.value)
    del document["training"]["wobble"], document["training"]["epochs"]
    with pytest.raises(InputError, match="training lacks the fields epochs"):
        TrialSpec.from_json(document)
