"""Several studies on one page."""

import dataclasses
import re
from pathlib import Path

import pytest
from page_reader import Page
from synthetic_results import relabelled, stride_study, synthetic_results, two_question_study

from cnn_ablation.report import write_comparison
from cnn_ablation.report.comparison import (
    compare_studies,
    names_of_folders,
    settings_table,
)
from cnn_ablation.study.results import StudyResults


@pytest.fixture(scope="module")
def studies() -> dict[str, StudyResults]:
    turned = synthetic_results(stride_study(), epochs=20)
    return {
        "short": synthetic_results(two_question_study()),
        "long": turned,
    }


def test_verdicts_stand_side_by_side_by_claim(studies: dict[str, StudyResults]) -> None:
    found = compare_studies(studies)
    claims = {
        (q.name, c.name) for s in studies.values() for q in s.study.questions for c in q.claims
    }
    assert len(found.rows) == len(claims)
    by_text = {(row.question, row.text): row for row in found.rows}
    kernel = by_text["Kernel size", "larger kernels mean fewer parameters"]
    assert kernel.judged[1] is None and kernel.agreement == "judged in one"
    params = by_text["Stride", "a larger stride means fewer parameters"]
    assert params.agreement == "agree"
    later = by_text["Stride", "a lower stride is still more accurate after 20 epochs"]
    assert later.judged[0] is not None and later.judged[0].verdict.outcome == "not judged"
    assert later.agreement == "judged in one"
    assert found.score.startswith("2 studies, ")


def test_agreement_is_of_outcomes() -> None:
    strong = synthetic_results(stride_study())
    few = dataclasses.replace(strong, plan=dataclasses.replace(strong.plan, seeds=(0, 1)))
    rows = compare_studies({"ten": strong, "two": few}).rows
    for row in rows:
        outcomes = {one.verdict.outcome for one in row.judged if one} - {"not judged"}
        assert (row.agreement == "differ") == (len(outcomes) > 1)
    assert {"agree", "differ"} <= {row.agreement for row in rows}


def test_settings_that_differ_are_listed_and_no_others(studies: dict[str, StudyResults]) -> None:
    table = settings_table(studies)
    assert table is not None
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}
    assert rows == {"study": ["notebook", "stride"], "epochs": ["2", "20"]}
    assert settings_table({"a": studies["short"], "b": studies["short"]}) is None


def test_the_page_is_whole_and_hostile_labels_are_text(tmp_path: Path) -> None:
    hostile = "<script>alert('x')</script> & \"q\""
    named = {
        "one": synthetic_results(relabelled(stride_study(), hostile), seeds=range(3)),
        "two": synthetic_results(stride_study(), seeds=range(4), epochs=3),
    }
    text = write_comparison(named, tmp_path).read_text(encoding="utf-8")
    page = Page(text)
    assert page.faults == []
    assert text.count("<script") == 1
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert all(href.removeprefix("#") in ids for href in page.values("href") if href != "#")
    assert not re.search(r"https?:|@import", text)
    assert {p.name for p in (tmp_path / "figures").iterdir()} >= {"effects.png", "map.svg"}


def test_folders_are_called_by_their_last_part() -> None:
    assert names_of_folders(["a/rate_1/", "b/rate_1", "."]) == ["rate_1", "rate_1-2", "unnamed"]
