"""The numbers of one contrast, before its family adjusts what may be said of them."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_ablation.claims.claim import Claim, Contrast, Correct, Table
from cnn_ablation.claims.units import unit_of
from cnn_ablation.claims.words import unit_noun
from cnn_ablation.inference import (
    CrossedComparison,
    PairedComparison,
    StatementPValues,
    compare,
    compare_crossed,
    correctness_differences,
    pair,
    sign_flip_test,
    smallest_p,
    statement_p_values,
)

NOTHING_STATED = StatementPValues()
Values = Mapping[Any, float | None]


@dataclass(frozen=True)
class Measured:
    """What is known of the variants of a contrast: two, or of an interaction four.

    Attributes:
        values_a: unit -> value of A on the scale that is judged, None where it has no number; of an
            interaction (A, B) - (C, D) the difference A - B.
        values_b: the same of B; of an interaction the difference C - D.
        correct: of each variant, in the order A, B, C, D: seed -> which images it got right, shape
            (I,); empty where it is not known.
        missing: what there is no data of; empty when there is.
    """

    values_a: Values
    values_b: Values
    correct: tuple[Mapping[Any, NDArray[np.bool_]], ...]
    missing: str = ""

    def rows(self, units: Sequence[Hashable]) -> list[NDArray[np.int8] | None]:
        """Of each seed the differences in correctness, shape (I,); None where not known."""
        return [self._row(unit) for unit in units]

    @property
    def images(self) -> int | None:
        """Number of test images, where it is known."""
        return next((bits.size for bits in self.correct[0].values()), None)

    def _row(self, unit: Hashable) -> NDArray[np.int8] | None:
        found = [bits.get(unit) for bits in self.correct]
        known = [bits for bits in found if bits is not None]
        if len(known) < len(found) or len({bits.shape for bits in known}) != 1:
            return None
        pairs = zip(known[::2], known[1::2], strict=True)
        rows = [correctness_differences(a[None], b[None])[0] for a, b in pairs]
        return rows[0] if len(rows) == 1 else rows[0] - rows[1]


def measured(claim: Claim, contrast: Contrast, table: Table, correct: Correct) -> Measured:
    """Finds what a table holds of a contrast's variants."""
    variants, bits = table.get(claim.metric, {}), correct.get(claim.metric, {})
    labels = claim.labels_of(contrast)
    a, b, *others = (_on_scale(claim, variants.get(label, {})) for label in labels)
    absent = [label for label in labels if label not in variants]
    missing = f"no {unit_of(claim.metric).label} of {' or '.join(absent)}" if absent else ""
    if others:
        a, b = _difference(a, b), _difference(*others)
    return Measured(a, b, tuple(bits.get(label, {}) for label in labels), missing)


def _difference(values_a: Values, values_b: Values) -> Values:
    """A - B at each unit that both have, None where either has no number."""
    sample = pair(values_a, values_b)
    known = dict(zip(sample.units, sample.differences.tolist(), strict=True))
    return {unit: known.get(unit) for unit in values_a if unit in values_b}


def _on_scale(claim: Claim, values: Values) -> Values:
    if not claim.is_ratio:
        return values
    return {unit: math.log(v) if v is not None and v > 0.0 else None for unit, v in values.items()}


@dataclass(frozen=True)
class Evidence:
    """The numbers of one contrast over all of its units.

    Attributes:
        comparison: None without data.
        crossed: the same over seeds and images; None where it is not known of every pair which
            images were right.
        p_value: sign-flip p of 'the difference equals the margin in the claimed direction'.
        statements: p values of what may be stated of the contrast.
        missing: what there is no data of; empty when there is.
    """

    comparison: PairedComparison | None
    crossed: CrossedComparison | None = None
    p_value: float = 1.0
    statements: StatementPValues = NOTHING_STATED
    missing: str = ""

    @property
    def floor(self) -> float:
        """The smallest p value that so many units could have given."""
        return smallest_p(self.comparison.n) if self.comparison else 1.0


def gather(
    claim: Claim, contrast: Contrast, table: Table, correct: Correct, level: float
) -> Evidence:
    """Compares the two variants of a contrast over their shared units."""
    found = measured(claim, contrast, table, correct)
    if found.missing:
        return Evidence(None, missing=found.missing)
    comparison = compare(found.values_a, found.values_b, level)
    if comparison is None:
        return Evidence(None, missing=no_unit(claim, contrast))
    p_value = sign_flip_test(comparison.differences, claim.sign * claim.threshold).p_value
    advantages = [claim.sign * difference for difference in comparison.differences]
    statements = statement_p_values(advantages, claim.threshold)
    return Evidence(comparison, crossed_of(found), p_value, statements)


def no_unit(claim: Claim, contrast: Contrast) -> str:
    """That there is no unit at which all variants of a contrast gave a number."""
    *others, last = claim.labels_of(contrast)
    every = "both" if len(others) == 1 else "all"
    names = f"{', '.join(others)} and {last}"
    return f"no {unit_noun(claim.kind)} in which {names} {every} gave a number"


def crossed_of(found: Measured) -> CrossedComparison | None:
    """Seeds and images crossed; None unless every pair's images are known, and two pairs are."""
    if not all(found.correct):
        return None
    rows = found.rows(pair(found.values_a, found.values_b).units)
    kept = [row for row in rows if row is not None]
    if len(kept) < len(rows) or len({row.size for row in kept}) != 1:
        return None
    return compare_crossed(np.stack(kept))
