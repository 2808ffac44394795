"""What the looks of a sequential study can decide: said before the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnn_ablation.claims.claim import Claim, Setting
from cnn_ablation.claims.prospects import families
from cnn_ablation.claims.words import plural
from cnn_ablation.inference import SequentialDesign, SequentialProspects, sequential_prospects

# True distances from the margin that are tried, in standard deviations of the difference.
EFFECTS = (0.5, 1.0, 1.5)


@dataclass(frozen=True)
class SequentialFamilyProspects:
    """What the looks of a sequential study can decide about one question's paired contrasts.

    Attributes:
        question: the family.
        family_size: distinct contrasts of the family over all kinds.
        looks: numbers of seeds of the looks.
        prospects: of one contrast at some true distances from the margin.
    """

    question: str
    family_size: int
    looks: tuple[int, ...]
    prospects: tuple[SequentialProspects, ...]

    @property
    def can_decide(self) -> bool:
        """Whether the looks decide even a large difference."""
        return self.prospects[-1].decided[-1] > 0.0

    def sentence(self) -> str:
        """Looks, power at each and seeds to be expected, in plain English."""
        looks = ", ".join(map(str, self.looks))
        lines = [
            f"{one.effect:g} SD by then in {', '.join(f'{100 * p:.0f}' for p in one.decided)} %, "
            f"after {one.expected_units:.0f} seeds on average"
            for one in self.prospects
        ]
        return (
            f"{self.question}: {plural(self.family_size, 'contrast')}; looks at {looks} seeds; a "
            f"difference beyond its margin (on these images) is decided: {'; '.join(lines)}."
        )


def sequential_prospects_of(
    claims: Sequence[Claim], setting: Setting, design: SequentialDesign
) -> list[SequentialFamilyProspects]:
    """Says, before the run, what a sequential study's looks can decide.

    Args:
        claims: the study's claims.
        setting: decides which of them apply.
        design: the looks, with the level of a family.

    Returns:
        One for each question with claims about seeds.
    """
    found = []
    for question, family in families(claims, setting).items():
        if "paired" in family.values():
            # Each contrast begins with its share, whatever kinds the family has.
            of_each = [sequential_prospects(e, design, len(family)) for e in EFFECTS]
            found.append(
                SequentialFamilyProspects(question, len(family), design.looks, tuple(of_each))
            )
    return found
