"""The experiments as declared: the notebook's cells, their designs, labels, claims and controls."""

import json
import re
from pathlib import Path
from typing import Any

import forked
import pytest

import cnn_ablation
from cnn_ablation import studies
from cnn_ablation.commands import study as command
from cnn_ablation.design import NetworkSpec, TrainingSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.studies.notebook_claims import CLAIMS_BY_QUESTION
from cnn_ablation.studies.published import AS_PUBLISHED
from cnn_ablation.study import Question, Study, add_controls
from experiments import kernel_size, notebook, padding, pooling, stride

RESULTS = Path(str(studies.__file__)).with_name("notebook_results.json")
ROWS = json.loads(RESULTS.read_text())["rows"]
STUDIES = (kernel_size.STUDY, stride.STUDY, padding.STUDY, pooling.STUDY)
LABELS = {
    "kernel_size": ["k3,3", "k3,5", "k5,5", "k7,3", "k7,9", "k9,9"],
    "stride": ["s1", "s2", "s3", "s4", "s5"],
    "padding": ["same,same", "same,valid", "valid,valid"],
    "pooling": ["pool none", "pool 2", "pool 3", "pool 4"],
}


def questions() -> dict[str, Question]:
    return {question.name: question for question in notebook.STUDY.questions}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"cell-{row['cell']}")
def test_every_cell_of_the_notebook_is_a_variant_with_its_figures(row: dict[str, Any]) -> None:
    network = NetworkSpec(
        kernel_size=tuple(row["kernel_sizes"]),
        stride=tuple(row["strides"]),
        padding=tuple(row["padding"]),
        pool=row["pool"] or 1,
    )
    (variant,) = (v for v in questions()[row["part"]].variants if v.network == network)
    assert summarize(variant.network).params == row["params"]
    assert variant.published is not None
    assert variant.published.seconds == row["seconds"]
    assert variant.published.test_accuracy == tuple(e["test_accuracy"] for e in row["epochs"])
    assert variant.published.test_loss == tuple(e["test_loss"] for e in row["epochs"])


def test_the_notebook_is_17_cells_of_15_designs_trained_once() -> None:
    variants = [v for question in notebook.STUDY.questions for v in question.variants]
    assert len([v for v in variants if v.published]) == len(ROWS) == 17
    assert len({variant.network for variant in variants}) == 15
    assert [v.label for v in variants if not v.published] == ["pool none"]
    published = TrainingSpec(learning_rate=0.001, epochs=2)
    assert published == AS_PUBLISHED


def test_each_question_is_a_study_of_its_own_and_a_part_of_the_notebook() -> None:
    assert [question for study in STUDIES for question in study.questions] == list(
        notebook.STUDY.questions
    )
    for study in STUDIES:
        (question,) = study.questions
        assert study.name == question.name
        assert [variant.label for variant in question.variants] == LABELS[question.name]


def test_claims_speak_of_variants_that_are_there() -> None:
    for name, question in questions().items():
        assert question.claims == CLAIMS_BY_QUESTION[name]
        labels = {variant.label for variant in question.variants}
        assert {
            label for claim in question.claims for pair in claim.contrasts for label in pair
        } <= (labels)


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_controls_have_equal_parameters_and_claims_of_their_own(study: Study) -> None:
    (plain,), (question,) = study.questions, add_controls(study).questions
    assert question.variants[: len(plain.variants)] == plain.variants
    assert question.claims[: len(plain.claims)] == plain.claims
    assert plain.reference is not None
    target = summarize(plain.reference).params
    for variant in plain.variants:
        (control,) = [v for v in question.variants if v.control_of == variant.label] or [variant]
        assert abs(summarize(control.network).params - target) <= target / 100
    added = question.claims[len(plain.claims) :]
    twins = [claim for claim in added if not claim.against]
    assert [twin.metric for twin in twins] == [c.metric for c in plain.claims if c.kind == "paired"]
    labels = {v.label for v in question.variants if v.control_of}
    labels |= {v.label for v in plain.variants if v.network == plain.reference}
    for twin in twins:
        assert twin.question == f"{question.name} at equal parameters"
        assert {label for pair in twin.contrasts for label in pair} <= labels


def test_the_study_that_help_shows_is_a_study(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Study] = []
    monkeypatch.setattr(cnn_ablation, "run_study", lambda study, description: runs.append(study))
    code = re.search(
        r'^""".*^    cnn\.run_study\(.*?\n', command.OWN_STUDY, re.DOTALL | re.MULTILINE
    )
    assert code is not None, "the file must stand there as it is typed, not indented"
    exec(compile(code[0], "wide.py", "exec"), {"__name__": "__main__"})
    (study,) = runs
    (question,) = study.questions
    labels = {variant.label for variant in question.variants}
    assert {x for claim in question.claims for pair in claim.contrasts for x in pair} <= labels


@pytest.mark.parametrize(
    ("name", "rate", "controls"), [("notebook", "0.001", "False"), ("stride", "1.0", "True")]
)
def test_help_says_what_is_trained_by_default(name: str, rate: str, controls: str) -> None:
    said = forked.run("-m", f"experiments.{name}", "--help").stdout
    for flag in (f"learning_rate={rate}", "epochs=2", "num_seeds=10", f"controls={controls}"):
        assert f"  --{flag}\n" in said
    assert "A study of your own is a file like this one" in said
