"""Sequential verdicts: rules by hand, error rates by enumeration, intervals after stopping."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cnn_ablation.errors import InputError
from cnn_ablation.inference import (
    SPENDING,
    Interval,
    SequentialDesign,
    SequentialOutcome,
    adjust_statements,
    judge_sequentially,
    looks_between,
    statement_p_values,
)

Array = NDArray[np.float64]
IMAGE = 1e-4


def outcomes(
    advantages: list[Array], margin: float, design: SequentialDesign
) -> list[SequentialOutcome]:
    return list(judge_sequentially(advantages, [margin] * len(advantages), design, intervals=False))


def images(mean: float, n: int, seed: int, sd: float = 14.0) -> Array:
    counts: Array = np.rint(np.random.default_rng(seed).normal(mean, sd, size=n))
    return counts * IMAGE


def test_a_clear_difference_is_decided_at_the_first_look_that_can() -> None:
    design = SequentialDesign((5, 10, 20))
    (found,) = outcomes([np.full(20, 0.01)], 0.001, design)
    # Linear spending allows 0.025 / 4 by 5 units, less than 1 / 32, and 0.0125 by 10.
    assert (found.outcome, found.look, found.units) == ("holds", 2, 10)
    assert (found.looks_taken, found.n, found.riders) == (3, 20, ())
    assert found.difference == pytest.approx(0.01)
    assert found.grid == 0.001
    (at_ten,) = outcomes([np.full(10, 0.01)], 0.001, design)
    assert (at_ten.outcome, at_ten.look, at_ten.looks_taken) == ("holds", 2, 2)
    (before,) = outcomes([np.full(9, 0.01)], 0.001, design)
    assert (before.outcome, before.look, before.looks_taken, before.n) == ("open", None, 1, 5)


@pytest.mark.parametrize(
    ("advantage", "outcome", "riders"),
    [
        (0.01, "holds", ()),
        (0.0, "fails", ("equivalent",)),
        (-0.01, "fails", ("reversed",)),
        (-0.0005, "fails", ("reversed", "equivalent")),
        (0.001, "open", ()),
        (-0.001, "fails", ("reversed",)),
    ],
)
def test_outcomes_and_riders(advantage: float, outcome: str, riders: tuple[str, ...]) -> None:
    (found,) = outcomes([np.full(20, advantage)], 0.001, SequentialDesign((10, 20)))
    assert (found.outcome, found.riders) == (outcome, riders)
    (direction,) = outcomes([np.full(20, advantage)], 0.0, SequentialDesign((10, 20)))
    expected = "holds" if advantage > 0 else "fails" if advantage < 0 else "open"
    assert direction.outcome == expected
    assert direction.riders == (("reversed",) if advantage < 0 else ())


def test_a_rider_may_follow_at_a_later_look() -> None:
    """Ten units all below the margin, half of them above zero; then all below zero."""
    values = np.concatenate([np.tile([3.0, -3.0], 5), np.full(30, -3.0)]) * IMAGE
    design = SequentialDesign((10, 40))
    assert outcomes([values[:10]], 0.001, design)[0].riders == ("equivalent",)
    (later,) = outcomes([values], 0.001, design)
    assert (later.outcome, later.look, later.riders) == ("fails", 1, ("reversed", "equivalent"))


def test_a_share_that_is_passed_on_decides_another_contrast() -> None:
    """Eight contrasts of 10 units: the closest needs the share of others that hold."""
    design = SequentialDesign((10,))
    clear, flat, close = np.full(10, 5.0), np.tile([1.0, -1.0], 5), np.full(10, 5.0)
    close[:2] = -1.0
    one_sided = statement_p_values(close, 0.0).more_than_margin / 2
    decided = []
    for others in range(8):
        family = [clear] * others + [flat] * (7 - others) + [close]
        found = outcomes(family, 0.0, design)
        assert [f.outcome for f in found[:-1]] == ["holds"] * others + ["open"] * (7 - others)
        assert (found[-1].outcome == "holds") == (one_sided <= 0.025 / (8 - others))
        decided.append(found[-1].outcome == "holds")
    assert set(decided) == {True, False}


@given(st.integers(0, 10_000), st.integers(1, 5), st.sampled_from([0.0, 0.001]))
@settings(max_examples=60, deadline=None)
def test_one_look_gives_the_statements_of_the_fixed_design(
    seed: int, contrasts: int, margin: float
) -> None:
    rng = np.random.default_rng(seed)
    means = rng.choice([-20.0, -10.0, 0.0, 10.0, 25.0], size=contrasts)
    family = [images(mean, 12, seed + k) for k, mean in enumerate(means)]
    adjusted = adjust_statements([statement_p_values(values, margin) for values in family])
    for found, p_values in zip(
        outcomes(family, margin, SequentialDesign((12,))), adjusted, strict=True
    ):
        assert (found.outcome == "holds") == (p_values.more_than_margin <= 0.05)
        assert (found.outcome == "fails") == (p_values.less_than_margin <= 0.05)
        if found.outcome == "fails":
            assert ("reversed" in found.riders) == (p_values.less_than_zero <= 0.05)
            equivalent = p_values.more_than_minus_margin <= 0.05 and margin > 0.0
            assert ("equivalent" in found.riders) == equivalent


@given(st.integers(0, 10_000), st.sampled_from(sorted(SPENDING)), st.sampled_from([None, IMAGE]))
@settings(max_examples=50, deadline=None)
def test_outcomes_are_a_function_of_the_data_and_never_taken_back(
    seed: int, spending: str, grid: float | None
) -> None:
    """What was found at a look is found again with any number of later units."""
    design = SequentialDesign((6, 9, 14, 20), 0.2, spending, grid)
    rng = np.random.default_rng(seed)
    family = [images(float(rng.normal(5, 12)), 20, seed + k) for k in range(4)]
    family[1][rng.integers(0, 20, size=3)] = math.nan
    before = [SequentialOutcome("open", (), None, None, 0, 0, None, True, None, None)] * 4
    for units in range(6, 21):
        found = outcomes([values[:units] for values in family], 0.001, design)
        for old, new in zip(before, found, strict=True):
            if old.outcome != "open":
                assert (new.outcome, new.look) == (old.outcome, old.look)
                assert set(old.riders) <= set(new.riders)
            elif new.outcome != "open":
                assert new.look == new.looks_taken == design.looks_within(units)
        before = found
    assert found == outcomes(family, 0.001, design)


def test_decided_contrasts_need_no_more_units() -> None:
    design = SequentialDesign((10, 20, 40))
    clear, close = images(60, 40, 1), images(9, 40, 2)
    both = outcomes([clear, close], 0.0, design)
    short = outcomes([clear[:10], close], 0.0, design)
    assert short[0].look == both[0].look == 1
    assert short[1] == both[1]
    assert both[1].outcome == "holds"
    assert short[0].looks_taken == 1


def test_dropped_pairs_count_for_nothing_but_keep_their_place() -> None:
    values = images(30, 20, 3)
    values[[2, 7, 15]] = math.nan
    design = SequentialDesign((10, 20))
    (found,) = outcomes([values], 0.001, design)
    assert (found.looks_taken, found.n) == (2, 17)
    assert found.difference == pytest.approx(float(np.nanmean(values)))
    at_margin = np.where(np.isnan(values), 0.001, values)
    (same,) = outcomes([at_margin], 0.001, design)
    assert (same.outcome, same.look) == (found.outcome, found.look)
    (nothing,) = outcomes([np.full(20, math.nan)], 0.001, design)
    assert (nothing.outcome, nothing.n, nothing.difference) == ("open", 0, None)
    assert outcomes([np.array([])], 0.0, design)[0].looks_taken == 0


def test_losses_are_counted_on_a_fine_grid() -> None:
    rng = np.random.default_rng(5)
    losses = rng.normal(0.02, 0.02, size=40)
    design = SequentialDesign((10, 20, 40))
    (found,) = judge_sequentially([losses], [0.0], design)
    assert found.grid is not None
    assert 0.0 < found.grid < 1e-4
    declared = SequentialDesign((10, 20, 40), grid=1e-5)
    (coarser,) = judge_sequentially([losses], [0.0], declared)
    assert coarser.grid == 1e-5
    assert (found.outcome, found.look) == (coarser.outcome, coarser.look) == ("holds", 1)
    assert found.interval is not None
    assert coarser.interval is not None
    assert found.interval.low == pytest.approx(coarser.interval.low, abs=1e-3)
    # A value that counts a thousand times as much as the first look's is cut, and does no harm.
    losses[-1] = 1e9
    assert outcomes([losses], 0.0, design)[0].look == 1


SIGNS = np.array(list(itertools.product((1.0, -1.0), repeat=8)))
SIZES = np.array([3.0, 9.0, 4.0, 6.0, 1.0, 7.0, 2.0, 8.0])


def is_false(found: SequentialOutcome, truth: float, margin: float) -> bool:
    return (
        (found.outcome == "holds" and truth <= margin)
        or (found.outcome == "fails" and truth >= margin)
        or ("reversed" in found.riders and truth >= 0.0)
        or ("equivalent" in found.riders and not -margin < truth < margin)
    )


@pytest.mark.parametrize("truth", [-9.0, -4.0, 0.0, 5.0, 9.0, 12.0])
@pytest.mark.parametrize("looks", [(3, 5, 8), (4, 8), (2, 3, 4, 5, 6, 7, 8)])
def test_any_false_verdict_on_one_contrast_by_complete_enumeration(
    truth: float, looks: tuple[int, ...]
) -> None:
    """Advantages symmetric about the truth, in and out of the margin of 9; levels of 0.1 to 0.5."""
    for level in (0.1, 0.25, 0.5):
        design = SequentialDesign(looks, level)
        found = [outcomes([truth + signs * SIZES], 9.0, design)[0] for signs in SIGNS]
        assert np.mean([is_false(each, truth, 9.0) for each in found]) <= level
        if truth <= 9.0:
            assert np.mean([each.outcome == "holds" for each in found]) <= level / 2


@pytest.mark.slow
@pytest.mark.parametrize("truths", list(itertools.product((-9.0, 0.0, 9.0), repeat=2)))
def test_any_false_verdict_on_two_contrasts_by_complete_enumeration(
    truths: tuple[float, float],
) -> None:
    """The second contrast has the same signs, opposite ones, or extremes that never meet."""
    design = SequentialDesign((3, 5, 8), 0.3)
    for other in (SIGNS, -SIGNS, np.roll(SIGNS, 40, axis=0), np.roll(SIGNS, 100, axis=0)):
        wrong = 0
        for first, second in zip(SIGNS, other, strict=True):
            family = [truths[0] + first * SIZES, truths[1] + second * SIZES[::-1]]
            found = outcomes(family, 9.0, design)
            wrong += any(map(is_false, found, truths, (9.0, 9.0)))
        assert wrong / len(SIGNS) <= design.level


def test_intervals_hold_after_stopping() -> None:
    """Normal differences, two contrasts, stopped when both are decided: simultaneous coverage."""
    design = SequentialDesign((8, 12, 18, 24), 0.1)
    rng = np.random.default_rng(11)
    covered, replicates, truth = 0, 250, 5.0
    for _ in range(replicates):
        family = [np.rint(rng.normal(truth, 14, size=24)) for _ in range(2)]
        for units in design.looks:
            found = judge_sequentially([values[:units] for values in family], [0.0] * 2, design)
            if all(each.outcome != "open" for each in found):
                break
        ends = [each.interval or Interval(-math.inf, math.inf) for each in found]
        covered += all(end.low <= truth <= end.high for end in ends)
    assert covered / replicates >= 0.9 - 4 * (0.09 / replicates) ** 0.5
    assert covered < replicates


@pytest.mark.parametrize("sd", [14.0, 200.0])
def test_the_interval_inverts_the_test(sd: float) -> None:
    design = SequentialDesign((10, 20), grid=1.0)
    values = np.rint(np.random.default_rng(2).normal(1.4 * sd, sd, size=20))
    (found,) = judge_sequentially([values], [0.0], design)
    assert found.interval is not None
    assert found.difference is not None
    low, high = found.interval.low, found.interval.high
    assert low < found.difference < high
    # A margin just outside is decided against, one just inside is not.
    assert outcomes([values], low, design)[0].outcome == "holds"
    assert outcomes([values], low + 1, design)[0].outcome == "open"
    assert outcomes([values], high, design)[0].outcome == "fails"
    assert outcomes([values], high - 1, design)[0].outcome == "open"
    wider = judge_sequentially([values] * 5, [0.0] * 5, design)[0].interval
    assert wider is not None
    assert wider.low < low < high < wider.high
    assert judge_sequentially([values[:3]], [0.0], design)[0].interval is None


def test_few_units_have_no_interval_with_ends() -> None:
    (found,) = judge_sequentially([images(5, 4, 1)], [0.0], SequentialDesign((4, 20)))
    assert found.interval is None


def test_the_stopped_mean_is_marked() -> None:
    values = images(60, 20, 4)
    for looks, biased in (((10, 20), True), ((20,), False)):
        (found,) = outcomes([values], 0.0, SequentialDesign(looks))
        assert found.biased == biased


def test_designs_are_checked_and_survive_strict_json() -> None:
    design = SequentialDesign((10, 20, 40), 0.01, "cubic", 1e-4)
    text = json.dumps(design.to_json(), allow_nan=False)
    assert SequentialDesign.from_json(json.loads(text)) == design
    assert design.shares() == pytest.approx((1 / 64, 1 / 8, 1.0))
    assert design.direction_levels(2) == (0.0025, 0.005)
    assert design.most_units == 40
    for found in judge_sequentially([images(60, 40, 4), images(0, 4, 4)], [0.0, 0.1], design):
        text = json.dumps(found.to_json(), allow_nan=False)
        assert SequentialOutcome.from_json(json.loads(text)) == found


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"looks": ()}, "must be rising"),
        ({"looks": (10, 10)}, "must be rising"),
        ({"looks": (0, 10)}, "must be rising"),
        ({"looks": (10,), "level": 1.0}, "level 1.0 must lie"),
        ({"looks": (10,), "spending": "all"}, "'all' is not one of linear"),
        ({"looks": (10,), "grid": 0.0}, "grid 0.0 must be"),
    ],
)
def test_bad_designs_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SequentialDesign(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "last", "looks"),
    [
        (10, 60, (10, 14, 20, 28, 40, 60)),
        (10, 40, (10, 14, 20, 28, 40)),
        (10, 10, (10,)),
        (10, 11, (11,)),
        (1, 4, (1, 2, 3, 4)),
    ],
)
def test_looks_between(first: int, last: int, looks: tuple[int, ...]) -> None:
    assert looks_between(first, last) == looks
    with pytest.raises(InputError, match="upwards"):
        looks_between(last + 1, last)


def test_spending_rises_from_nothing_to_all() -> None:
    for spent in SPENDING.values():
        assert (spent(0.0), spent(1.0)) == (0.0, 1.0)
        assert np.all(np.diff([spent(units / 50) for units in range(51)]) > 0.0)
