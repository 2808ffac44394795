"""The arms of a study: what is held equal, the claims about each arm, and those between arms."""

import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import network_specs

from cnn_ablation.claims import Claim
from cnn_ablation.design import NetworkSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.errors import InputError
from cnn_ablation.studies import notebook
from cnn_ablation.study import Question, Study, Variant, add_arms, one_axis
from cnn_ablation.study.arms import ARMS, arm_names, members_of
from cnn_ablation.study.controls import control_at
from cnn_ablation.study.document import study_from_json, study_to_json
from cnn_ablation.study.widths import with_macs

CLAIM = Claim("near", "stride", "small steps", "test_accuracy", (("stride=1", "stride=2"),))
SIZE = Claim(
    *("size", "stride", "fewer parameters", "params", (("stride=2", "stride=1"),), "smaller"),
    kind="exact",
)
STRIDES = Question(
    "stride",
    "Stride",
    one_axis(NetworkSpec(), "stride", (1, 2)),
    (CLAIM, SIZE),
    reference=NetworkSpec(),
)
STUDY = Study("steps", "Steps?", (STRIDES,))


@pytest.mark.parametrize("question", notebook.STUDY.questions, ids=lambda q: q.name)
def test_the_notebooks_designs_take_equal_compute(question: Question) -> None:
    assert question.reference is not None
    target = summarize(question.reference).macs
    (whole,) = add_arms(Study("s", "S", (question,)), ("compute",)).questions
    members = members_of(whole, "compute")
    assert list(members) == [variant.label for variant in question.variants]
    for label, member in members.items():
        given = next(v for v in question.variants if v.label == label)
        assert abs(summarize(member.network).macs - target) <= 0.01 * target
        same = member.network.replace(features=given.network.features)
        assert same == given.network, "features alone may differ"


@settings(max_examples=60, deadline=None)
@given(network=network_specs(), scale=st.integers(1, 300))
def test_any_network_takes_equal_compute_or_says_that_it_cannot(
    network: NetworkSpec, scale: int
) -> None:
    target = max(1, summarize(network).macs * scale // 10)
    reference = NetworkSpec(features=(1,), kernel_size=1, hidden=())
    near = with_macs(network, target)
    off = abs(summarize(near).macs - target) / target
    assert [b.kernel_size for b in near.blocks] == [b.kernel_size for b in network.blocks]
    assert near.hidden == network.hidden
    # Other widths that were not taken are no nearer: one channel more or less in any block.
    if off > 0.01:
        for place in range(len(near.blocks)):
            for by in (-1, 1):
                widths = [block.features for block in near.blocks]
                widths[place] += by
                try:
                    other = near.replace(features=tuple(widths))
                except InputError:
                    continue
                assert abs(summarize(other).macs - target) / target > 0.01
    variant = Variant("v", network)
    aim = summarize(reference).macs
    try:
        control = control_at("macs", variant, reference)
    except InputError as error:
        assert "variant v: no features of its blocks give" in str(error)
    else:
        made = network if control is None else control.network
        assert abs(summarize(made).macs - aim) <= 0.01 * aim


def test_a_depthwise_convolution_follows_its_channels() -> None:
    network = NetworkSpec(features=(8, 8, 16), groups=(1, 8, 1), kernel_size=3)
    made = with_macs(network, 4 * summarize(network).macs)
    one, two, _ = made.blocks
    assert two.groups == one.features == two.features > 8
    assert abs(summarize(made).macs / summarize(network).macs - 4) < 0.04


def test_what_cannot_be_held_within_one_percent_is_named() -> None:
    tiny = NetworkSpec(stride=5, hidden=10)
    question = dataclasses.replace(STRIDES, reference=tiny.replace(features=(1, 1)))
    with pytest.raises(InputError, match="variant stride=1: no features of its blocks give 443"):
        add_arms(dataclasses.replace(STUDY, questions=(question,)), ("compute",))


def test_each_arm_has_twins_claims_and_claims_about_what_it_takes_away() -> None:
    (question,) = add_arms(STUDY, ("params", "compute")).questions
    labels = [v.label for v in question.variants]
    assert labels == ["stride=1", "stride=2", "stride=2 (hidden 503)", "stride=2 (features 37,73)"]
    assert [claim.name for claim in question.claims] == [
        *("near", "size", "near-equal-params", "near-by-params"),
        *("near-equal-compute", "near-by-compute"),
    ]
    *_, twin, part = question.claims
    assert twin.contrasts == (("stride=1", "stride=2 (features 37,73)"),)
    assert (part.contrasts, part.against) == (CLAIM.contrasts, twin.contrasts)
    assert len({claim.question for claim in question.claims}) == 5
    assert part.text == "at equal compute, less is left of: small steps"
    assert part.margin == CLAIM.margin


def test_arms_are_made_of_the_designs_as_given_and_not_of_each_other() -> None:
    (alone,) = add_arms(STUDY, ("compute",)).questions
    (after,) = add_arms(STUDY, ("params", "compute")).questions
    own = [v for v in after.variants if v.arm == "compute"]
    assert own == [v for v in alone.variants if v.arm == "compute"]


def test_interactions_can_be_left_out() -> None:
    (question,) = add_arms(STUDY, ("params",), interactions=False).questions
    assert not any(claim.against for claim in question.claims)


def test_a_tuned_arm_tunes_every_variant_the_reference_too() -> None:
    (question,) = add_arms(STUDY, ("tuned", "tuned_compute")).questions
    tuned, equal = (members_of(question, name) for name in ("tuned", "tuned_compute"))
    assert [v.label for v in tuned.values()] == ["stride=1 (tuned)", "stride=2 (tuned)"]
    assert [v.label for v in equal.values()] == [
        "stride=1 (tuned)",
        "stride=2 (features 37,73) (tuned)",
    ]
    assert arm_names(Study("s", "S", (question,))) == ("tuned", "tuned_compute")


def test_an_arm_without_a_reference_is_left_out_and_an_unknown_one_refused() -> None:
    question = dataclasses.replace(STRIDES, reference=None)
    study = dataclasses.replace(STUDY, questions=(question,))
    assert add_arms(study, ("params", "compute")) == study
    with pytest.raises(InputError, match="arms=fair: must be of params"):
        add_arms(study, ("fair",))


def test_arms_go_to_json_and_back_and_older_ones_are_read() -> None:
    study = add_arms(STUDY, tuple(ARMS))
    document = json.loads(json.dumps(study_to_json(study), allow_nan=False))
    assert study_from_json(document) == study
    old = json.loads(json.dumps(study_to_json(add_arms(STUDY, ("params",)))))
    control = old["questions"][0]["variants"][2]
    assert "arm" not in control, "as version 0.1 wrote it"
    assert study_from_json(old).variants[2].arm == "params"
