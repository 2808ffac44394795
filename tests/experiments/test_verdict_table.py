"""The table of verdicts that the README shows."""

import dataclasses
from pathlib import Path

import pytest
from synthetic_results import stride_study, synthetic_results, two_question_study

from cnn_ablation.design import DataSpec
from cnn_ablation.errors import InputError
from cnn_ablation.study.store import load_results
from cnn_ablation.study.verdicts import judge_results
from experiments.verdict_table import PUBLISHED, RESULTS, verdict_table

README = Path(__file__).parents[2] / "README.md"


def test_a_row_a_claim_and_a_column_a_run() -> None:
    runs = [synthetic_results(stride_study(), seeds=range(count)) for count in (3, 12)]
    lines = verdict_table(runs).splitlines()
    claims = [claim.text for question in stride_study().questions for claim in question.claims]
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines[2:]] == claims
    assert lines[0].count("|") == lines[1].count("|") == 4
    assert "3 seeds" in lines[0] and "12 seeds" in lines[0]
    for line, *verdicts in zip(lines[2:], *map(judge_results, runs), strict=True):
        for cell, verdict in zip(line.strip("| ").split(" | ")[1:], verdicts, strict=True):
            expected = "reversed" if "reversed" in verdict.riders else verdict.outcome
            assert cell == "–" if expected == "not judged" else expected in cell


def test_runs_of_different_studies_are_refused() -> None:
    run = synthetic_results(stride_study(), seeds=range(3))
    other = dataclasses.replace(run, plan=dataclasses.replace(run.plan, study=two_question_study()))
    with pytest.raises(InputError, match="must be of one study"):
        verdict_table([run, other])


def test_the_readme_shows_the_verdicts_on_the_published_trials() -> None:
    assert verdict_table([load_results(RESULTS / name) for name in PUBLISHED]) in README.read_text()


def test_columns_of_different_settings_have_different_headings() -> None:
    run = synthetic_results(stride_study(), seeds=range(3))
    data = DataSpec(train_split="train[:2000]")
    training = run.training.replace(optimizer="sgd", batch_size=32)
    other = dataclasses.replace(run, plan=dataclasses.replace(run.plan, training=training))
    few = dataclasses.replace(run, plan=dataclasses.replace(run.plan, data=data))
    heading = verdict_table([run, other, few]).splitlines()[0]
    assert heading == (
        "| claim | rate 1, 2 epochs, whole splits, Adadelta, batches of 128, 3 seeds "
        "| rate 0.01, 2 epochs, whole splits, SGD, batches of 32, 3 seeds "
        "| rate 1, 2 epochs, train[:2000] to train, test to test, Adadelta, batches of 128, 3 seeds"
        " |"
    )
    assert verdict_table([run]).splitlines()[0] == "| claim | rate 1, 2 epochs, 3 seeds |"
