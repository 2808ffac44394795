"""Exact claims, such as parameter counts: they hold or fail, with no statistics."""

from __future__ import annotations

from cnn_ablation.claims.claim import Claim, Table
from cnn_ablation.claims.units import unit_of
from cnn_ablation.claims.verdict import ContrastVerdict
from cnn_ablation.errors import InputError


def judge_exact(claim: Claim, table: Table) -> tuple[ContrastVerdict, ...]:
    """Judge every contrast of an exact claim.

    Raises:
        InputError: when a variant's value differs between units, which no exact fact does.
    """
    return tuple(_judge_contrast(claim, a, b, table) for a, b in claim.contrasts)


def _judge_contrast(claim: Claim, a: str, b: str, table: Table) -> ContrastVerdict:
    value_a, value_b = _only_value(claim, a, table), _only_value(claim, b, table)
    if value_a is None or value_b is None:
        absent = " or ".join(x for x, v in ((a, value_a), (b, value_b)) if v is None)
        reason = f"no {unit_of(claim.metric).label} of {absent}"
        return ContrastVerdict(a, b, "not judged", reason=reason)
    advantage, margin = claim.sign * (value_a - value_b), claim.smallest_interesting
    holds = advantage > 0.0 and advantage >= margin
    riders = []
    if not holds:
        riders += ["reversed"] if advantage < 0.0 else []
        riders += ["equivalent"] if abs(advantage) < margin or advantage == 0.0 else []
    return ContrastVerdict(
        a,
        b,
        "holds" if holds else "fails",
        tuple(riders),
        mean_a=value_a,
        mean_b=value_b,
        difference=value_a - value_b,
    )


def _only_value(claim: Claim, variant: str, table: Table) -> float | None:
    values = table.get(claim.metric, {}).get(variant, {}).values()
    found = sorted({float(value) for value in values if value is not None})
    if len(found) > 1:
        raise InputError(
            f"claim {claim.name!r}: {claim.metric} of {variant!r} is {found[0]:g} and {found[-1]:g}"
            ", an exact metric must be the same for every unit"
        )
    return found[0] if found else None
