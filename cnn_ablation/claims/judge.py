"""From claims and a table of numbers to verdicts.

The rule, for 'A beats B by at least d', with [L, U] the simultaneous t interval of the mean paired
difference in the claimed direction (Bonferroni over the contrasts of the question) and p the exact
sign-flip p value of 'the difference equals d', after Holm over the same contrasts:

- nothing is decided unless p <= level. The interval trusts the t distribution, the exact test only
  that the differences are symmetric; a decision needs both. It follows that too few seeds decide
  nothing (5 seeds reach p = 0.0625 at best): `prospects_of` says so before the run;
- nothing is stated unless its own exact test rejects: at d for *holds* and *fails*, at 0 for
  'reversed', at -d for 'equivalent'. Their p values are adjusted so that the chance of any false
  statement in the family stays at the level: 'more than' and 'less than' have half of it each, with
  Holm within each half (`inference.statements` has the rule and its proof);
- *holds* if L >= d (for a direction alone, d = 0: L > 0);
- *fails* if U < d; 'reversed' if U < 0, 'equivalent' if [L, U] lies inside (-d, d);
- *inconclusive* otherwise, with the smallest effect these seeds could have shown and the seeds
  needed.

An accuracy claim speaks for new seeds and new images where it is known which images each trial got
right: [L, U] is then the interval over seeds and images as crossed random effects. In a sequential
study `claims.sequential` has the rule. Times are compared by their ratio: as differences of
logarithms.

A claim of several contrasts holds when all hold and fails when one fails. The intervals of a
question all cover at once with probability 1 - level, so such combinations need no more correction.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence

from cnn_ablation.claims.claim import Claim, Correct, Hypothesis, Kind, Setting, Table
from cnn_ablation.claims.evidence import Evidence, gather
from cnn_ablation.claims.exact import judge_exact
from cnn_ablation.claims.paired import Adjusted, ContrastJudge
from cnn_ablation.claims.prospects import families
from cnn_ablation.claims.sequential import Schedule, judge_sequential_family
from cnn_ablation.claims.verdict import ContrastVerdict, Outcome, Verdict
from cnn_ablation.errors import InputError
from cnn_ablation.inference import adjust_statements, holm

Judged = dict[str, tuple[ContrastVerdict, ...]]


def judge(
    claims: Sequence[Claim],
    table: Table,
    setting: Setting,
    level: float = 0.05,
    *,
    correct: Correct | None = None,
    schedule: Schedule | None = None,
    intervals: bool = True,
) -> list[Verdict]:
    """Judge claims on a table of results.

    Args:
        claims: with unique names; the contrasts of one question form one family. A family is what
            is declared: contrasts without data still count in it.
        table: metric -> variant -> {unit: value}, a unit being a seed, or a round for timing
            claims; None or NaN (or absence) stands for a trial that diverged or is missing.
        setting: what the table was measured under; each verdict carries it.
        level: family-wise significance level of a question.
        correct: metric -> variant -> {seed: which images were right}, where that is known.
        schedule: the looks of a sequential study, whose level must be the one above; None for a
            study of fixed size.
        intervals: whether a sequential study's intervals are wanted, which take most of its time.

    Returns:
        One verdict per claim, in the order given.

    Raises:
        InputError: for a level outside (0, 1), a repeated name, or an exact metric that varies.
    """
    _validate(claims, level)
    declared = families(claims, setting)
    applicable = [claim for claim in claims if claim.applies(setting)]
    judged: Judged = {c.name: judge_exact(c, table) for c in applicable if c.kind == "exact"}
    rule = _Rule(table, correct or {}, level, schedule, intervals)
    for question, hypotheses in declared.items():
        members = [c for c in applicable if c.question == question and c.kind != "exact"]
        judged |= rule.judge_family(members, hypotheses)
    return [
        _combine(claim, setting, level, len(declared.get(claim.question, ())), judged)
        for claim in claims
    ]


def check(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The verdicts that are not what their claim declared as expected.

    A claim without an expectation never counts, nor one that does not apply to the setting; one
    that applies and could not be judged for want of data does.
    """
    return [
        verdict
        for verdict in verdicts
        if verdict.claim.expected is not None
        and verdict.claim.applies(verdict.setting)
        and verdict.outcome != verdict.claim.expected
    ]


def _validate(claims: Sequence[Claim], level: float) -> None:
    if not 0.0 < level < 1.0:
        raise InputError(f"level {level} must lie between 0 and 1, both excluded")
    names = [claim.name for claim in claims]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"claim {name!r} is declared more than once, names must be unique")


@dataclasses.dataclass(frozen=True)
class _Rule:
    """What all families are judged on and by; see `judge`."""

    table: Table
    correct: Correct
    level: float
    schedule: Schedule | None
    intervals: bool

    def judge_family(
        self, claims: Sequence[Claim], hypotheses: Mapping[Hypothesis, Kind]
    ) -> Judged:
        """Judges the statistical claims of one question.

        In a sequential study rounds of timing are still as many as were declared. Each contrast has
        its share of the level; that of a contrast of seeds is never passed on to one of rounds.
        """
        if self.schedule is None:
            return self._judge_fixed(claims, hypotheses)
        timed = [claim for claim in claims if claim.kind == "timing"]
        others = [claim for claim in claims if claim.kind != "timing"]
        judged = self._judge_fixed(timed, hypotheses) if timed else {}
        if others:
            own = [key for key, kind in hypotheses.items() if kind != "timing"]
            level = self.level * len(own) / len(hypotheses)
            design = dataclasses.replace(self.schedule.design, level=level)
            schedule = dataclasses.replace(self.schedule, design=design)
            judged |= judge_sequential_family(
                others, own, self.table, self.correct, schedule, self.intervals
            )
        return judged

    def _judge_fixed(self, claims: Sequence[Claim], hypotheses: Collection[Hypothesis]) -> Judged:
        """Judges on all units there are, adjusting each p over all hypotheses."""
        found = {
            claim.hypothesis(contrast): gather(
                claim, contrast, self.table, self.correct, self.level
            )
            for claim in claims
            for contrast in claim.contrasts
        }
        evidence = {key: found.get(key, Evidence(None)) for key in hypotheses}
        p_values = holm([evidence[key].p_value for key in hypotheses])
        floors = holm([evidence[key].floor for key in hypotheses])
        statements = adjust_statements([evidence[key].statements for key in hypotheses])
        family = zip(p_values.tolist(), floors.tolist(), statements, strict=True)
        adjusted = {key: Adjusted(*own) for key, own in zip(hypotheses, family, strict=True)}
        contrast_judge = ContrastJudge(self.level, len(hypotheses))
        return {
            claim.name: tuple(
                contrast_judge.judge(claim, contrast, evidence[key], adjusted[key])
                for contrast in claim.contrasts
                for key in [claim.hypothesis(contrast)]
            )
            for claim in claims
        }


def _combine(
    claim: Claim, setting: Setting, level: float, family_size: int, judged: Judged
) -> Verdict:
    """One verdict of all contrasts: one failure fails the claim, all must hold for it to hold."""
    contrasts = judged.get(claim.name, ())
    outcomes = {contrast.outcome for contrast in contrasts}
    outcome: Outcome = "inconclusive"
    reason = ""
    if not contrasts:
        outcome, reason = "not judged", f"it speaks of {claim.min_epochs} epochs or more"
    elif "fails" in outcomes:
        outcome = "fails"
    elif "not judged" in outcomes:
        outcome = "not judged"
        reason = "; ".join(c.reason for c in contrasts if c.outcome == "not judged")
    elif outcomes == {"holds"}:
        outcome = "holds"
    riders = [rider for c in contrasts if c.outcome == "fails" for rider in c.riders]
    return Verdict(
        claim=claim,
        setting=setting,
        level=level,
        family_size=family_size,
        outcome=outcome,
        riders=tuple(dict.fromkeys(riders)),
        reason=reason,
        contrasts=contrasts,
    )
