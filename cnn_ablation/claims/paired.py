"""Judging one contrast over paired units, given the family that it shares its level with."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cnn_ablation.claims.claim import Claim, Contrast, Expected, Table
from cnn_ablation.claims.sentences import cannot_reach, p_text, plural, unit_noun
from cnn_ablation.claims.units import unit_of
from cnn_ablation.claims.verdict import ContrastVerdict
from cnn_ablation.inference import (
    Interval,
    PairedComparison,
    StatementPValues,
    bonferroni_level,
    compare,
    decidable_effect,
    sign_flip_test,
    smallest_p,
    statement_p_values,
    t_interval,
    units_to_decide,
    units_to_reach,
)

BY_INTERVAL_ALONE = StatementPValues(0.0, 0.0, 0.0, 0.0)
NOTHING_STATED = StatementPValues()


def decide(
    interval: Interval | None,
    margin: float,
    p_adjusted: float,
    level: float,
    statements: StatementPValues = BY_INTERVAL_ALONE,
) -> tuple[Expected, tuple[str, ...]]:
    """The rule for one contrast, oriented so that positive speaks for the claim.

    Args:
        interval: simultaneous interval of the advantage; None where there is no spread to judge by.
        margin: smallest interesting advantage d >= 0; 0 claims a direction alone.
        p_adjusted: sign-flip p of 'the advantage equals d', Holm-adjusted.
        level: family-wise significance level.
        statements: adjusted p values of what an outcome or a rider states.

    Returns:
        The outcome and its riders.
    """
    if interval is None or p_adjusted > level:
        return "inconclusive", ()
    above = interval.low > 0.0 and interval.low >= margin
    if above and statements.more_than_margin <= level:
        return "holds", ()
    if interval.high < margin and statements.less_than_margin <= level:
        riders = []
        if interval.high < 0.0 and statements.less_than_zero <= level:
            riders.append("reversed")
        if -margin < interval.low and statements.more_than_minus_margin <= level:
            riders.append("equivalent")
        return "fails", tuple(riders)
    return "inconclusive", ()


@dataclass(frozen=True)
class Evidence:
    """The numbers of one contrast before its family adjusts them.

    Attributes:
        comparison: None without data.
        p_value: sign-flip p of 'the difference equals the margin in the claimed direction'.
        statements: p values of what may be stated of the contrast.
        missing: what there is no data of; empty when there is.
    """

    comparison: PairedComparison | None
    p_value: float = 1.0
    statements: StatementPValues = NOTHING_STATED
    missing: str = ""

    @property
    def floor(self) -> float:
        """The smallest p value that so many units could have given."""
        return smallest_p(self.comparison.n) if self.comparison else 1.0


def gather(claim: Claim, contrast: Contrast, table: Table, level: float) -> Evidence:
    """Compare the two variants of a contrast over their shared units."""
    a, b = contrast
    variants = table.get(claim.metric, {})
    absent = [label for label in contrast if label not in variants]
    if absent:
        return Evidence(None, missing=f"no {unit_of(claim.metric).label} of {' or '.join(absent)}")
    comparison = compare(variants[a], variants[b], level)
    if comparison is None:
        missing = f"no {unit_noun(claim.kind)} in which {a} and {b} both gave a number"
        return Evidence(None, missing=missing)
    margin = claim.smallest_interesting
    p_value = sign_flip_test(comparison.differences, claim.sign * margin).p_value
    advantages = [claim.sign * difference for difference in comparison.differences]
    return Evidence(comparison, p_value, statement_p_values(advantages, margin))


@dataclass(frozen=True)
class Adjusted:
    """The p values of one contrast after its family adjusted them.

    Attributes:
        p_value: `Evidence.p_value` after Holm over the family.
        floor: the smallest it could be with the family's numbers of units.
        statements: `Evidence.statements` after `adjust_statements` over the family.
    """

    p_value: float
    floor: float
    statements: StatementPValues


@dataclass(frozen=True)
class ContrastJudge:
    """Judges the contrasts of one family.

    Attributes:
        level: the family-wise significance level.
        family_size: the distinct contrasts that share it.
    """

    level: float
    family_size: int

    def judge(
        self, claim: Claim, contrast: Contrast, evidence: Evidence, adjusted: Adjusted
    ) -> ContrastVerdict:
        """Apply the rule to one contrast.

        Args:
            claim: whose contrast it is.
            contrast: the pair (A, B).
            evidence: its numbers.
            adjusted: its p values within the family.
        """
        a, b = contrast
        comparison = evidence.comparison
        if comparison is None:
            return ContrastVerdict(a, b, "not judged", reason=evidence.missing)
        share = bonferroni_level(self.level, self.family_size)
        interval = t_interval(comparison.differences, share)
        oriented = _oriented(interval, claim.sign)
        margin = claim.smallest_interesting
        outcome, riders = decide(
            oriented, margin, adjusted.p_value, self.level, adjusted.statements
        )
        needed, reason = None, ""
        if outcome == "inconclusive":
            needed = self._units_needed(claim, comparison)
            by_interval, _ = decide(oriented, margin, 0.0, self.level)
            reason = self._why_inconclusive(claim, comparison, adjusted, by_interval, needed)
        return ContrastVerdict(
            a=a,
            b=b,
            outcome=outcome,
            riders=riders,
            reason=reason,
            mean_a=comparison.mean_a,
            mean_b=comparison.mean_b,
            difference=comparison.difference,
            interval=interval,
            p_value=evidence.p_value,
            p_adjusted=adjusted.p_value,
            statements=adjusted.statements,
            detectable=self._detectable(comparison),
            units_needed=needed,
            comparison=comparison,
        )

    def _why_inconclusive(
        self,
        claim: Claim,
        comparison: PairedComparison,
        adjusted: Adjusted,
        by_interval: Expected,
        needed: int | None,
    ) -> str:
        if adjusted.floor > self.level:
            enough = units_to_reach(self.level, self.family_size)
            return cannot_reach(comparison.n, claim.kind, adjusted.floor, self.level, enough)
        if by_interval == "inconclusive":
            return self._prospects(claim, comparison, needed)
        reason = "the interval alone would decide, the exact test does not confirm it"
        if adjusted.p_value > self.level:
            return reason
        statements = adjusted.statements
        p_value = min(statements.more_than_margin, statements.less_than_margin)
        return f"{reason} in its direction ({p_text(p_value)} over the claims of that direction)"

    def _detectable(self, comparison: PairedComparison) -> float | None:
        smallest = decidable_effect(comparison.n, self.level, self.family_size)
        if comparison.sd is None or smallest is None:
            return None
        return smallest * comparison.sd

    def _units_needed(self, claim: Claim, comparison: PairedComparison) -> int | None:
        """Units that would decide, were the true difference and spread the ones seen."""
        distance = abs(claim.sign * comparison.difference - claim.smallest_interesting)
        if comparison.sd is None or distance == 0.0:
            return None
        effect = distance / comparison.sd if comparison.sd > 0.0 else math.inf
        return units_to_decide(effect, self.level, self.family_size)

    def _prospects(self, claim: Claim, comparison: PairedComparison, needed: int | None) -> str:
        """The smallest effect these units could have shown, and the units needed."""
        n, noun = comparison.n, unit_noun(claim.kind)
        if comparison.sd is None:
            return f"one {noun} shows no spread"
        if comparison.sd == 0.0:
            return f"the same difference in every {noun}"
        smallest = unit_of(claim.metric).size(self._detectable(comparison) or 0.0)
        beyond = " beyond the margin" if claim.smallest_interesting > 0 else ""
        shown = f"{plural(n, noun)} could have shown {smallest}{beyond}"
        if needed is None:
            return f"{shown}; if this is the true difference, 10,000 {noun}s would not decide"
        if needed <= n:
            return f"{shown}; a near miss, which a few more {noun}s may settle"
        return f"{shown}; if this is the true difference, {plural(needed, noun)} would decide"


def _oriented(interval: Interval | None, sign: int) -> Interval | None:
    if interval is None or sign > 0:
        return interval
    return Interval(-interval.high, -interval.low)
