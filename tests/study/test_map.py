"""Maps: axes from text, points, and few epochs as the beginning of many."""

import dataclasses
from pathlib import Path

import pytest
import small_study

from cnn_ablation.claims import Verdict
from cnn_ablation.claims.verdict import Outcome
from cnn_ablation.data import Dataset
from cnn_ablation.design import DataSpec, TrainingSpec
from cnn_ablation.errors import InputError
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.execution.session import train_study
from cnn_ablation.study import Study, Variant
from cnn_ablation.study.map import (
    agreement,
    at_epoch,
    checked_axes,
    judge_point,
    points,
    read_axes,
    trained_points,
)
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.verdicts import judge_results

STUDY = small_study.study(4, 6)


def test_axes_are_read_in_their_fields_own_form() -> None:
    axes = read_axes("learning_rate:0.1,1  x  epochs:1,2 x dataset:mnist,fashion_mnist")
    assert axes == {
        "learning_rate": (0.1, 1.0),
        "epochs": (1, 2),
        "dataset": ("mnist", "fashion_mnist"),
    }
    assert [point.label for point in points(axes)][:3] == [
        "learning_rate=0.1 epochs=1 dataset=mnist",
        "learning_rate=0.1 epochs=1 dataset=fashion_mnist",
        "learning_rate=0.1 epochs=2 dataset=mnist",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("learning_rate", "must be FIELD:VALUE,VALUE"),
        ("epochs:", "must be FIELD:VALUE,VALUE"),
        ("epochs:1,two", "epochs must be a whole number"),
        ("epochs:0,1", "epochs=0: must be a whole number of 1 or more"),
        ("epochs:1,1", "epochs: must have values, each once"),
        ("stride:1,2", "stride is of the network"),
        ("colour:red", "there is no field colour"),
        ("optimizer:adam,none", "optimizer=none"),
    ],
)
def test_what_is_no_map_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        checked_axes(read_axes(text), f"--map={text}")


def test_epochs_are_read_from_the_longest_training() -> None:
    axes = read_axes("epochs:1,5,2 x learning_rate:0.1,1")
    trained = trained_points(axes, STUDY, TrainingSpec())
    assert [(whole.label, len(read)) for whole, read in trained] == [
        ("learning_rate=0.1 epochs=5", 3),
        ("learning_rate=1.0 epochs=5", 3),
    ]
    assert {p.label for _, read in trained for p in read} == {p.label for p in points(axes)}


@pytest.mark.parametrize(
    ("text", "training", "changes"),
    [
        ("epochs:1,2", TrainingSpec(schedule="cosine"), {}),
        ("epochs:1,2", TrainingSpec(warmup=1.0), {}),
        ("epochs:1,2 x schedule:constant,cosine", TrainingSpec(), {}),
        ("epochs:1,2", TrainingSpec(), {"schedule": "cosine"}),
        ("epochs:1,2", TrainingSpec(), {"epochs": 3}),
    ],
)
def test_where_the_rate_depends_on_the_epochs_each_is_trained(
    text: str, training: TrainingSpec, changes: dict[str, object]
) -> None:
    variants = [*STUDY.questions[0].variants, Variant("other", training=changes)]
    question = dataclasses.replace(STUDY.questions[0], variants=tuple(variants))
    study = dataclasses.replace(STUDY, questions=(question,))
    axes = read_axes(text)
    assert len(trained_points(axes, study, training)) == len(points(axes))


def results_of(folder: Path, epochs: int) -> StudyResults:
    options = StudyOptions.of(
        training=small_study.TRAINING.replace(epochs=epochs),
        data=small_study.DATA,
        seeds=range(4),
        workdir=str(folder),
        executor="inline",
        conv="xla",
        controls=False,
        timing_rounds=1,
    )
    return train_study(STUDY, options)


def test_the_beginning_of_a_long_training_is_a_short_one(mnist: Dataset, tmp_path: Path) -> None:
    short, long = (results_of(tmp_path / str(epochs), epochs) for epochs in (1, 3))
    begun = at_epoch(long, 1)
    assert begun.plan.designs == short.plan.designs

    def figures(results: StudyResults) -> list[object]:
        return [
            (t.spec, t.seed, t.status, [(e.train_loss, e.test_loss) for e in t.epochs])
            for t in results.trials
        ]

    assert figures(begun) == figures(short)
    assert [t.spec for t in begun.timings] == [t.spec for t in short.timings]
    one, other = (v for r in (begun, short) for v in judge_results(r) if v.claim.name == "better")
    assert one.contrasts[0].difference == other.contrasts[0].difference
    assert (one.contrasts[0].scope, other.contrasts[0].scope) == ("benchmark", "population")
    assert at_epoch(long, 3) is long


def test_a_trial_that_diverged_later_was_complete_before(mnist: Dataset, tmp_path: Path) -> None:
    results = results_of(tmp_path, 3)
    first = results.trials[0]
    diverged = dataclasses.replace(
        first, status="diverged", epochs=first.epochs[:2], test_correct=None
    )
    results = dataclasses.replace(results, trials=(diverged, *results.trials[1:]))
    assert [at_epoch(results, n).trials[0].status for n in (1, 2, 3)] == [
        "completed",
        "completed",
        "diverged",
    ]


def test_what_was_not_declared_is_exploratory(mnist: Dataset, tmp_path: Path) -> None:
    results = results_of(tmp_path, 1)
    (_, looked_at), (_, declared) = (
        judge_point(results, declared, 6) for declared in (False, True)
    )
    assert looked_at.exploratory == (
        "one of 6 settings that were looked at, each at the full level",
    )
    assert declared.exploratory == ()


def test_agreement_says_where_a_verdict_turns(mnist: Dataset, tmp_path: Path) -> None:
    fewer, better = judge_results(results_of(tmp_path, 1))

    def found(*outcomes: Outcome) -> dict[str, list[Verdict]]:
        return {
            f"rate {number}": [fewer, dataclasses.replace(better, outcome=outcome)]
            for number, outcome in enumerate(outcomes)
        }

    assert agreement(found("holds", "holds")) == ["better: holds at every setting"]
    assert agreement(found("holds", "fails", "holds")) == [
        "better: holds at rate 0, rate 2; fails at rate 1"
    ]


def test_a_level_of_ones_own_is_kept_and_judged_at() -> None:
    with pytest.raises(InputError, match=r"level=1\.5: must lie between 0 and 1"):
        Study("a", "A", (), level=1.5)


def test_settings_that_do_not_go_together_are_refused_by_name() -> None:
    (point,) = points(read_axes("warmup:5"))
    with pytest.raises(InputError, match=r"map: warmup=5\.0: warmup=5\.0: must not be longer"):
        point.settings(TrainingSpec(), DataSpec())
