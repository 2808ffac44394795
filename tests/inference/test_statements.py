"""Statements of several contrasts: no false one more often than the level, by enumeration."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cnn_ablation.inference import (
    StatementPValues,
    adjust_statements,
    holm,
    sign_flip_test,
    statement_p_values,
)
from cnn_ablation.inference.statements import step_down

Array = NDArray[np.float64]
p_values = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8)
SIGNS = np.array(list(itertools.product((-1.0, 1.0), repeat=6)))


def test_each_statement_is_the_sign_flip_test_of_its_limit() -> None:
    advantages = [0.3, 0.1, -0.05, 0.2, 0.15, 0.02]
    found = statement_p_values(advantages, 0.5)
    at = {null: sign_flip_test(advantages, null).p_value for null in (-0.5, 0.0, 0.5)}
    assert found == StatementPValues(1.0, at[-0.5], at[0.5], 1.0)
    turned = statement_p_values([-advantage for advantage in advantages], 0.5)
    assert turned == StatementPValues(1.0, at[0.5], at[-0.5], at[0.0])
    direction = statement_p_values(advantages, 0.0)
    assert direction == StatementPValues(at[0.0], at[0.0], 1.0, 1.0)
    assert statement_p_values([], 0.1) == statement_p_values([0.0], 0.0) == StatementPValues()


@given(
    st.lists(st.integers(-12, 12), min_size=1, max_size=10),
    st.integers(-14, 14),
    st.integers(0, 28),
)
@settings(max_examples=150, deadline=None)
def test_what_is_less_than_a_limit_is_less_than_a_higher_one(
    advantages: list[int], limit: int, further: int
) -> None:
    """The proof of the family-wise error rate rests on this."""

    def less_than(null: int) -> float:
        p_value = sign_flip_test(advantages, null).p_value
        return p_value if sum(advantages) < null * len(advantages) else 1.0

    assert less_than(limit + further) <= less_than(limit)


@given(p_values)
def test_strong_statements_are_adjusted_by_holm(strong: list[float]) -> None:
    assert step_down(strong, strong) == pytest.approx(holm(strong), rel=1e-12)


shares = st.floats(1e-6, 1.0)


@given(st.lists(st.tuples(shares, shares), min_size=1, max_size=7))
@settings(max_examples=200)
def test_adjusted_p_is_the_smallest_level_at_which_the_steps_make_the_statement(
    pairs: list[tuple[float, float]],
) -> None:
    weak = np.array([min(pair) for pair in pairs])
    strong = np.array([max(pair) for pair in pairs])

    def made(level: float) -> NDArray[np.bool_]:
        done = np.zeros(strong.size, dtype=bool)
        while True:
            share = level / max(1, int(np.count_nonzero(~done)))
            more = done | (strong <= share)
            if np.array_equal(more, done):
                return np.asarray(weak <= share)
            done = more

    for contrast, level in enumerate(step_down(weak, strong).tolist()):
        assert level == 1.0 or made(level * (1 + 1e-9))[contrast]
        assert not made(level * (1 - 1e-9))[contrast]


def test_steps_by_hand() -> None:
    family = [
        StatementPValues(1.0, 0.004, 0.006, 0.02),
        StatementPValues(0.003, 0.001, 1.0, 1.0),
        StatementPValues(0.008, 0.001, 1.0, 1.0),
    ]
    first, second, third = adjust_statements(family)
    # Two of three hold; the third contrast's statements of the other direction face all three.
    assert (second.more_than_margin, third.more_than_margin) == pytest.approx((0.009, 0.016))
    assert first.less_than_margin == pytest.approx(0.018)
    assert first.less_than_zero == pytest.approx(0.06)
    # 3 x 0.004, or at a level of 0.009 and more 2 x 0.004.
    assert first.more_than_minus_margin == pytest.approx(0.009)
    # What fails without being reversed passes nothing on.
    failing = [StatementPValues(1.0, 1.0, p_value, 0.5) for p_value in (0.004, 0.01)]
    adjusted = [p_values.less_than_margin for p_values in adjust_statements(failing)]
    assert adjusted == pytest.approx([0.008, 0.02])
    assert adjust_statements([]) == []
    assert adjust_statements([StatementPValues()]) == [StatementPValues()]


def false_statements(truth: float, margin: float, made: StatementPValues, level: float) -> bool:
    """Whether the outcome that is made of a contrast, or a rider of it, is false."""
    holds, fails = made.more_than_margin <= level, made.less_than_margin <= level
    reverses = fails and made.less_than_zero <= level
    equals = fails and made.more_than_minus_margin <= level
    return (
        (holds and truth <= margin)
        or (fails and truth >= margin)
        or (reverses and truth >= 0.0)
        or (equals and not -margin < truth < margin)
    )


def family_wise_error(
    truths: tuple[float, ...], margin: float, orders: list[Array], level: float
) -> float:
    """Over all 2^6 patterns of signs: the share with a false statement about any contrast.

    Args:
        truths: the advantage of each contrast.
        margin: of all of them.
        orders: for each contrast the patterns of signs in an order of its own, which is how the
            contrasts depend on each other.
        level: family-wise.
    """
    sizes = np.array([3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    alone = [
        [statement_p_values(truth + signs * sizes, margin) for signs in order]
        for truth, order in zip(truths, orders, strict=True)
    ]
    return float(
        np.mean(
            [
                any(
                    false_statements(truth, margin, made, level)
                    for truth, made in zip(truths, adjust_statements(family), strict=True)
                )
                for family in zip(*alone, strict=True)
            ]
        )
    )


@pytest.mark.parametrize("truths", list(itertools.product((-9.0, 0.0, 4.0, 9.0, 14.0), repeat=2)))
@pytest.mark.parametrize("level", [0.125, 0.25, 0.5])
def test_any_false_statement_of_two_contrasts_stays_at_the_level(
    truths: tuple[float, float], level: float
) -> None:
    """Signs that are the same, opposite, and such that extremes of the two never meet."""
    for other in (SIGNS, -SIGNS, np.roll(SIGNS, 1, axis=0), np.roll(SIGNS, 20, axis=0)):
        assert family_wise_error(truths, 9.0, [SIGNS, other], level) <= level


def test_riders_at_the_level_of_holms_step_would_err_too_often() -> None:
    """One contrast at its margin, one far below it and at zero; their extremes never meet.

    Holm lets the second fail, tests the first at the whole level, and would add 'reversed' to the
    second at the half.
    """
    sizes = np.array([3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    level, margin, wrong = 0.25, 100.0, 0
    for signs, others in zip(SIGNS, np.roll(SIGNS, 20, axis=0), strict=True):
        at_margin, at_zero = margin + signs * sizes, others * sizes
        first = sign_flip_test(at_margin, margin).p_value <= level
        second = at_zero.sum() < 0 and sign_flip_test(at_zero).p_value <= level / 2
        wrong += first or second
    assert wrong / len(SIGNS) > level
    rate = family_wise_error((margin, 0.0), margin, [SIGNS, np.roll(SIGNS, 20, axis=0)], level)
    assert 0.0 < rate <= level
