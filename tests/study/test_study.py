"""Declaring studies: axes, grids, control arms, other images, and the way to JSON and back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import network_specs

from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.errors import InputError
from cnn_ablation.study import (
    Question,
    Study,
    Variant,
    fit_images,
    grid,
    one_axis,
    with_controls,
)
from cnn_ablation.study.document import study_from_json, study_to_json
from cnn_ablation.study.plan import Plan
from experiments import notebook

BASE = NetworkSpec(stride=2)


def plan_of(study: Study) -> Plan:
    return Plan(study, TrainingSpec(), DataSpec(), "3.0.1", "0" * 16, "xla", (0,))


def test_an_axis_changes_one_field_and_a_grid_takes_every_combination() -> None:
    axis = one_axis(BASE, "pool", (1, 2))
    assert [variant.label for variant in axis] == ["pool=1", "pool=2"]
    assert [variant.network for variant in axis] == [BASE, NetworkSpec(stride=2, pool=2)]
    product = grid(BASE, {"stride": (1, (2, 3)), "hidden": (8, 16)})
    assert [variant.label for variant in product] == [
        "stride=1 hidden=8",
        "stride=1 hidden=16",
        "stride=2,3 hidden=8",
        "stride=2,3 hidden=16",
    ]
    assert product[3].network == NetworkSpec(stride=(2, 3), hidden=16)


@pytest.mark.parametrize(
    ("axes", "says"), [({"width": (1,)}, "width: not a field"), ({"pool": (30,)}, "pool=30")]
)
def test_an_impossible_grid_is_refused(axes: dict[str, tuple[int, ...]], says: str) -> None:
    with pytest.raises(InputError, match=says):
        grid(BASE, axes)


def test_a_question_cannot_have_one_label_twice() -> None:
    with pytest.raises(InputError, match="used twice: \\['a'\\]"):
        Question("q", "Q", (Variant("a", BASE), Variant("a", NetworkSpec())))


def test_designs_of_several_questions_are_trained_once_under_their_first_name() -> None:
    shared = Variant("a", BASE), Variant("b", BASE)
    questions = tuple(Question(v.label, v.label, (v,)) for v in shared)
    study = Study("s", "S", questions)
    plan = plan_of(study)
    assert plan.designs == (TrialSpec(BASE),)
    assert plan.label(TrialSpec(BASE)) == "a"


@given(network=network_specs(), hidden=st.integers(1, 400))
def test_a_control_differs_in_hidden_width_alone_and_has_the_parameters(
    network: NetworkSpec, hidden: int
) -> None:
    network = network.replace(hidden=5, head_dropout=0.0)
    reference = network.replace(hidden=hidden)
    variant = Variant("v", network)
    controls = with_controls([variant], reference)[1:]
    if hidden == network.hidden_layers[0]:
        assert controls == ()
        return
    (control,) = controls
    assert control.network == reference
    assert control.control_of == "v"
    assert summarize(control.network).params == summarize(reference).params


def test_a_control_that_cannot_be_had_is_named() -> None:
    with pytest.raises(InputError, match="variant v: no hidden width gives 1,5"):
        with_controls([Variant("v", NetworkSpec())], NetworkSpec(stride=5, hidden=10))


@pytest.mark.parametrize(("hidden", "typed"), [((64, 32), "64,32"), ((), "none")])
def test_a_control_has_one_hidden_layer_whose_width_can_change(
    hidden: tuple[int, ...], typed: str
) -> None:
    with pytest.raises(InputError, match=f"variant v: hidden={typed}: .* one hidden layer"):
        with_controls([Variant("v", NetworkSpec(hidden=hidden))], NetworkSpec())


def test_a_study_goes_to_json_and_back() -> None:
    document = json.loads(json.dumps(study_to_json(notebook.STUDY), allow_nan=False))
    assert study_from_json(document) == notebook.STUDY


def test_a_study_can_be_had_for_other_images() -> None:
    colour = fit_images(notebook.STUDY, lambda _: ((32, 32, 3), 100))
    networks = [spec.network for spec in plan_of(colour).designs]
    assert {(n.image_shape, n.classes) for n in networks} == {((32, 32, 3), 100)}
    assert len(networks) == 15
    reference = colour.questions[0].reference
    assert reference is not None and reference.image_shape == (32, 32, 3)
    with pytest.raises(InputError, match="variant k7,9: kernel_size=7,9"):
        fit_images(notebook.STUDY, lambda _: ((9, 9, 1), 10))
