"""Verdicts in plain English, with numbers and units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cnn_ablation.claims.claim import Claim
from cnn_ablation.claims.units import COUNTED, Unit
from cnn_ablation.claims.words import p_text, plural, unit_noun

if TYPE_CHECKING:
    from cnn_ablation.claims.verdict import ContrastVerdict, Verdict

_SHOWN, _NAMED = 3, 4
_SPEAKS = {
    "population": "They speak for new seeds and new images",
    "benchmark": "They speak for new seeds on these test images",
}


def verdict_sentence(verdict: Verdict) -> str:
    """The whole verdict: outcome, claim, the numbers that decided it, and the setting."""
    outcome = verdict.outcome.capitalize()
    if verdict.qualifiers:
        outcome += f" ({'; '.join(verdict.qualifiers)})"
    return f"{outcome}: {verdict.claim.text}. {findings_sentence(verdict)} {_setting(verdict)}"


def findings_sentence(verdict: Verdict) -> str:
    """What was found, without outcome, claim and setting: the numbers that decided, and warnings.

    For a page that says the others once, or elsewhere.
    """
    detail = verdict.reason if verdict.outcome == "not judged" else _findings(verdict)
    return f"{detail[:1].upper()}{detail[1:]}.{_exploratory(verdict)}{_warning(verdict)}"


def _exploratory(verdict: Verdict) -> str:
    """Why it is no test of what was declared before the first trial."""
    if not verdict.exploratory:
        return ""
    return f" Exploratory, no test of what was declared: {'; '.join(verdict.exploratory)}."


def _warning(verdict: Verdict) -> str:
    """That differences are skewed, where some that decided are; `simulate_skew` has the rates."""
    skewnesses = [c.comparison.skewness or 0.0 for c in verdict.skewed if c.comparison]
    if not skewnesses:
        return ""
    whose = "" if len(verdict.contrasts) == 1 else f" of {plural(len(skewnesses), 'comparison')}"
    most = max(skewnesses, key=abs)
    return (
        f" The differences{whose} are skewed (sample skewness up to {most:.1f}); at a true skewness"
        " of 2 the rule errs in 8 to 22 % of families, not 5 %."
    )


def _findings(verdict: Verdict) -> str:
    """The contrasts that decided, or the narrowest where all of several hold."""
    claim, total, deciding = verdict.claim, len(verdict.contrasts), verdict.deciding
    if total == 1:
        lead = _measure(claim)
    elif verdict.outcome == "holds":
        every = "both" if total == 2 else f"all {total}"
        lead = f"{every} comparisons hold ({_measure(claim)}), the narrowest"
        deciding = (min(deciding, key=lambda contrast: _clearance(claim, contrast)),)
    else:
        one, many = ("fails", "fail") if verdict.outcome == "fails" else ("is open", "are open")
        verb = one if len(deciding) == 1 else many
        lead = f"{len(deciding)} of {total} comparisons {verb} ({_measure(claim)})"
    reasons = {contrast.reason for contrast in deciding}
    shared = reasons.pop() if len(reasons) == 1 else None
    clauses = [
        contrast_sentence(claim, contrast, with_reason=shared is None)
        for contrast in deciding[:_SHOWN]
    ]
    if len(deciding) > _SHOWN:
        clauses.append(f"and {len(deciding) - _SHOWN} more")
    tail = f". {shared[:1].upper()}{shared[1:]}" if shared else ""
    return f"{lead}: {'; '.join(clauses)}{tail}{_decided(verdict)}"


def telling_contrast(verdict: Verdict) -> ContrastVerdict | None:
    """The one comparison to show where there is room for one; None without data.

    Of those that made the outcome the one that speaks least for the claim: where all hold the
    narrowest.
    """
    known = [c for c in verdict.deciding if c.difference is not None]
    return min(known, key=lambda c: _clearance(verdict.claim, c), default=None)


def method_sentence(verdicts: Sequence[Verdict]) -> str:
    """How the verdicts of a question were reached, each thing once; empty without statistics."""
    tested = [v for v in verdicts if v.claim.kind != "exact" and v.contrasts]
    parts = dict.fromkeys(_error_control(v) for v in tested)
    parts |= dict.fromkeys(_speaks(v).strip() for v in tested)
    for verdict in tested:
        if verdict.dropped:
            what = f"{verdict.claim.unit.label}: {_dropped(verdict)}"
            parts[f"{what[:1].upper()}{what[1:]}."] = None
    return " ".join(part for part in parts if part)


def _dropped(verdict: Verdict) -> str:
    return f"{plural(verdict.dropped, 'pair')} dropped: missing or diverged"


def _decided(verdict: Verdict) -> str:
    """Beside the open comparisons of an inconclusive verdict, those that hold."""
    held = [c for c in verdict.contrasts if c.outcome == "holds"]
    if verdict.outcome != "inconclusive" or not held:
        return ""
    named = [f"{c.a} against {c.b}" for c in held[:_NAMED]]
    if len(held) > _NAMED:
        named.append(f"{len(held) - _NAMED} more")
    names = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    be, verb = ("is", "holds") if len(held) == 1 else ("are", "hold")
    return f". Decided {be} {names}, which {verb}"


def _beside_zero(claim: Claim, contrast: ContrastVerdict) -> str:
    """Why an interval that leaves out zero may still be open: it reaches into the margin."""
    if contrast.outcome != "inconclusive" or contrast.interval is None:
        return ""
    clear = _clearance(claim, contrast)
    if not 0.0 < clear < claim.threshold:
        return ""
    side = "above" if claim.sign > 0 else "below"
    return (
        f", all {side} zero but not clear of the margin of "
        f"{claim.unit.margin(claim.smallest_interesting)}"
    )


def _measure(claim: Claim) -> str:
    """What is compared, and the margin: 'test accuracy, margin 0.1 points'."""
    unit, margin = claim.unit, claim.smallest_interesting
    return f"{unit.label}, margin {unit.margin(margin)}" if margin > 0 else unit.label


def _clearance(claim: Claim, contrast: ContrastVerdict) -> float:
    """How far the nearer bound (or the exact difference) lies beyond zero in favour of A."""
    if contrast.interval is None:
        return claim.sign * (contrast.difference or 0.0)
    return contrast.interval.low if claim.sign > 0 else -contrast.interval.high


def contrast_sentence(claim: Claim, contrast: ContrastVerdict, with_reason: bool = True) -> str:
    """One contrast as a clause: the difference, its interval, p, and who was ahead how often."""
    unit, pair = claim.unit, _pair(claim, contrast)
    if contrast.difference is None or contrast.mean_a is None or contrast.mean_b is None:
        return f"{pair}: {contrast.reason}"
    if contrast.comparison is None:
        return f"{pair}, {unit.value(contrast.mean_a)} to {unit.value(contrast.mean_b)}"
    comparison = contrast.comparison
    ahead = sum(1 for difference in comparison.differences if claim.sign * difference > 0)
    word = "higher" if claim.sign > 0 else "lower"
    ties = f" and {plural(comparison.ties, 'tie')}" if comparison.ties else ""
    reason = _beside_zero(claim, contrast)
    if with_reason and contrast.reason:
        reason += f" ({contrast.reason})"
    return (
        f"{pair} {unit.signed(contrast.difference)}{_intervals(contrast, unit)}, "
        f"{_strength(contrast)}, {word} in {ahead} of "
        f"{plural(comparison.n, unit_noun(claim.kind))}{ties}{reason}"
    )


def _pair(claim: Claim, contrast: ContrastVerdict) -> str:
    """What is compared; of an interaction both contrasts with the difference of each."""
    pair = f"{contrast.a} against {contrast.b}"
    if contrast.against is None:
        return pair
    other = " against ".join(contrast.against)
    if contrast.mean_a is None or contrast.mean_b is None:
        return f"{pair} less {other}"
    means = (contrast.mean_a, contrast.mean_b)
    raw, rest = (math.log(mean) if claim.is_ratio else mean for mean in means)
    return f"{pair} ({claim.unit.signed(raw)}) less {other} ({claim.unit.signed(rest)}):"


def _intervals(contrast: ContrastVerdict, unit: Unit) -> str:
    """The interval of the verdict, the unit, and the interval for the other scope."""
    text = f" [{', '.join(unit.bounds(contrast.interval))}]" if contrast.interval else ""
    text += unit.difference
    if contrast.beside is not None:
        other = "new images" if contrast.scope == "benchmark" else "these images"
        text += f" ({other}: [{', '.join(unit.bounds(contrast.beside))}])"
    return text


def _strength(contrast: ContrastVerdict) -> str:
    """The p value, or the look at which a sequential study decided."""
    if contrast.stop is None:
        return p_text(1.0 if contrast.p_adjusted is None else contrast.p_adjusted)
    return f"{'decided at ' if contrast.stop.decided else ''}{contrast.stop.words('seed')}"


def _setting(verdict: Verdict) -> str:
    claim, text = verdict.claim, f"Setting: {verdict.setting}"
    if claim.kind == "exact" or not verdict.contrasts:
        return f"{text}."
    if claim.kind == "timing" and verdict.setting.device:
        text += f", on {verdict.setting.device}"
    most = max((contrast.n for contrast in verdict.contrasts), default=0)
    fewest = f"{verdict.n} to " if verdict.n < most else ""
    text += f", {fewest}{plural(most, unit_noun(claim.kind))}"
    if verdict.dropped:
        text += f" ({_dropped(verdict)})"
    return f"{text}. {_error_control(verdict)}{_speaks(verdict)}"


def _error_control(verdict: Verdict) -> str:
    level, family = f"{100 * (1 - verdict.level):g} %", plural(verdict.family_size, "contrast")
    if any(contrast.stop for contrast in verdict.contrasts):
        return (
            f"{level} intervals valid at every look, for all of {family}; means of a study that "
            "could stop are biased away from the margin."
        )
    return (
        f"{level} intervals simultaneous (Bonferroni) and sign-flip p adjusted (Holm) over "
        f"{family}."
    )


def _speaks(verdict: Verdict) -> str:
    """What an accuracy verdict speaks for."""
    scopes = {c.scope for c in verdict.contrasts if c.comparison is not None}
    if verdict.claim.metric != COUNTED or len(scopes) != 1:
        return ""
    return f" {_SPEAKS[scopes.pop()]}."
