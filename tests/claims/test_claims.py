"""Claims and verdicts on tables of numbers whose answer is plain."""

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_ablation.claims import (
    Claim,
    Setting,
    Verdict,
    chain,
    check,
    decide,
    judge,
    prospects_of,
)
from cnn_ablation.errors import InputError
from cnn_ablation.inference import Interval, StatementPValues

SETTING = Setting("mnist", 2, "adadelta", 1.0)
LONG = Setting("mnist", 20, "adadelta", 1.0)
JITTER = [0.0, 0.001, -0.001, 0.0005, -0.0005, 0.0008, -0.0008, 0.0002, -0.0002, 0.0]


def a_claim(**changes: Any) -> Claim:
    fields: dict[str, Any] = {
        "name": "ab",
        "question": "q",
        "text": "A is more accurate than B",
        "metric": "test_accuracy",
        "contrasts": (("A", "B"),),
    }
    return Claim(**fields | changes)


def accuracies(**means: float) -> dict[str, dict[str, dict[int, float]]]:
    """Ten seeds; B keeps its mean in each, the others jitter around theirs."""
    return {
        "test_accuracy": {
            label: {
                seed: mean + (0.0 if label == "B" else jitter) for seed, jitter in enumerate(JITTER)
            }
            for label, mean in means.items()
        }
    }


def verdict_on(claim: Claim, table: Any, setting: Setting = SETTING) -> Verdict:
    (verdict,) = judge([claim], table, setting)
    return verdict


@pytest.mark.parametrize(
    ("low", "high", "margin", "outcome", "riders"),
    [
        (0.1, 0.3, 0.1, "holds", ()),
        (0.09, 0.3, 0.1, "inconclusive", ()),
        (0.01, 0.3, 0.0, "holds", ()),
        (0.0, 0.3, 0.0, "inconclusive", ()),
        (-0.5, 0.09, 0.1, "fails", ()),
        (-0.5, 0.1, 0.1, "inconclusive", ()),
        (-0.09, 0.09, 0.1, "fails", ("equivalent",)),
        (-0.1, 0.09, 0.1, "fails", ()),
        (-0.5, -0.2, 0.1, "fails", ("reversed",)),
        (-0.09, -0.01, 0.1, "fails", ("reversed", "equivalent")),
        (-0.5, -0.2, 0.0, "fails", ("reversed",)),
        (-0.5, 0.0, 0.0, "inconclusive", ()),
        (-0.5, 0.5, 0.1, "inconclusive", ()),
    ],
)
def test_the_rule(
    low: float, high: float, margin: float, outcome: str, riders: tuple[str, ...]
) -> None:
    interval = Interval(low, high)
    assert decide(interval, margin, 0.05, 0.05) == (outcome, riders)
    assert decide(interval, margin, 0.0501, 0.05) == ("inconclusive", ())
    assert decide(None, margin, 0.0, 0.05) == ("inconclusive", ())


@pytest.mark.parametrize(
    ("mean_a", "outcome", "riders"),
    [
        (0.95, "holds", ()),
        (0.901, "inconclusive", ()),
        (0.90, "fails", ("equivalent",)),
        (0.85, "fails", ("reversed",)),
    ],
)
def test_three_verdicts_and_their_riders(
    mean_a: float, outcome: str, riders: tuple[str, ...]
) -> None:
    verdict = verdict_on(a_claim(), accuracies(A=mean_a, B=0.9))
    assert (verdict.outcome, verdict.riders) == (outcome, riders)
    assert (verdict.n, verdict.dropped, verdict.family_size) == (10, 0, 1)
    assert verdict.setting == SETTING


def test_a_smaller_claim_mirrors_a_greater_one() -> None:
    table = accuracies(A=0.95, B=0.9)
    mirrored = a_claim(direction="smaller", contrasts=(("B", "A"),))
    greater, smaller = verdict_on(a_claim(), table), verdict_on(mirrored, table)
    assert greater.outcome == smaller.outcome == "holds"
    assert greater.contrasts[0].p_value == smaller.contrasts[0].p_value
    assert greater.contrasts[0].difference == pytest.approx(-(smaller.contrasts[0].difference or 0))
    assert verdict_on(a_claim(direction="smaller"), table).riders == ("reversed",)


def test_margin_moves_the_line() -> None:
    table = accuracies(A=0.92, B=0.9)
    outcomes = [verdict_on(a_claim(margin=d), table).outcome for d in (0.0, 0.01, 0.02, 0.03)]
    assert outcomes == ["holds", "holds", "inconclusive", "fails"]
    assert a_claim().smallest_interesting == 0.001
    assert a_claim(metric="train_seconds").smallest_interesting == 0.05
    assert a_claim(metric="test_loss").smallest_interesting == 0.0


def test_too_few_seeds_decide_nothing_and_it_is_said_before() -> None:
    table = {
        metric: {label: {s: v for s, v in values.items() if s < 5} for label, values in v.items()}
        for metric, v in accuracies(A=0.95, B=0.1).items()
    }
    verdict = verdict_on(a_claim(), table)
    assert verdict.outcome == "inconclusive"
    assert "5 seeds cannot" in verdict.sentence()
    assert "6 seeds could" in verdict.sentence()
    (before,) = prospects_of([a_claim()], SETTING, seeds=5)
    assert not before.can_decide
    assert (before.smallest_p, before.units_needed) == (0.0625, 6)
    assert "6 seeds could" in before.sentence()
    (enough,) = prospects_of([a_claim()], SETTING, seeds=10)
    assert enough.can_decide
    assert "1.0" in enough.sentence()


def test_plan_counts_the_whole_family_and_each_kind_of_unit() -> None:
    claims = [
        a_claim(contrasts=chain("A", "B", "C", "D", "E", "F")),
        a_claim(name="t", kind="timing", metric="train_seconds", contrasts=chain(*"ABCDEF")),
        a_claim(name="p", kind="exact", metric="params"),
        a_claim(name="late", contrasts=(("F", "A"),), min_epochs=20),
    ]
    paired, timing = prospects_of(claims, SETTING, seeds=9, rounds=6)
    assert (paired.kind, paired.contrasts, paired.family_size, paired.n) == ("paired", 5, 10, 9)
    assert paired.units_needed == 9
    assert paired.can_decide
    assert (timing.kind, timing.n, timing.can_decide) == ("timing", 6, False)
    assert [p.family_size for p in prospects_of(claims, LONG, seeds=9)] == [11]


def test_holm_and_bonferroni_run_over_the_whole_question() -> None:
    table = accuracies(A=0.95, B=0.9, C=0.9003)
    alone = verdict_on(a_claim(), table).contrasts[0]
    claims = [a_claim(), a_claim(name="cb", contrasts=(("C", "B"),))]
    first, second = judge(claims, table, SETTING)
    assert first.family_size == second.family_size == 2
    assert first.contrasts[0].p_value == alone.p_value == 2 / 2**10
    assert first.contrasts[0].p_adjusted == 4 / 2**10
    assert second.contrasts[0].p_adjusted == pytest.approx(second.contrasts[0].p_value or 0)
    widths = [v.interval.high - v.interval.low for v in (alone, first.contrasts[0]) if v.interval]
    assert widths[1] > widths[0]


def test_a_hypothesis_shared_by_two_claims_counts_once() -> None:
    claims = [a_claim(), a_claim(name="again", min_epochs=20)]
    first, second = judge(claims, accuracies(A=0.95, B=0.9), LONG)
    assert first.family_size == second.family_size == 1
    assert first.contrasts == second.contrasts
    other_margin = a_claim(name="wide", margin=0.01)
    assert judge([a_claim(), other_margin], accuracies(A=0.95, B=0.9), LONG)[0].family_size == 2


def test_questions_are_separate_families() -> None:
    claims = [a_claim(), a_claim(name="other", question="r", contrasts=(("A", "C"),))]
    verdicts = judge(claims, accuracies(A=0.95, B=0.9, C=0.9), SETTING)
    assert [v.family_size for v in verdicts] == [1, 1]


@pytest.mark.parametrize(
    ("means", "outcome"),
    [
        ({"A": 0.95, "B": 0.93, "C": 0.90}, "holds"),
        ({"A": 0.95, "B": 0.93, "C": 0.94}, "fails"),
        ({"A": 0.95, "B": 0.93, "C": 0.929}, "inconclusive"),
        ({"A": 0.9305, "B": 0.93, "C": 0.94}, "fails"),
        ({"A": 0.95, "B": 0.93}, "not judged"),
        ({"B": 0.93, "C": 0.94}, "fails"),
    ],
)
def test_composite_claims(means: dict[str, float], outcome: str) -> None:
    claim = a_claim(contrasts=chain("A", "B", "C"))
    assert verdict_on(claim, accuracies(**means)).outcome == outcome


def test_claims_that_do_not_apply_are_not_judged_and_cost_nothing() -> None:
    late = a_claim(name="late", contrasts=(("A", "C"),), min_epochs=20)
    first, second = judge([a_claim(), late], accuracies(A=0.95, B=0.9, C=0.9), SETTING)
    assert first.family_size == 1
    assert second.outcome == "not judged"
    assert "20 epochs" in second.sentence()
    assert judge([late], accuracies(A=0.95, C=0.9), LONG)[0].outcome == "holds"


def test_missing_data_is_named_and_still_counts_in_the_family() -> None:
    claims = [a_claim(), a_claim(name="ac", contrasts=(("A", "C"),))]
    first, second = judge(claims, accuracies(A=0.95, B=0.9), SETTING)
    assert (first.outcome, first.family_size) == ("holds", 2)
    assert second.outcome == "not judged"
    assert "No test accuracy of C" in second.sentence()
    (none_at_all,) = judge([a_claim()], {}, SETTING)
    assert none_at_all.outcome == "not judged"


def test_diverged_trials_drop_their_pair_and_it_is_said() -> None:
    table: Any = accuracies(A=0.95, B=0.9)
    table["test_accuracy"]["A"][3] = math.nan
    table["test_accuracy"]["B"][7] = None
    verdict = verdict_on(a_claim(), table)
    assert (verdict.outcome, verdict.n, verdict.dropped) == ("holds", 8, 2)
    assert "2 pairs dropped" in verdict.sentence()
    every_trial = {"test_accuracy": {"A": {1: math.nan}, "B": {1: 0.5}}}
    assert verdict_on(a_claim(), every_trial).outcome == "not judged"


def test_one_seed_and_ties() -> None:
    one = verdict_on(a_claim(), {"test_accuracy": {"A": {0: 0.9}, "B": {0: 0.1}}})
    assert one.outcome == "inconclusive"
    assert one.contrasts[0].interval is None
    level_pegging = {"test_accuracy": {v: dict.fromkeys(range(10), 0.9) for v in "AB"}}
    assert verdict_on(a_claim(), level_pegging).riders == ("equivalent",)
    direction = verdict_on(a_claim(margin=0.0), level_pegging)
    assert direction.outcome == "inconclusive"
    assert "same difference in every seed" in direction.sentence()


def test_inconclusive_says_what_was_possible_and_what_it_would_take() -> None:
    verdict = verdict_on(a_claim(), accuracies(A=0.9012, B=0.9))
    (contrast,) = verdict.contrasts
    assert verdict.outcome == "inconclusive"
    assert contrast.comparison is not None
    assert contrast.comparison.sd is not None
    # One contrast, 10 units: 1.0 standard deviations and a little for the exact test.
    assert contrast.detectable == pytest.approx(1.02 * contrast.comparison.sd, rel=0.03)
    assert contrast.units_needed is not None
    assert contrast.units_needed > 10
    planned = f"a study is planned with {contrast.units_needed:,} seeds (power 80 %)"
    assert planned in verdict.sentence()
    assert "beyond the margin" in verdict.sentence()


def test_an_interval_away_from_zero_may_still_be_within_the_margin() -> None:
    (contrast,) = (verdict := verdict_on(a_claim(), accuracies(A=0.9012, B=0.9))).contrasts
    assert contrast.interval is not None and 0.0 < contrast.interval.low < 0.001
    why = "all above zero but not clear of the margin of 0.1 points"
    assert why in verdict.sentence()
    lower = a_claim(metric="test_loss", direction="smaller", margin=0.001)
    other = verdict_on(lower, {"test_loss": accuracies(A=0.8988, B=0.9)["test_accuracy"]})
    assert other.outcome == "inconclusive"
    assert "all below zero but not clear of the margin of 0.001" in other.sentence()
    for table in (accuracies(A=0.9002, B=0.9), accuracies(A=0.95, B=0.9)):
        assert "not clear of" not in verdict_on(a_claim(), table).sentence()


def test_an_inconclusive_claim_names_what_is_decided_too() -> None:
    table = accuracies(A=0.9012, B=0.9, C=0.8, D=0.7)
    one = verdict_on(a_claim(contrasts=(("A", "B"), ("B", "C"))), table)
    assert one.outcome == "inconclusive"
    assert "1 of 2 comparisons is open" in one.sentence()
    assert ". Decided is B against C, which holds. Setting" in one.sentence()
    two = verdict_on(a_claim(contrasts=(("A", "B"), ("B", "C"), ("B", "D"))), table)
    assert ". Decided are B against C and B against D, which hold. " in two.sentence()
    assert "Decided" not in verdict_on(a_claim(), table).sentence()


def test_a_sentence_is_its_parts() -> None:
    verdict = verdict_on(a_claim(), accuracies(A=0.95, B=0.93))
    assert verdict.sentence().startswith(f"Holds: A is more accurate than B. {verdict.findings()}")
    assert "Setting" not in verdict.findings()


def test_timing_claims_pair_by_round() -> None:
    seconds = {
        "fast": {r: 1.0 + 0.1 * r for r in range(10)},
        "slow": {r: 1.5 + 0.1 * r + (0.01 if r % 2 else 0.0) for r in range(10)},
    }
    claim = a_claim(
        metric="train_seconds",
        contrasts=(("fast", "slow"),),
        direction="smaller",
        kind="timing",
        text="fast is faster",
    )
    setting = dataclasses.replace(SETTING, device="one CPU core")
    verdict = verdict_on(claim, {"train_seconds": seconds}, setting)
    assert verdict.outcome == "holds"
    assert "fast against slow 1.36 [1.31, 1.42] times as fast" in verdict.sentence()
    assert "margin 5 %" in verdict.sentence()
    assert "lower in 10 of 10 rounds" in verdict.sentence()
    assert "on one CPU core" in verdict.sentence()


def test_exact_claims_need_no_statistics() -> None:
    table = {"params": {"A": {0: 10, 1: 10}, "B": {0: 20}, "C": {5: 20}}}
    claim = a_claim(metric="params", kind="exact", direction="smaller", text="A is smaller")
    assert verdict_on(claim, table).outcome == "holds"
    assert "10 to 20" in verdict_on(claim, table).sentence()
    equal = dataclasses.replace(claim, contrasts=(("B", "C"),))
    assert (verdict_on(equal, table).outcome, verdict_on(equal, table).riders) == (
        "fails",
        ("equivalent",),
    )
    assert verdict_on(dataclasses.replace(claim, direction="greater"), table).riders == (
        "reversed",
    )
    absent = dataclasses.replace(claim, contrasts=(("A", "D"),))
    assert verdict_on(absent, table).outcome == "not judged"
    with pytest.raises(InputError, match="'A' is 10 and 11"):
        verdict_on(claim, {"params": {"A": {0: 10, 1: 11}, "B": {0: 20}}})


def test_check_names_what_did_not_come_out_as_expected() -> None:
    table = accuracies(A=0.95, B=0.9)
    claims = [
        a_claim(name="good", expected=True),
        a_claim(name="bad", contrasts=(("B", "A"),), expected="holds"),
        a_claim(name="known to fail", contrasts=(("B", "A"),), expected="fails"),
        a_claim(name="open", contrasts=(("B", "A"),)),
        a_claim(name="not yet", expected=True, min_epochs=20),
        a_claim(name="no data", contrasts=(("A", "C"),), expected=True),
    ]
    assert [v.claim.name for v in check(judge(claims, table, SETTING))] == ["bad", "no data"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"direction": "bigger"}, "'bigger' is not one of greater, smaller"),
        ({"kind": "magic"}, "'magic' is not one of paired, timing, exact"),
        ({"expected": "true"}, "'true' is not one of holds, fails, inconclusive"),
        ({"margin": -0.1}, "must be finite and >= 0"),
        ({"margin": math.nan}, "must be finite and >= 0"),
        ({"contrasts": ()}, "at least one is needed"),
        ({"contrasts": (("A", "A"),)}, "needs two variants"),
    ],
)
def test_bad_claims_are_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        a_claim(**changes)
    assert "'ab'" in str(error.value)
    assert "\n" not in str(error.value)


def test_bad_judging_is_refused() -> None:
    with pytest.raises(InputError, match="level 0 must lie between"):
        judge([a_claim()], {}, SETTING, level=0)
    with pytest.raises(InputError, match="'ab' is declared more than once"):
        judge([a_claim(), a_claim()], {}, SETTING)


def test_sentence_in_full() -> None:
    claim = a_claim(contrasts=chain("A", "B", "C"), text="earlier letters win")
    sentence = verdict_on(claim, accuracies(A=0.95, B=0.93, C=0.9)).sentence()
    assert sentence == (
        "Holds: earlier letters win. Both comparisons hold (test accuracy, margin 0.1 points), the "
        "narrowest: A against B +2.00 [+1.94, +2.06] points, p = 0.0039, higher in 10 of 10 seeds. "
        "Setting: mnist, 2 epochs, adadelta at learning rate 1, 10 seeds. 95 % intervals "
        "simultaneous (Bonferroni) and sign-flip p adjusted (Holm) over 2 contrasts. They speak "
        "for new seeds on these test images."
    )


outcomes_strategy = st.dictionaries(
    st.sampled_from("ABC"),
    st.dictionaries(st.integers(0, 12), st.none() | st.floats(0, 1) | st.just(math.nan)),
)


@given(outcomes_strategy, st.sampled_from([0.0, 0.01]), st.integers(1, 30))
@settings(max_examples=60)
def test_any_table_gives_strict_json_and_a_sentence(
    values: dict[str, dict[int, float | None]], margin: float, epochs: int
) -> None:
    claims = [
        a_claim(contrasts=chain("A", "B", "C"), margin=margin),
        a_claim(name="down", contrasts=(("C", "A"),), direction="smaller", min_epochs=20),
    ]
    setting = Setting("mnist", epochs, "sgd", 0.1)
    for verdict in judge(claims, {"test_accuracy": values}, setting):
        text = json.dumps(verdict.to_json(), allow_nan=False)
        assert Verdict.from_json(json.loads(text)) == verdict
        assert verdict.sentence().startswith(verdict.outcome.capitalize())
        assert "nan" not in verdict.sentence()


@given(st.integers(0, 1000), st.integers(2, 14), st.sampled_from([0.0, 0.5]))
@settings(max_examples=60)
def test_verdicts_never_contradict_their_own_numbers(seed: int, n: int, margin: float) -> None:
    rng = np.random.default_rng(seed)
    values = {
        v: dict(enumerate(rng.normal(m, 0.7, n).tolist()))
        for v, m in zip("AB", (1, 0), strict=True)
    }
    (verdict,) = judge([a_claim(metric="score", margin=margin)], {"score": values}, SETTING)
    (contrast,) = verdict.contrasts
    assert contrast.interval is not None
    assert contrast.p_adjusted is not None
    if verdict.outcome == "holds":
        assert contrast.interval.low >= margin
    if verdict.outcome == "fails":
        assert contrast.interval.high < margin
    if verdict.outcome != "inconclusive":
        assert contrast.p_adjusted <= 0.05
    assert (contrast.reason != "") == (verdict.outcome == "inconclusive")


@pytest.mark.parametrize(
    ("advantages", "riders"),
    [
        ([-1.0, -1.0, -1.0, -1.0, -1.0, -0.05], ("reversed",)),
        ([-1.0, -1.0, -1.0, -1.0, -1.0, 0.05], ()),
        ([0.1, 0.0, 0.1, -0.05, 0.05, -0.95], ("equivalent",)),
        ([0.1, 0.0, 0.1, -0.05, 0.05, -1.05], ()),
    ],
)
@pytest.mark.parametrize("direction", ["greater", "smaller"])
def test_riders_need_the_exact_test_of_their_own_limit(
    advantages: list[float], riders: tuple[str, ...], direction: str
) -> None:
    """The interval says the same of each pair of rows; six seeds must agree for the exact test."""
    margin = 1.0 if abs(sum(advantages)) < 2.0 else 0.5
    sign = 1.0 if direction == "greater" else -1.0
    table = {
        "score": {
            "A": {seed: sign * advantage for seed, advantage in enumerate(advantages)},
            "B": dict.fromkeys(range(6), 0.0),
        }
    }
    verdict = verdict_on(a_claim(metric="score", margin=margin, direction=direction), table)
    (contrast,) = verdict.contrasts
    assert (verdict.outcome, verdict.riders) == ("fails", riders)
    assert contrast.interval is not None
    assert contrast.statements is not None
    low, high = sorted((sign * contrast.interval.low, sign * contrast.interval.high))
    assert high < 0.0 or -margin < low
    exact = min(contrast.statements.less_than_zero, contrast.statements.more_than_minus_margin)
    assert exact == (2 / 64 if riders else 4 / 64)


def test_directions_share_the_level_and_it_is_said() -> None:
    """Seven seeds: A holds with all of them alike, C is one seed short of that the other way."""
    advantages = {
        "A": [1.0, 1.1, 1.2, 1.0, 1.1, 1.2, 1.3],
        "C": [-1.0, -1.1, -1, -1, -1.1, -1, 0.1],
    }
    scores = {label: dict(enumerate(values)) for label, values in advantages.items()}
    scores |= {"B": dict.fromkeys(range(7), 0.0)}
    claims = [
        a_claim(name=name, metric="score", contrasts=((name, "B"),), margin=0.0) for name in "AC"
    ]
    holds, short = judge(claims, {"score": scores}, SETTING)
    assert holds.contrasts[0].statements == StatementPValues(4 / 128, 4 / 128, 1.0, 1.0)
    (contrast,) = short.contrasts
    assert contrast.interval is not None
    assert contrast.interval.high < 0.0
    assert contrast.p_adjusted == 4 / 128
    assert contrast.statements == StatementPValues(1.0, 1.0, 8 / 128, 8 / 128)
    assert short.outcome == "inconclusive"
    assert "does not confirm it in its direction (p = 0.062 over the claims" in short.sentence()


def test_verdicts_kept_before_statements_were_are_still_read() -> None:
    verdict = verdict_on(a_claim(), accuracies(A=0.95, B=0.9))
    data = verdict.to_json()
    for contrast in data["contrasts"]:
        del contrast["statements"]
    (contrast_read,) = Verdict.from_json(data).contrasts
    assert contrast_read == dataclasses.replace(verdict.contrasts[0], statements=None)


def test_what_was_decided_on_skewed_differences_says_so() -> None:
    jitter = [0.002, 0.001, 0.0015, 0.002, 0.001, 0.002, 0.001, 0.0015, 0.002, -0.02]
    table = accuracies(A=0.95, B=0.9, C=0.85)
    for seed, shift in enumerate(jitter):
        table["test_accuracy"]["A"][seed] = 0.95 + shift
    skewed = verdict_on(a_claim(), table)
    assert [contrast.contrast for contrast in skewed.skewed] == [("A", "B")]
    warning = " The differences are skewed (sample skewness up to -2.6); at a true skewness of 2"
    assert warning in skewed.sentence()
    of_two = verdict_on(a_claim(contrasts=chain("A", "B", "C")), table)
    assert "The differences of 1 comparison are skewed" in of_two.sentence()
    assert verdict_on(a_claim(contrasts=(("B", "C"),)), table).skewed == ()
    undecided = verdict_on(a_claim(margin=0.05), table)
    assert undecided.outcome == "inconclusive"
    assert "skewed" not in undecided.sentence()
