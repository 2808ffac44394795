"""Verdicts as a tidy table: one row a contrast, in a study's report and from `judge` alike."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cnn_ablation.claims.verdict import ContrastVerdict, Verdict

COLUMNS = (
    *("question", "claim", "text", "metric", "kind", "direction", "margin", "scale", "verdict"),
    *("qualifiers", "exploratory", "a", "b", "less_a", "less_b", "outcome", "riders"),
    *("speaks_for", "difference"),
    *("low", "high", "other_low", "other_high", "p_adjusted", "pairs", "dropped", "higher", "ties"),
    *("look", "looks", "decided", "stopped_mean_is_biased", "skewness"),
    *("variance_seed", "variance_image", "variance_both", "level", "family_size", "reason"),
    "sentence",
)


def verdicts_csv(verdicts: Iterable[Verdict]) -> str:
    """The table as CSV with a heading; what is absent is empty."""
    return rows_csv(COLUMNS, itertools.chain.from_iterable(map(verdict_rows, verdicts)))


def verdict_rows(verdict: Verdict) -> list[dict[str, Any]]:
    """A row for each contrast of a verdict's claim, or one where there is none."""
    of_claim = _of_claim(verdict)
    return [of_claim | _of_contrast(one) for one in verdict.contrasts] or [of_claim]


def rows_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV with a heading; what is absent is empty."""
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _of_claim(verdict: Verdict) -> dict[str, Any]:
    claim = verdict.claim
    return {
        "question": claim.question,
        "claim": claim.name,
        "text": claim.text,
        "metric": claim.metric,
        "kind": claim.kind,
        "direction": claim.direction,
        "margin": claim.smallest_interesting,
        "scale": claim.scale,
        "verdict": verdict.outcome,
        "qualifiers": "; ".join(verdict.qualifiers),
        "exploratory": "; ".join(verdict.exploratory),
        "level": verdict.level,
        "family_size": verdict.family_size,
        "reason": verdict.reason,
        "sentence": verdict.sentence(),
    }


def _of_contrast(one: ContrastVerdict) -> dict[str, Any]:
    row: dict[str, Any] = {
        "a": one.a,
        "b": one.b,
        "outcome": one.outcome,
        "riders": "; ".join(one.riders),
        "difference": one.difference,
        "p_adjusted": one.p_adjusted,
        "reason": one.reason,
    }
    if one.against is not None:
        row |= dict(zip(("less_a", "less_b"), one.against, strict=True))
    for prefix, interval in (("", one.interval), ("other_", one.beside)):
        if interval is not None:
            row |= {f"{prefix}low": interval.low, f"{prefix}high": interval.high}
    if one.comparison is not None:
        ahead = sum(difference > 0 for difference in one.comparison.differences)
        row |= {
            "speaks_for": "new images" if one.scope == "population" else "these images",
            "pairs": one.n,
            "dropped": one.comparison.dropped,
            "higher": ahead,
            "ties": one.comparison.ties,
            "skewness": one.comparison.skewness,
        }
    if one.stop is not None:
        row |= {
            "look": one.stop.decided or one.stop.taken,
            "looks": " ".join(map(str, one.stop.looks)),
            "decided": one.stop.decided is not None,
            "stopped_mean_is_biased": len(one.stop.looks) > 1,
        }
    if one.crossed is not None:
        parts = one.crossed.parts().values()
        row |= dict(zip(("variance_seed", "variance_image", "variance_both"), parts, strict=True))
    return row
