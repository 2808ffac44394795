"""Adding units until every contrast is decided, with the error rate of the whole study proven.

At each declared look every statement that is open is tested by an exact sign-flip test whose level
is spent over the looks (`crossing` has the boundaries, `spending` the schedule). What may be stated
of a contrast, and how contrasts share the level, is as in a study of fixed size (`statements`):
'more than' and 'less than' have half the level each, Holm within each half; where a contrast makes
its strong statement the others' boundaries are found anew at their larger share, from the first
look on, which is what closed testing asks (Maurer and Bretz 2013). A strong statement also needs
the weak one of its direction.

So the chance of any false statement at any look is at most the level if differences are symmetric;
for advantages that lie beyond a limit, rather than on it, they must have one peak as well (the sign
of a difference from the limit then favours the true side, whatever its size).

What is found is a function of the differences alone: nothing is remembered from look to look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_ablation.inference.crossing import first_crossings
from cnn_ablation.inference.intervals import Interval, interval_from_json
from cnn_ablation.inference.sequential_counts import counts_of, grid_of
from cnn_ablation.inference.sequential_interval import sequential_interval
from cnn_ablation.inference.skewness import sample_skewness
from cnn_ablation.inference.spending import SequentialDesign

SequentialDecision = Literal["holds", "fails", "open"]


@dataclass(frozen=True)
class SequentialOutcome:
    """What a sequential study has found about one contrast so far.

    Attributes:
        outcome: 'holds', 'fails', or 'open' (at the last look: inconclusive).
        riders: 'reversed' and 'equivalent' of a contrast that fails.
        look: the look, from 1, at which the outcome was reached; None while open.
        units: its number of units; None while open.
        looks_taken: looks that the contrast's data allow.
        n: pairs in them, without those dropped.
        difference: their mean advantage; None without a pair.
        biased: whether the study could have stopped before; `difference` is then biased, away from
            the margin where it stopped early. The interval is not.
        interval: simultaneous over contrasts and looks; None while it has
            no ends (see `sequential_interval`).
        skewness: sample skewness of the differences; beyond +-1 the error rate is not kept.
        grid: step that differences were counted in; None without a pair.
    """

    outcome: SequentialDecision
    riders: tuple[str, ...]
    look: int | None
    units: int | None
    looks_taken: int
    n: int
    difference: float | None
    biased: bool
    interval: Interval | None
    grid: float | None
    skewness: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        return asdict(self) | {"riders": list(self.riders)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SequentialOutcome:
        """The inverse of `to_json`."""
        interval = interval_from_json(data["interval"])
        return cls(**{**data, "riders": tuple(data["riders"]), "interval": interval})


class _Contrast:
    """The evidence on one contrast: which statements are made, by which look, at which share."""

    def __init__(
        self, advantages: ArrayLike, margin: float, design: SequentialDesign, contrasts: int
    ) -> None:
        data = np.asarray(advantages, dtype=np.float64)[: design.most_units]
        self.looks_taken = design.looks_within(data.size)
        units = design.looks[self.looks_taken - 1] if self.looks_taken else 0
        self.advantages = data[:units]
        self.margin, self.design, self.contrasts = margin, design, contrasts
        self.grid = grid_of(self.advantages, margin, design)
        self._crossings: dict[float, NDArray[np.int64]] = {}

    def _crossing(self, null: float, direction: int, made: int) -> int:
        """The look at which the test of a null crosses with so many strong statements made."""
        known = self._crossings.get(null)
        if known is None or len(known) <= made:
            rows = min(self.contrasts, max(made + 1, 0 if known is None else 2 * len(known)))
            counts = counts_of(self.advantages, null, self.grid)
            known = first_crossings(
                counts,
                self.design.looks,
                self.design.shares(),
                self.design.direction_levels(self.contrasts)[:rows],
            )
            self._crossings[null] = known
        return int(known[made, direction])

    def interval(self) -> Interval | None:
        """Simultaneous over the family: each contrast at its first share of the level."""
        level = self.design.direction_levels(self.contrasts)[0]
        return sequential_interval(self.advantages, self.grid, self.design, level)

    def more_than_minus_margin(self, look: int, made: int) -> bool:
        return self._crossing(-self.margin, 0, made) <= look

    def more_than_margin(self, look: int, made: int) -> bool:
        return self._crossing(self.margin, 0, made) <= look and self.more_than_minus_margin(
            look, made
        )

    def less_than_margin(self, look: int, made: int) -> bool:
        return self._crossing(self.margin, 1, made) <= look

    def less_than_zero(self, look: int, made: int) -> bool:
        return self.less_than_margin(look, made) and self._crossing(0.0, 1, made) <= look


@dataclass
class _State:
    """What is stated of one contrast as looks go by."""

    outcome: SequentialDecision = "open"
    look: int | None = None
    reversed: bool = False
    equivalent: bool = False


def judge_sequentially(
    advantages: Sequence[ArrayLike],
    margins: Sequence[float],
    design: SequentialDesign,
    intervals: bool = True,
) -> tuple[SequentialOutcome, ...]:
    """Judges the contrasts of one family on all differences so far.

    Args:
        advantages: for each contrast its paired differences, positive where they speak for the
            claim, in the declared order of the units; NaN for a pair that was dropped. They may be
            of different lengths: a contrast that is decided needs no more units. Units beyond the
            last look that a contrast completes are not looked at.
        margins: the smallest interesting advantage d >= 0 of each contrast.
        design: the declared schedule.
        intervals: whether to find them too, which takes most of the time.

    Returns:
        One outcome per contrast, in the same order.
    """
    contrasts = [
        _Contrast(values, margin, design, len(margins))
        for values, margin in zip(advantages, margins, strict=True)
    ]
    states = [_State() for _ in contrasts]
    for look in range(max((contrast.looks_taken for contrast in contrasts), default=0)):
        _take_look(contrasts, states, look)
    return tuple(
        _outcome(contrast, state, intervals)
        for contrast, state in zip(contrasts, states, strict=True)
    )


def _take_look(contrasts: Sequence[_Contrast], states: Sequence[_State], look: int) -> None:
    """Makes what statements the look allows, until none frees a share for another."""
    before = None
    while before != (made := _strong_statements(states)):
        before = made
        holding, reversing = made
        for contrast, state in zip(contrasts, states, strict=True):
            if state.outcome == "open":
                if contrast.more_than_margin(look, holding):
                    state.outcome, state.look = "holds", look
                elif contrast.less_than_margin(look, reversing):
                    state.outcome, state.look = "fails", look
            if state.outcome == "fails":
                state.reversed |= contrast.less_than_zero(look, reversing)
                state.equivalent |= contrast.more_than_minus_margin(look, holding)


def _strong_statements(states: Sequence[_State]) -> tuple[int, int]:
    """How many contrasts hold and how many are reversed, short of all of them."""
    most = len(states) - 1
    holding = sum(state.outcome == "holds" for state in states)
    return min(most, holding), min(most, sum(state.reversed for state in states))


def _outcome(contrast: _Contrast, state: _State, intervals: bool) -> SequentialOutcome:
    pairs = contrast.advantages[np.isfinite(contrast.advantages)]
    margin = contrast.margin
    riders = ["reversed"] if state.reversed else []
    riders += ["equivalent"] if state.equivalent and margin > 0.0 else []
    return SequentialOutcome(
        outcome=state.outcome,
        riders=tuple(riders),
        look=state.look + 1 if state.look is not None else None,
        units=contrast.design.looks[state.look] if state.look is not None else None,
        looks_taken=contrast.looks_taken,
        n=pairs.size,
        difference=float(np.mean(pairs)) if pairs.size else None,
        biased=len(contrast.design.looks) > 1,
        interval=contrast.interval() if intervals else None,
        grid=float(f"{contrast.grid:.12g}") if pairs.size else None,
        skewness=sample_skewness(pairs),
    )
