"""What so many seeds and rounds will be able to decide: said before the run, not after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cnn_ablation.claims.claim import Claim, Hypothesis, Kind, Setting
from cnn_ablation.claims.words import cannot_reach, plural, unit_noun
from cnn_ablation.inference import (
    decidable_effect,
    holm,
    smallest_p,
    units_to_reach,
)


@dataclass(frozen=True)
class FamilyProspects:
    """The prospects of one question's contrasts of one kind.

    Attributes:
        question: the family.
        kind: 'paired' (units are seeds) or 'timing' (units are rounds).
        contrasts: distinct contrasts of this kind in the family.
        family_size: distinct contrasts of the family over all kinds; Holm counts them all.
        n: units planned.
        level: family-wise significance level.
        smallest_p: the smallest Holm-adjusted p these units can give if every contrast of the
            family comes out as clear as can be.
        units_needed: units with which one contrast alone can pass Holm's first, strictest step.
        detectable: smallest true distance from the margin that n units show with power 0.8, in
            standard deviations of the paired difference; None where they decide nothing.
    """

    question: str
    kind: Kind
    contrasts: int
    family_size: int
    n: int
    level: float
    smallest_p: float
    units_needed: int
    detectable: float | None

    @property
    def can_decide(self) -> bool:
        """Whether any contrast of this kind can get a verdict other than 'inconclusive'."""
        return self.smallest_p <= self.level and self.n >= 2

    def sentence(self) -> str:
        """The prospects in plain English."""
        family = f"{self.question}: {plural(self.family_size, 'contrast')}"
        if not self.can_decide:
            blocked = cannot_reach(
                self.n, self.kind, self.smallest_p, self.level, self.units_needed
            )
            return f"{family}; {blocked}; until then these claims stay inconclusive."
        return (
            f"{family}; {plural(self.n, unit_noun(self.kind))} can show a difference of "
            f"{self.detectable or 0.0:.2f} standard deviations beyond its margin (power 80 %)."
        )


def families(claims: Iterable[Claim], setting: Setting) -> dict[str, dict[Hypothesis, Kind]]:
    """The distinct hypotheses of each question, of the claims that apply, in declared order.

    A contrast that two claims share is one hypothesis and counts once.
    """
    found: dict[str, dict[Hypothesis, Kind]] = {}
    for claim in claims:
        if claim.kind != "exact" and claim.applies(setting):
            family = found.setdefault(claim.question, {})
            for contrast in claim.contrasts:
                family.setdefault(claim.hypothesis(contrast), claim.kind)
    return found


def prospects_of(
    claims: Sequence[Claim],
    setting: Setting,
    seeds: int,
    rounds: int | None = None,
    level: float = 0.05,
) -> list[FamilyProspects]:
    """Say, before the run, what the planned units can decide.

    Args:
        claims: the study's claims.
        setting: decides which of them apply.
        seeds: trials planned per variant.
        rounds: rounds planned for the timing pass; None leaves timing out of the answer (its
            contrasts still count in their family: the family is what was declared).
        level: family-wise significance level.

    Returns:
        One for each question and kind, in the order of the claims.
    """
    units: dict[Kind, int] = {"paired": seeds}
    if rounds is not None:
        units["timing"] = rounds
    found = []
    for question, family in families(claims, setting).items():
        kinds = list(family.values())
        floors = dict(zip(kinds, holm([smallest_p(units.get(k, 0)) for k in kinds]), strict=True))
        for kind in dict.fromkeys(kinds):
            if kind in units:
                n, size = units[kind], len(kinds)
                found.append(
                    FamilyProspects(
                        question=question,
                        kind=kind,
                        contrasts=kinds.count(kind),
                        family_size=size,
                        n=n,
                        level=level,
                        smallest_p=float(floors[kind]),
                        units_needed=units_to_reach(level, size),
                        detectable=decidable_effect(n, level, size),
                    )
                )
    return found
