"""Judging one contrast over paired units, given the family that it shares its level with."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cnn_ablation.claims.claim import Claim, Contrast, Expected
from cnn_ablation.claims.evidence import Evidence
from cnn_ablation.claims.verdict import ContrastVerdict
from cnn_ablation.claims.words import cannot_reach, p_text, plural, unit_noun
from cnn_ablation.inference import (
    Interval,
    StatementPValues,
    bonferroni_level,
    decidable_effect,
    t_interval,
    units_to_decide,
    units_to_reach,
)
from cnn_ablation.inference.crossed import Scope
from cnn_ablation.inference.crossed_power import detectable_on_new_images, seeds_on_these_images

BY_INTERVAL_ALONE = StatementPValues(0.0, 0.0, 0.0, 0.0)
NOT_KNOWN = "which test images each trial got right is not known"


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

    @property
    def share(self) -> float:
        """The level of each interval."""
        return bonferroni_level(self.level, self.family_size)

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
        comparison, crossed = evidence.comparison, evidence.crossed
        scope = scope_of(claim, evidence.crossed is not None)
        if comparison is None or (scope == "population" and crossed is None):
            reason = evidence.missing or NOT_KNOWN
            against = claim.against_of(contrast)
            return ContrastVerdict(a, b, "not judged", reason=reason, against=against)
        interval, beside = t_interval(comparison.differences, self.share), None
        if crossed is not None:
            beside = crossed.interval(self.share)
            if scope == "population":
                interval, beside = beside, interval
        oriented = oriented_by(interval, claim.sign)
        outcome, riders = decide(
            oriented, claim.threshold, adjusted.p_value, self.level, adjusted.statements
        )
        detectable, needed, reason = self._detectable(evidence, scope), None, ""
        if outcome == "inconclusive":
            needed = self._units_needed(claim, evidence, scope)
            by_interval, _ = decide(oriented, claim.threshold, 0.0, self.level)
            prospects = self._prospects(claim, evidence, detectable, needed)
            reason = self._why_inconclusive(claim, evidence, adjusted, by_interval, prospects)
        return ContrastVerdict(
            a=a,
            b=b,
            outcome=outcome,
            riders=riders,
            reason=reason,
            mean_a=level_of(claim, comparison.mean_a),
            mean_b=level_of(claim, comparison.mean_b),
            difference=comparison.difference,
            interval=interval,
            p_value=evidence.p_value,
            p_adjusted=adjusted.p_value,
            statements=adjusted.statements,
            detectable=detectable,
            units_needed=needed,
            comparison=comparison,
            scope=scope,
            beside=beside,
            crossed=crossed,
            against=claim.against_of(contrast),
        )

    def _why_inconclusive(
        self,
        claim: Claim,
        evidence: Evidence,
        adjusted: Adjusted,
        by_interval: Expected,
        prospects: str,
    ) -> str:
        comparison = evidence.comparison
        assert comparison is not None
        if adjusted.floor > self.level:
            enough = units_to_reach(self.level, self.family_size)
            return cannot_reach(comparison.n, claim.kind, adjusted.floor, self.level, enough)
        if by_interval == "inconclusive":
            return prospects
        reason = "the interval alone would decide, the exact test does not confirm it"
        if adjusted.p_value > self.level:
            return reason
        statements = adjusted.statements
        p_value = min(statements.more_than_margin, statements.less_than_margin)
        return f"{reason} in its direction ({p_text(p_value)} over the claims of that direction)"

    def _detectable(self, evidence: Evidence, scope: Scope) -> float | None:
        comparison, crossed = evidence.comparison, evidence.crossed
        assert comparison is not None
        smallest = decidable_effect(comparison.n, self.level, self.family_size)
        if comparison.sd is None or smallest is None:
            return None
        on_these = smallest * comparison.sd
        if scope == "benchmark" or crossed is None:
            return on_these
        # The exact test over the seeds must agree too.
        return max(on_these, detectable_on_new_images(crossed, self.share))

    def _units_needed(self, claim: Claim, evidence: Evidence, scope: Scope) -> int | None:
        """Units that would decide, were the true difference and spread the ones seen."""
        comparison, crossed = evidence.comparison, evidence.crossed
        assert comparison is not None
        distance = abs(claim.sign * comparison.difference - claim.threshold)
        if comparison.sd is None or distance == 0.0:
            return None
        effect = distance / comparison.sd if comparison.sd > 0.0 else math.inf
        needed = units_to_decide(effect, self.level, self.family_size)
        if scope == "benchmark" or crossed is None or needed is None:
            return needed
        on_new = seeds_on_these_images(crossed, distance, self.share)
        return None if on_new is None else max(needed, on_new)

    def _prospects(
        self, claim: Claim, evidence: Evidence, detectable: float | None, needed: int | None
    ) -> str:
        """The smallest effect these units could have shown, and how many one must plan with."""
        comparison, noun = evidence.comparison, unit_noun(claim.kind)
        assert comparison is not None
        if comparison.sd is None:
            return f"one {noun} shows no spread"
        if comparison.sd == 0.0:
            return f"the same difference in every {noun}"
        units = plural(comparison.n, noun)
        if scope_of(claim, evidence.crossed is not None) == "population" and evidence.crossed:
            units += f" on {plural(evidence.crossed.images, 'image')}"
        smallest = claim.unit.size(detectable or 0.0)
        beyond = " beyond the margin" if claim.smallest_interesting > 0 else ""
        shown = f"{units} could have shown {smallest}{beyond}"
        if needed is None:
            return f"{shown}; a difference of the size seen is too small for 10,000 {noun}s"
        if needed <= comparison.n:
            return f"{shown}; a near miss"
        return (
            f"{shown}; for a difference of the size seen a study is planned with "
            f"{plural(needed, noun)} (power 80 %)"
        )


def scope_of(claim: Claim, images_known: bool) -> Scope:
    """What a claim's verdict speaks for: as declared, else as much as is known."""
    if claim.scope is not None:
        return claim.scope
    return "population" if images_known else "benchmark"


def level_of(claim: Claim, mean: float) -> float:
    """A mean as the metric has it: of logarithms the geometric mean, or of differences a ratio."""
    return math.exp(mean) if claim.is_ratio else mean


def oriented_by(interval: Interval | None, sign: int) -> Interval | None:
    """An interval of A - B as one of the advantage, or back."""
    if interval is None or sign > 0:
        return interval
    return Interval(-interval.high, -interval.low)
