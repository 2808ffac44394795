"""A report's pieces, as a notebook shows them."""

import pytest
from synthetic_results import stride_study, synthetic_results, two_question_study

from cnn_ablation.report import Answer, answers
from cnn_ablation.study.verdicts import judge_results


@pytest.fixture(scope="module")
def strides() -> list[Answer]:
    return answers(synthetic_results(stride_study()))


def test_a_question_is_followed_by_its_control_arm() -> None:
    titles = [answer.title for answer in answers(synthetic_results(two_question_study()))]
    assert titles == [
        "Kernel size",
        "Kernel size: control arm",
        "Stride",
        "Stride: control arm",
    ]


def test_pieces_are_shown_as_what_they_are(strides: list[Answer]) -> None:
    question, control = strides
    assert set(question.figures) == {"learning", "outcomes", "tradeoff", "differences", "epochs"}
    assert set(control.figures) == {"learning", "differences", "epochs"}
    figure = control.figures["differences"]
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert repr(figure).startswith("Paired differences in test accuracy: s1 minus s2")
    assert "paired" in figure.caption._repr_markdown_().lower()
    assert repr(question.table) == question.table._repr_markdown_() == str(question.table)


def test_every_claim_is_judged_once(strides: list[Answer]) -> None:
    said = "".join(answer.verdicts for answer in strides).splitlines()
    verdicts = judge_results(synthetic_results(stride_study()))
    assert len([line for line in said if line]) == len(verdicts)
    for verdict in verdicts:
        assert any(verdict.claim.text in line for line in said)


def test_a_table_is_short_and_leaves_out_what_is_empty() -> None:
    timed, untimed = (
        answers(synthetic_results(stride_study(), rounds=rounds))[0].table for rounds in (3, 0)
    )
    head, _, *rows = timed.strip().splitlines()
    assert "s per epoch" in head and "published %, loss, s" in head
    assert "s per epoch" not in untimed and "parameters" in untimed
    assert [row.split(" | ")[0] for row in rows] == [f"| s{s}" for s in range(1, 6)]
    assert "<sub>" not in "".join(rows)
    assert "15.12" in rows[1] and " – " in rows[0]
