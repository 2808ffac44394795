"""Verdicts in plain English, with numbers and units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnn_ablation.claims.claim import Claim
from cnn_ablation.claims.units import unit_of

if TYPE_CHECKING:
    from cnn_ablation.claims.verdict import ContrastVerdict, Verdict

_SHOWN = 3
_RIDERS = {"reversed": "reversed", "equivalent": "equivalent: within the margin"}


def plural(count: int, noun: str) -> str:
    """A count with its noun: '1 seed', '20 seeds'."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def unit_noun(kind: str) -> str:
    """What one replication is called: a seed, or a round of the timing pass."""
    return "round" if kind == "timing" else "seed"


def p_text(p_value: float) -> str:
    """A p value to two digits, such as 'p = 0.012' or 'p < 0.0001'."""
    return "p < 0.0001" if p_value < 0.0001 else f"p = {p_value:.2g}"


def cannot_reach(n: int, kind: str, floor: float, level: float, needed: int) -> str:
    """Why so few units decide nothing, whatever they show."""
    noun = unit_noun(kind)
    return (
        f"{plural(n, noun)} cannot bring the Holm-adjusted sign-flip p below {floor:.2g} and so "
        f"never to {level:g}: {plural(needed, noun)} could"
    )


def verdict_sentence(verdict: Verdict) -> str:
    """The whole verdict: outcome, claim, the numbers that decided it, and the setting."""
    riders = "; ".join(_RIDERS[rider] for rider in verdict.riders)
    outcome = verdict.outcome.capitalize() + (f" ({riders})" if riders else "")
    detail = verdict.reason if verdict.outcome == "not judged" else _findings(verdict)
    findings = f"{detail[:1].upper()}{detail[1:]}.{_warning(verdict)}"
    return f"{outcome}: {verdict.claim.text}. {findings} {_setting(verdict)}"


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
    return f"{lead}: {'; '.join(clauses)}{tail}"


def _measure(claim: Claim) -> str:
    """What is compared, and the margin: 'test accuracy, margin 0.1 points'."""
    unit, margin = unit_of(claim.metric), claim.smallest_interesting
    text = f", margin {margin * unit.scale:.4g}{unit.difference}" if margin > 0 else ""
    return f"{unit.label}{text}"


def _clearance(claim: Claim, contrast: ContrastVerdict) -> float:
    """How far the nearer bound (or the exact difference) lies beyond zero in favour of A."""
    if contrast.interval is None:
        return claim.sign * (contrast.difference or 0.0)
    return contrast.interval.low if claim.sign > 0 else -contrast.interval.high


def contrast_sentence(claim: Claim, contrast: ContrastVerdict, with_reason: bool = True) -> str:
    """One contrast as a clause: the difference, its interval, p, and who was ahead how often."""
    unit, pair = unit_of(claim.metric), f"{contrast.a} against {contrast.b}"
    if contrast.difference is None or contrast.mean_a is None or contrast.mean_b is None:
        return f"{pair}: {contrast.reason}"
    if contrast.comparison is None:
        return f"{pair}, {unit.value(contrast.mean_a)} to {unit.value(contrast.mean_b)}"
    interval, comparison = contrast.interval, contrast.comparison
    bounds = f" [{unit.signed(interval.low)}, {unit.signed(interval.high)}]" if interval else ""
    p_value = p_text(1.0 if contrast.p_adjusted is None else contrast.p_adjusted)
    ahead = sum(1 for difference in comparison.differences if claim.sign * difference > 0)
    word = "higher" if claim.sign > 0 else "lower"
    ties = f" and {plural(comparison.ties, 'tie')}" if comparison.ties else ""
    reason = f" ({contrast.reason})" if with_reason and contrast.reason else ""
    return (
        f"{pair} {unit.signed(contrast.difference)}{bounds}{unit.difference}, {p_value}, {word} "
        f"in {ahead} of {plural(comparison.n, unit_noun(claim.kind))}{ties}{reason}"
    )


def _setting(verdict: Verdict) -> str:
    claim, text = verdict.claim, f"Setting: {verdict.setting}"
    if claim.kind == "exact" or not verdict.contrasts:
        return f"{text}."
    if claim.kind == "timing" and verdict.setting.device:
        text += f", on {verdict.setting.device}"
    text += f", {plural(verdict.n, unit_noun(claim.kind))}"
    if verdict.dropped:
        text += f" ({plural(verdict.dropped, 'pair')} dropped: missing or diverged)"
    return (
        f"{text}. {100 * (1 - verdict.level):g} % intervals simultaneous (Bonferroni) and sign-flip"
        f" p adjusted (Holm) over {plural(verdict.family_size, 'contrast')}."
    )
