"""The picture of all choices: what is the base, what is compared, what it costs."""

import dataclasses
from pathlib import Path

import pytest
from synthetic_results import stride_study, synthetic_results, two_question_study

from cnn_ablation.design import NetworkSpec
from cnn_ablation.errors import InputError
from cnn_ablation.inference import t_interval
from cnn_ablation.report import write_effects
from cnn_ablation.report.effects import Effect, base_of, choices_of, count_choices, effects_of
from cnn_ablation.report.effects_figure import columns_of, effects_chart, number_of
from cnn_ablation.studies import activation, padding, pooling
from cnn_ablation.study import Question, Study, Variant
from cnn_ablation.study.results import StudyResults


@pytest.fixture(scope="module")
def results() -> StudyResults:
    return synthetic_results(two_question_study())


def test_the_base_is_the_reference_or_what_contrasts_name_most() -> None:
    assert base_of(pooling.QUESTION).label == "pool none"
    # Its reference is no variant; both contrasts have this one.
    assert base_of(padding.QUESTION).label == "valid,valid"
    named = [v.label for v in activation.QUESTION.variants]
    assert base_of(activation.QUESTION).label in named
    bare = Question("q", "Q", (Variant("a"), Variant("b", NetworkSpec(stride=2))))
    assert base_of(bare).label == "a"


def test_controls_and_other_names_of_the_base_are_no_choices() -> None:
    again = Variant("also a"), Variant("b", NetworkSpec(stride=2)), Variant("c", control_of="b")
    question = Question("q", "Q", (Variant("a"), *again))
    assert [(one.label, base.label) for one, base in choices_of(question)] == [("b", "a")]
    controls = Question("q", "Q", (Variant("c", control_of="b"),))
    assert choices_of(controls) == []


def test_tuned_variants_are_compared_with_the_tuned_base() -> None:
    stride2 = NetworkSpec(stride=2)
    twins = (
        Variant("a tuned", control_of="a", arm="tuned", training={"learning_rate": 3.0}),
        Variant("b tuned", stride2, control_of="b", arm="tuned", training={"learning_rate": 0.3}),
        Variant("c tuned", control_of="c", arm="tuned", is_open=True),
    )
    question = Question("q", "Q", (Variant("a"), Variant("b", stride2), *twins))
    pairs = [(one.label, base.label) for one, base in choices_of(question)]
    assert pairs == [("b", "a"), ("b tuned", "a tuned")]
    alone = [(one.label, base.label) for one, base in choices_of(question, tuned_alone=True)]
    assert alone == [("b tuned", "a tuned")]
    untuned = Question("q", "Q", question.variants[:2])
    assert choices_of(untuned, tuned_alone=True) == choices_of(untuned)


def test_an_effect_is_the_paired_difference_with_a_simultaneous_interval(
    results: StudyResults,
) -> None:
    effects = effects_of(results)
    assert len(effects) == count_choices(results) == 9
    effect = next(one for one in effects if one.label == "s3")
    by_seed = {
        label: [
            trial.epochs[-1].test_accuracy
            for variant in results.study.questions[1].variants
            if variant.label == label
            for trial in results.trials_of(variant)
        ]
        for label in ("s1", "s3")
    }
    differences = [a - b for a, b in zip(by_seed["s3"], by_seed["s1"], strict=True)]
    interval = t_interval(differences, 0.05 / 9)
    assert interval is not None and effect.interval is not None
    assert effect.base == "s1"
    assert effect.interval.low == pytest.approx(interval.low)
    assert effect.interval.high == pytest.approx(interval.high)


def test_prices_are_multiples_of_the_base_s(results: StudyResults) -> None:
    effect = next(one for one in effects_of(results) if one.label == "s2")
    assert effect.prices["parameters"] == pytest.approx(20_042 / 296_522)
    assert 0.0 < effect.prices["time"] < 1.0
    untimed = synthetic_results(stride_study(), rounds=0)
    assert "time" not in effects_of(untimed)[0].prices


def test_more_studies_make_wider_intervals_and_share_a_column_of_one_dataset() -> None:
    strides = synthetic_results(stride_study())
    other = Study("p", "P", (dataclasses.replace(pooling.QUESTION, claims=()),))
    pools = synthetic_results(other)
    alone, (column,) = effects_of(strides)[0], columns_of([strides, pools])
    together = column.effects[alone.question, alone.label, alone.base]
    assert alone.interval is not None and together.interval is not None
    assert together.interval.low < alone.interval.low
    assert len(column.effects) == count_choices(strides) + count_choices(pools)
    # The same choices twice: columns are told apart by what differs.
    longer = synthetic_results(stride_study(), epochs=5)
    assert [c.title for c in columns_of([strides, longer])] == [
        f"{strides.data.title}, 2 epochs",
        f"{strides.data.title}, 5 epochs",
    ]


def test_rows_are_sorted_and_told_to_those_who_do_not_see_them(results: StudyResults) -> None:
    chart = effects_chart([results])
    assert chart is not None
    (panel,) = chart.panels
    told = [part.split()[-3] for part in panel.alt.split(": ", 1)[1].split("], ")]
    numbers = [float(number.replace("−", "-")) for number in told]
    assert len(numbers) == 9
    assert numbers == sorted(numbers, reverse=True)


def test_a_picture_is_written_or_nothing(results: StudyResults, tmp_path: Path) -> None:
    write_effects([results], tmp_path / "effects.svg")
    text = (tmp_path / "effects.svg").read_text(encoding="utf-8")
    assert "Stride  s2 − s1" in text
    with pytest.raises(InputError, match=r"must end in \.png or \.svg"):
        write_effects([results], tmp_path / "effects.gif")
    nothing = synthetic_results(stride_study(), status_of=lambda d, s: "missing", rounds=0)
    assert effects_chart([nothing]) is None
    with pytest.raises(InputError, match="no study has a choice"):
        write_effects([nothing], tmp_path / "none.png")
    assert [path.name for path in tmp_path.iterdir()] == ["effects.svg"]


def test_one_seed_has_no_interval() -> None:
    effect = effects_of(synthetic_results(stride_study(), seeds=(0,)))[0]
    assert effect.interval is None and not effect.is_decided
    assert "[" not in number_of(effect)
    assert number_of(Effect("q", "a", "b", None, None, {})) == "no data"
