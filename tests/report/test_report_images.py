"""Where a difference comes from: pictures and classes, from bits that are made up."""

import dataclasses
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from page_reader import Page
from synthetic_results import stride_study, synthetic_results

from cnn_ablation.data import LabeledImages
from cnn_ablation.report import write_report
from cnn_ablation.report.content import compose
from cnn_ablation.report.images import Answered, class_table, image_chart
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.verdicts import judge_results
from cnn_ablation.system.correctness import Correctness

IMAGES, CLASSES = 60, 3
HARD, TELLING = 7, 11


@pytest.fixture(scope="module")
def tests() -> LabeledImages:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (IMAGES, 9, 8, 1)).astype(np.uint8)
    return LabeledImages(pixels, (np.arange(IMAGES) % CLASSES).astype(np.int32))


@pytest.fixture(scope="module")
def results() -> StudyResults:
    """Nobody gets one image right; one image only the first design."""
    made = synthetic_results(stride_study(), seeds=range(6), rounds=0)
    first = made.plan.designs[0]
    trials = []
    for trial in made.trials:
        bits = np.random.default_rng(trial.seed).random(IMAGES) < 0.7
        bits[HARD], bits[TELLING] = False, trial.spec == first
        correct = Correctness.of(bits)
        last = dataclasses.replace(trial.epochs[-1], test_accuracy=correct.count / IMAGES)
        epochs = (*trial.epochs[:-1], last)
        trials.append(dataclasses.replace(trial, epochs=epochs, test_correct=correct))
    return dataclasses.replace(made, trials=tuple(trials))


def test_the_images_that_designs_differ_on_are_shown(
    results: StudyResults, tests: LabeledImages
) -> None:
    question = results.study.questions[0]
    answered = Answered.of(results, question, tests)
    assert answered is not None
    chart = image_chart("images", judge_results(results), answered)
    assert chart is not None
    first, *_, hard = chart.panels
    label = int(tests.labels_N[TELLING])
    assert first.title == "s1 − s2"
    assert first.alt.endswith(f": {label}: 6/6, 0/6")
    trials = len(results.trials)
    assert hard.alt.endswith(f": {int(tests.labels_N[HARD])}: 0/{trials}")


def test_accuracy_by_class_is_over_its_images(results: StudyResults, tests: LabeledImages) -> None:
    question = results.study.questions[0]
    answered = Answered.of(results, question, tests)
    assert answered is not None
    table = class_table("by class", answered, ["s1", "unknown"])
    assert table is not None
    (row,) = table.rows
    of_class = tests.labels_N == 1
    shares = 100 * answered.correct["s1"][:, of_class].mean(axis=1)
    assert row[2].text == f"{shares.mean():.2f}"
    assert row[2].details[0].startswith("[")
    assert len(row) == CLASSES + 1


def test_the_report_holds_them_and_pages_stay_whole(
    results: StudyResults, tests: LabeledImages, tmp_path: Path
) -> None:
    write_report(results, tmp_path, tests)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert page.faults == []
    assert "Where the difference comes from" in page.text
    assert "accuracy by class" in page.text
    assert "figures/stride-images.svg" in (tmp_path / "report.md").read_text(encoding="utf-8")
    ElementTree.parse(tmp_path / "figures" / "stride-images.svg")
    plain = write_report(results, tmp_path / "plain").read_text(encoding="utf-8")
    assert "Where the difference comes from" not in plain


def test_contrasts_say_for_what_they_speak_and_where_variance_comes_from(
    results: StudyResults,
) -> None:
    findings = [found for s in compose(results).sections for found in s.findings]
    # In this world an interaction is nought on every image: it has no variance to tell of.
    tables = [found.contrasts for found in findings if not found.verdict.claim.against]
    shown = [t for t in tables if t and "test accuracy" in t.caption]
    for table in shown:
        headings = [heading.text for heading in table.headings]
        row = dict(zip(headings, table.rows[0], strict=True))
        assert row["the interval is for"].text == "new images"
        assert " to " in row["beside it"].text
        assert len(row["variance by"].text.split(", ")) == 3
    assert shown


def test_images_of_another_number_are_left_out(results: StudyResults, tests: LabeledImages) -> None:
    fewer = LabeledImages(tests.images_NHWC[:9], tests.labels_N[:9])
    assert Answered.of(results, results.study.questions[0], fewer) is None
