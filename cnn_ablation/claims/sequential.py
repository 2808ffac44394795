"""Judging the contrasts of one family in a study that adds seeds until they are decided.

For new seeds on these images the exact sequential test decides (`inference.sequential`). For new
seeds and new images the crossed interval, which takes the same looks and spends by the same
function, must agree with it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from cnn_ablation.claims.claim import Claim, Contrast, Correct, Hypothesis, Table
from cnn_ablation.claims.evidence import Measured, measured, no_unit
from cnn_ablation.claims.paired import NOT_KNOWN, decide, level_of, oriented_by, scope_of
from cnn_ablation.claims.verdict import ContrastVerdict, Outcome, Stop
from cnn_ablation.claims.words import plural
from cnn_ablation.inference import (
    CrossedComparison,
    Interval,
    SequentialDesign,
    SequentialOutcome,
    compare,
    judge_sequentially,
    pair,
)
from cnn_ablation.inference.crossed_sequential import crossed_at_looks

Looks = list[tuple[CrossedComparison, Interval]]


@dataclasses.dataclass(frozen=True)
class Schedule:
    """When a study looks at its results.

    Attributes:
        design: looks, level of a family and how it is spent.
        seeds: the seeds in the order in which they are trained, up to the cap.
    """

    design: SequentialDesign
    seeds: tuple[Hashable, ...]


@dataclasses.dataclass(frozen=True)
class _Contrast:
    """One hypothesis with its data in the order of the seeds."""

    claim: Claim
    contrast: Contrast
    found: Measured
    units: tuple[Hashable, ...]
    advantages: NDArray[np.float64]

    @property
    def has_images(self) -> bool:
        """Whether every pair's images are known."""
        rows = self.found.rows(self.units)
        pairs = np.isfinite(self.advantages)
        known = [row for row, paired in zip(rows, pairs, strict=True) if paired]
        sizes = {None if row is None else row.size for row in known}
        return len(sizes) == 1 and None not in sizes


def judge_sequential_family(
    claims: Sequence[Claim],
    hypotheses: Sequence[Hypothesis],
    table: Table,
    correct: Correct,
    schedule: Schedule,
    intervals: bool = True,
) -> dict[str, tuple[ContrastVerdict, ...]]:
    """Judges the paired claims of one question on all seeds so far.

    Args:
        claims: those that apply.
        hypotheses: the family.
        table: see `judge`.
        correct: see `judge`.
        schedule: looks, and the level of the whole family.
        intervals: whether to find those of the exact test too, which takes most of the time.
    """
    contrasts = {
        claim.hypothesis(contrast): _contrast(claim, contrast, table, correct, schedule)
        for claim in claims
        for contrast in claim.contrasts
    }
    family = [contrasts[key] for key in hypotheses]
    design = dataclasses.replace(schedule.design, grid=_grid(family))
    outcomes = judge_sequentially(
        [one.advantages for one in family],
        [one.claim.threshold for one in family],
        design,
        intervals=intervals,
    )
    judged = {
        key: _verdict(one, outcome, design, len(family))
        for key, one, outcome in zip(hypotheses, family, outcomes, strict=True)
    }
    return {
        claim.name: tuple(judged[claim.hypothesis(contrast)] for contrast in claim.contrasts)
        for claim in claims
    }


def _contrast(
    claim: Claim, contrast: Contrast, table: Table, correct: Correct, schedule: Schedule
) -> _Contrast:
    """The advantages up to the first seed that either variant lacks; NaN for a dropped pair."""
    found = measured(claim, contrast, table, correct)
    paired = pair(found.values_a, found.values_b)
    known = dict(zip(paired.units, paired.differences.tolist(), strict=True))
    units: list[Hashable] = []
    for seed in schedule.seeds:
        if seed not in found.values_a or seed not in found.values_b:
            break
        units.append(seed)
    taken = schedule.design.looks_within(len(units))
    units = units[: schedule.design.looks[taken - 1] if taken else 0]
    advantages = np.array([claim.sign * known.get(unit, np.nan) for unit in units])
    return _Contrast(claim, contrast, found, tuple(units), advantages)


def _grid(family: Sequence[_Contrast]) -> float | None:
    """The step of accuracies over so many images; None where metrics or images differ."""
    sizes = {one.found.images for one in family}
    only = next(iter(sizes)) if len(sizes) == 1 else None
    return None if only is None else 1.0 / only


def _verdict(
    one: _Contrast, outcome: SequentialOutcome, design: SequentialDesign, family_size: int
) -> ContrastVerdict:
    claim, (a, b) = one.claim, one.contrast
    if one.found.missing:
        against = claim.against_of(one.contrast)
        return ContrastVerdict(a, b, "not judged", reason=one.found.missing, against=against)
    values_a, values_b = (
        {unit: values[unit] for unit in one.units}
        for values in (one.found.values_a, one.found.values_b)
    )
    comparison = compare(values_a, values_b, design.level)
    looks = _crossed(one, design, family_size)
    scope = scope_of(claim, bool(looks))
    if comparison is None or (scope == "population" and not looks):
        return _without_numbers(one, comparison is not None, design)
    interval = oriented_by(outcome.interval, claim.sign)
    crossed, beside = looks[-1] if looks else (None, None)
    found: Outcome = "inconclusive" if outcome.outcome == "open" else outcome.outcome
    riders, decided = outcome.riders, outcome.look
    if scope == "population":
        interval, beside = beside, interval
        found, riders, decided = _on_new_images(claim, outcome, looks)
    stop = Stop(design.looks, outcome.looks_taken, decided)
    return ContrastVerdict(
        a=a,
        b=b,
        outcome=found,
        riders=riders,
        reason="" if decided else _why_open(stop),
        mean_a=level_of(claim, comparison.mean_a),
        mean_b=level_of(claim, comparison.mean_b),
        difference=comparison.difference,
        interval=interval,
        comparison=comparison,
        scope=scope,
        beside=beside,
        crossed=crossed,
        stop=stop,
        against=claim.against_of(one.contrast),
    )


def _without_numbers(one: _Contrast, has_pairs: bool, design: SequentialDesign) -> ContrastVerdict:
    taken = design.looks_within(len(one.units))
    outcome: Outcome = "not judged" if taken else "inconclusive"
    reason = f"before the first look at {plural(design.looks[0], 'seed')}"
    if taken:
        reason = NOT_KNOWN if has_pairs else no_unit(one.claim, one.contrast)
    return ContrastVerdict(
        *one.contrast,
        outcome,
        reason=reason,
        stop=Stop(design.looks, taken),
        against=one.claim.against_of(one.contrast),
    )


def _crossed(one: _Contrast, design: SequentialDesign, family_size: int) -> Looks:
    """Comparison and interval of A - B over seeds and images, look by look."""
    if not one.units or not one.has_images:
        return []
    level = design.direction_levels(family_size)[0]
    return crossed_at_looks(one.found.rows(one.units), design, level)


def _on_new_images(
    claim: Claim, outcome: SequentialOutcome, looks: Looks
) -> tuple[Outcome, tuple[str, ...], int | None]:
    """What both the exact test and the crossed interval say, and since which look."""
    exact = outcome.outcome
    if exact == "open" or outcome.look is None:
        return "inconclusive", (), None
    # Looks of fewer than two pairs have no interval.
    skipped = outcome.looks_taken - len(looks)
    for number, (_, interval) in enumerate(looks, start=skipped + 1):
        found, _ = decide(oriented_by(interval, claim.sign), claim.threshold, 0.0, 1.0)
        if found == exact and number >= outcome.look:
            last = oriented_by(looks[-1][1], claim.sign)
            _, riders = decide(last, claim.threshold, 0.0, 1.0)
            return exact, tuple(r for r in riders if r in outcome.riders), number
    return "inconclusive", (), None


def _why_open(stop: Stop) -> str:
    if stop.is_open:
        return f"open after {stop.words('seed')}"
    return f"undecided at the cap of {stop.looks[-1]} seeds"
