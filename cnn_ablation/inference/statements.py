"""What may be stated of an advantage: four exact tests a contrast, one level a family.

Of an advantage with margin d four things may be stated, two in each direction: that it is *more*
than -d, or even more than d; that it is *less* than d, or even less than 0. They are the weak and
the strong statement of their direction. A family may make any of them of each of its contrasts, and
the chance of a single false one stays at the level:

- Each direction has half the level. Within one, a contrast is tested at its share of that half for
  its weak and its strong statement alike. The one-sided p value of 'less than c' is the share of
  groups of units whose mean is at least c (flipping those does not raise the sum), so it only falls
  as c grows: where 'less than c' is false, it is not made unless the test at the true advantage,
  which is c or more, rejects as well. One contrast errs in one direction with its share at most.
- Shares are Holm's: level / 2 / (contrasts whose strong statement is not made yet). A contrast
  passes its share on only with its strong statement: while more can be said of it, that might be
  false. Let T be the contrasts whose strong statement is false. No statement about another contrast
  is false in this direction, so before the first false one only contrasts outside T have passed on
  their shares, and each of T is tested at level / 2 / |T| at most. The chance that any of T errs is
  level / 2 at most, whatever depends on what; over both directions, the level.

Holm's test of 'the advantage is d' alone, two-sided, would not do: with its level handed on as soon
as a contrast fails, riders and signs would be tested at a level that other contrasts use up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_ablation.inference.families import holm
from cnn_ablation.inference.sign_flip import sign_flip_test


@dataclass(frozen=True)
class StatementPValues:
    """The p value of each statement, two-sided: a level of 0.05 asks for 0.05, 2.5 % a direction.

    Attributes:
        more_than_margin: of 'more than d', the claim: *holds*.
        more_than_minus_margin: of 'more than -d', which *equivalent* needs beside *fails*.
        less_than_margin: of 'less than d': *fails*.
        less_than_zero: of 'less than 0': *reversed*.
    """

    more_than_margin: float = 1.0
    more_than_minus_margin: float = 1.0
    less_than_margin: float = 1.0
    less_than_zero: float = 1.0


def statement_p_values(
    advantages: ArrayLike, margin: float, grid: float | None = None
) -> StatementPValues:
    """Tests, one contrast alone, each statement by the exact sign-flip test of its limit.

    Args:
        advantages: paired differences, positive where they speak for the claim, shape (n,).
        margin: d >= 0, in the unit of the advantages.
        grid: see `sign_flip_test`.
    """
    more, less = _both_ways(advantages, margin, grid)
    if margin == 0.0:
        return StatementPValues(more, more, less, less)
    return StatementPValues(
        more_than_margin=more,
        more_than_minus_margin=_both_ways(advantages, -margin, grid)[0],
        less_than_margin=less,
        less_than_zero=_both_ways(advantages, 0.0, grid)[1],
    )


def adjust_statements(family: Sequence[StatementPValues]) -> list[StatementPValues]:
    """Adjusts the statements of a family; make those whose p value is at most the level.

    Args:
        family: those of each contrast; all ones for a contrast without data, which still counts.

    Returns:
        The adjusted ones, in the same order.
    """
    holds = [p_values.more_than_margin for p_values in family]
    reversals = [p_values.less_than_zero for p_values in family]
    adjusted = zip(
        step_down(holds, holds).tolist(),
        step_down([p_values.more_than_minus_margin for p_values in family], holds).tolist(),
        step_down([p_values.less_than_margin for p_values in family], reversals).tolist(),
        step_down(reversals, reversals).tolist(),
        strict=True,
    )
    return [StatementPValues(*p_values) for p_values in adjusted]


def step_down(p_values: ArrayLike, strong: ArrayLike) -> NDArray[np.float64]:
    """Adjusts statements of one direction, by Holm over the strong statement of each contrast.

    Args:
        p_values: of the statements to adjust, shape (k,).
        strong: p value of each contrast's strong statement, shape (m,).

    Returns:
        For each the smallest level at which it is made, shape (k,); Holm's own where both
        arguments are the same.
    """
    raw = np.asarray(p_values, dtype=np.float64)
    # With f strong statements made, which the level must allow, m - f contrasts share it.
    made_at = np.concatenate([[0.0], np.sort(holm(strong))])[:-1]
    sharing = np.arange(made_at.size, 0, -1)
    if not made_at.size:
        return raw
    steps = np.maximum(raw[:, None] * sharing, made_at)
    return np.asarray(np.minimum(1.0, np.min(steps, axis=1)))


def _both_ways(advantages: ArrayLike, null: float, grid: float | None) -> tuple[float, float]:
    """The p values of 'more than null' and 'less than null': one of them is 1."""
    p_value = sign_flip_test(advantages, null, grid).p_value
    centred = float(np.sum(np.asarray(advantages, dtype=np.float64) - null))
    return (p_value, 1.0) if centred > 0.0 else (1.0, p_value)
