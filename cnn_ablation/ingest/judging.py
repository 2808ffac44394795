"""Verdicts on anybody's tables."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

from cnn_ablation.claims import Verdict, judge
from cnn_ablation.claims.declared import DeclaredClaims
from cnn_ablation.claims.units import COUNTED
from cnn_ablation.ingest.reading import Rows
from cnn_ablation.ingest.tables import find


def judge_tables(declared: DeclaredClaims, tables: Sequence[Rows]) -> list[Verdict]:
    """Judges every claim of a file, in its order.

    Claims that are shown in one place of the tables are judged together, as a study judges those
    of a question.

    Raises:
        InputError: a table holds what is no number, or twice the same.
    """
    verdicts: list[Verdict] = []
    for shown_in, group in itertools.groupby(declared.claims, lambda one: one.shown_in):
        own = list(group)
        claims = [one.claim for one in own]
        found = find(tables, claims, shown_in, declared.columns)
        judged = judge(
            claims,
            found.values,
            declared.setting,
            declared.level,
            correct={COUNTED: found.correct},
            schedule=declared.schedule,
        )
        verdicts += [
            dataclasses.replace(verdict, exploratory=one.exploratory)
            for verdict, one in zip(judged, own, strict=True)
        ]
    return verdicts
