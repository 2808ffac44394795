"""The arms of a study in its report: their designs and claims, and the command for them."""

import dataclasses

import pytest
from synthetic_results import synthetic_results

from cnn_ablation.claims import Claim
from cnn_ablation.design import NetworkSpec
from cnn_ablation.report.content import compose
from cnn_ablation.report.parts import Content
from cnn_ablation.report.setting import command_of
from cnn_ablation.study import Question, Study, add_arms, one_axis
from cnn_ablation.study.results import StudyResults

CLAIM = Claim("near", "stride", "small steps", "test_accuracy", (("stride=1", "stride=2"),))


@pytest.fixture(scope="module")
def results() -> StudyResults:
    variants = one_axis(NetworkSpec(), "stride", (1, 2))
    question = Question("stride", "Stride", variants, (CLAIM,), NetworkSpec())
    study = Study("steps", "Steps?", (question,))
    return synthetic_results(add_arms(study, ("params", "compute")), seeds=range(6), rounds=0)


@pytest.fixture(scope="module")
def content(results: StudyResults) -> Content:
    return compose(results)


def test_each_arm_shows_its_designs_and_its_claims(content: Content) -> None:
    (section,) = content.sections
    assert [(arm.name, arm.title) for arm in section.others] == [
        ("params", "control arm"),
        ("compute", "at equal compute"),
    ]
    assert section.control == section.others[0]
    shown = [[row[0].text for row in arm.table.rows] for arm in section.arms]
    assert shown == [
        ["stride=1", "stride=2"],
        ["stride=1", "stride=2 (hidden 503)"],
        ["stride=1", "stride=2 (features 37,73)"],
    ]
    names = [[found.verdict.claim.name for found in arm.findings] for arm in section.arms]
    assert names == [
        ["near"],
        ["near-equal-params", "near-by-params"],
        ["near-equal-compute", "near-by-compute"],
    ]
    assert "multiply-accumulates within 1 %" in section.others[1].note


def test_an_interaction_is_written_as_a_difference_of_differences(content: Content) -> None:
    (section,) = content.sections
    *_, part = section.others[1].findings
    assert part.contrasts is not None and part.panel is not None
    told = part.contrasts.rows[0][0].text
    assert told == "(stride=1 − stride=2) − (stride=1 − stride=2 (features 37,73))"
    assert "stride=1 minus stride=2 less stride=1 minus stride=2 (features" in part.panel.alt


def test_files_of_arms_have_names_of_their_own(content: Content) -> None:
    (section,) = content.sections
    names = [chart.name for arm in section.arms for chart in arm.files()]
    assert len(set(names)) == len(names)
    assert "stride-control_differences" in names and "stride-compute_differences" in names


def test_the_command_asks_for_the_same_arms(results: StudyResults) -> None:
    assert "--arms=params,compute" in command_of(results)
    (question,) = results.study.questions
    plain = dataclasses.replace(question, claims=(CLAIM,))
    study = dataclasses.replace(results.study, questions=(plain,))
    fewer = dataclasses.replace(results, plan=dataclasses.replace(results.plan, study=study))
    assert "--interactions=false" in command_of(fewer)
