"""Rows as the table that claims are judged on: metric, variant, unit, value.

Three shapes are told apart by their columns. *Long*: a row a value, with `variant`, `metric` and
`value`. *Tidy*: a row a trial (or a trial and epoch, of which the last counts), with `variant` and
a column a metric; a study's own `results.csv`. *Wide*: a row a seed, with a column a variant.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_ablation.claims import Claim
from cnn_ablation.claims.units import COUNTED
from cnn_ablation.errors import InputError
from cnn_ablation.ingest.reading import Row, Rows
from cnn_ablation.system.correctness import Correctness

_UNITS = ("seed", "round", "replicate", "unit")
_VARIANTS = ("variant", "variants")
_COMPLETED = "completed"
Values = dict[Any, float | None]


@dataclasses.dataclass
class Found:
    """What tables hold of some claims' variants.

    Attributes:
        values: metric -> variant -> unit -> value.
        correct: variant -> seed -> which images were right.
    """

    values: dict[str, dict[str, Values]] = dataclasses.field(default_factory=dict)
    correct: dict[str, dict[Any, NDArray[np.bool_]]] = dataclasses.field(default_factory=dict)


def find(
    tables: Sequence[Rows], claims: Sequence[Claim], shown_in: str, columns: Mapping[str, str]
) -> Found:
    """Looks up what claims compare.

    Args:
        tables: their rows.
        claims: claims whose labels mean the same variants.
        shown_in: what stands before labels in a column that joins them.
        columns: names of columns that are not as usual.

    Raises:
        InputError: a cell is no number, or a variant has two values of a metric at one unit.
    """
    found = Found()
    for rows in tables:
        reader = _Reader(rows, shown_in, columns)
        for claim in claims:
            if (claim.kind == "timing") == (reader.unit == "round") or claim.kind == "exact":
                reader.read(claim, found)
    return found


class _Reader:
    """Reads one table."""

    def __init__(self, rows: Rows, shown_in: str, columns: Mapping[str, str]) -> None:
        self.rows, self.shown_in = rows, shown_in
        self.variant = _named("variant", columns, rows, _VARIANTS)
        self.unit = _named("unit", columns, rows, _UNITS)
        self.metric = _named("metric", columns, rows, ("metric",))
        self.value = _named("value", columns, rows, ("value",))

    def read(self, claim: Claim, found: Found) -> None:
        """Adds what there is of a claim's metric and variants."""
        for label in claim.labels:
            if label in found.values.get(claim.metric, {}) and claim.kind != "exact":
                continue
            values: Values = {}
            bits: dict[Any, NDArray[np.bool_]] = {}
            for line, row, value in self._rows_of(claim, label):
                unit = self._unit(row, line)
                if unit in values and claim.kind != "exact":
                    raise InputError(
                        f"{self.rows.name}: {label} has two values of {claim.metric} at "
                        f"{self.unit or 'row'} {unit}"
                    )
                values[unit] = value
                correct = self._bits(row, claim, value, line)
                if correct is not None:
                    bits[unit] = correct.bits()
            if values:
                found.values.setdefault(claim.metric, {})[label] = values
            if bits:
                found.correct[label] = bits

    def _rows_of(self, claim: Claim, label: str) -> Iterator[tuple[int, Row, float | None]]:
        """Line, row and value of each unit of a variant."""
        if self.variant is None:
            if label in self.rows.columns:
                for line, row in enumerate(self.rows.rows, start=2):
                    yield line, row, self._number(row, label, line)
            return
        own = [
            (line, row)
            for line, row in enumerate(self.rows.rows, start=2)
            if self._is_of(row, label)
        ]
        if self.metric and self.value:
            for line, row in own:
                if row.get(self.metric) == claim.metric:
                    yield line, row, self._number(row, self.value, line)
            return
        if claim.metric not in self.rows.columns:
            return
        if "epoch" in self.rows.columns:
            own = self._last_epochs(own)
        for line, row in own:
            status = row.get("status") or _COMPLETED
            ended = status == _COMPLETED or claim.kind == "exact"
            yield line, row, self._number(row, claim.metric, line) if ended else None

    def _last_epochs(self, own: Sequence[tuple[int, Row]]) -> list[tuple[int, Row]]:
        last: dict[Any, tuple[int, Row]] = {}
        for line, row in own:
            unit = self._unit(row, line)
            earlier = last.get(unit)
            epoch = self._number(row, "epoch", line) or 0.0
            if earlier is None or epoch >= (self._number(earlier[1], "epoch", line) or 0.0):
                last[unit] = (line, row)
        return list(last.values())

    def _is_of(self, row: Row, label: str) -> bool:
        given = str(row.get(self.variant or "") or "")
        if given == label:
            return True
        return bool(self.shown_in) and f"; {self.shown_in}: {label}; " in f"; {given}; "

    def _unit(self, row: Row, line: int) -> Any:
        if self.unit is None:
            return line
        given = row.get(self.unit)
        try:
            return int(str(given))
        except ValueError:
            return str(given)

    def _number(self, row: Row, column: str, line: int) -> float | None:
        given = row.get(column)
        if given is None or given == "":
            return None
        try:
            number = float(given)
        except (TypeError, ValueError):
            raise InputError(
                f"{self.rows.name}: line {line}: {column} is {given!r}: must be a number"
            ) from None
        return number if math.isfinite(number) else None

    def _bits(self, row: Row, claim: Claim, value: float | None, line: int) -> Correctness | None:
        if claim.metric != COUNTED or value is None or not row.get("test_correct"):
            return None
        images = self._number(row, "test_images", line)
        try:
            correct = Correctness(str(row["test_correct"]), int(images or 0))
            correct.require(value)
        except InputError as error:
            raise InputError(f"{self.rows.name}: line {line}: {error}") from None
        return correct


def _named(role: str, columns: Mapping[str, str], rows: Rows, usual: Sequence[str]) -> str | None:
    """The column of a role: as it was named, else the first usual name that is there."""
    given = columns.get(role)
    if given is not None:
        if given not in rows.columns:
            raise InputError(f"{rows.name}: has no column {given!r} (columns.{role})")
        return given
    return next((name for name in usual if name in rows.columns), None)
