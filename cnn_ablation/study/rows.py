"""The trials as a tidy table, one row per trial and epoch: CSV, JSON lines, Arrow, pandas."""

import csv
import dataclasses
import importlib
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.errors import InputError
from cnn_ablation.options import Option
from cnn_ablation.study.results import StudyResults
from cnn_ablation.training.records import EpochRecord, TrialRecord

Row = dict[str, Any]

# Arrow's Python names of types that are called otherwise in its schemas.
_ARROW = {"bool": "bool_"}
_EPOCH = {
    field.name: "int64" if field.type in (int, "int") else "float64"
    for field in dataclasses.fields(EpochRecord)
}


def columns() -> dict[str, str]:
    """The columns and their types, in Arrow's names: specs say those of their fields themselves."""
    network = {name: _column(its) for name, its in NetworkSpec.every_option().items()}
    setting = {
        name: _column(its)
        for part in (TrainingSpec, DataSpec)
        for name, its in part.every_option().items()
    }
    return {
        "trial_id": "string",
        "variants": "string",
        "seed": "int64",
        "status": "string",
        "error": "string",
        **network,
        "params": "int64",
        "macs": "int64",
        **_EPOCH,
        **setting,
        "test_images": "int64",
        "test_correct": "string",
    }


def _column(its: Option) -> str:
    """A single value has its own type; one value a block is text: `3,5`."""
    return its.kind.column if its.shape == "one" else "string"


def rows_of(results: StudyResults) -> list[Row]:
    """One row per trial and epoch; a trial without an epoch has one row without epoch figures."""
    return [row for trial in results.trials for row in _rows(results, trial)]


def to_csv(rows: Sequence[Row], before: Mapping[str, str] | None = None) -> str:
    """The rows as CSV with a heading; what is absent is empty.

    Args:
        rows: from `rows_of`.
        before: columns that stand in front of the usual ones, with their types.
    """
    file = io.StringIO()
    writer = csv.DictWriter(file, [*(before or {}), *columns()], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def to_json_lines(rows: Sequence[Row]) -> str:
    """The rows as a JSON object a line; what is absent is null."""
    return "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows)


def to_arrow(rows: Sequence[Row], before: Mapping[str, str] | None = None) -> Any:
    """The rows as a `pyarrow.Table`; arguments are those of `to_csv`.

    Raises:
        InputError: pyarrow is not installed.
    """
    arrow = _require("pyarrow")
    named = {**(before or {}), **columns()}
    types = {name: getattr(arrow, _ARROW.get(kind, kind))() for name, kind in named.items()}
    return arrow.Table.from_pylist(list(rows), schema=arrow.schema(types))


def to_pandas(rows: Sequence[Row]) -> Any:
    """The rows as a `pandas.DataFrame`; whole numbers that may be absent are its `Int64`.

    Raises:
        InputError: pandas is not installed.
    """
    frame = _require("pandas").DataFrame(list(rows), columns=list(columns()))
    kinds = {"int64": "Int64", "float64": "float64", "bool": "boolean", "string": "string"}
    return frame.astype({name: kinds[kind] for name, kind in columns().items()})


def to_parquet(rows: Sequence[Row], before: Mapping[str, str] | None = None) -> bytes | None:
    """The rows as a Parquet file, or None where pyarrow is not installed."""
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        return None
    file = io.BytesIO()
    parquet.write_table(to_arrow(rows, before), file)
    return file.getvalue()


def _require(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError:
        raise InputError(f"needs the package {package}: pip install {package}") from None


def _rows(results: StudyResults, trial: TrialRecord) -> list[Row]:
    summary = summarize(trial.spec.network)
    options = {name: its for part in trial.spec.parts for name, its in part.options().items()}
    of_trial = {
        **dict.fromkeys(columns()),
        "trial_id": results.plan.trial_id(trial.spec, trial.seed),
        "variants": results.plan.all_labels(trial.spec, trial.seed),
        "seed": trial.seed,
        "status": trial.status,
        "error": trial.error,
        **{name: _cell(value, options[name]) for name, value in trial.spec.values().items()},
        "params": summary.params,
        "macs": summary.macs,
    }
    figures = [dataclasses.asdict(epoch) for epoch in trial.epochs] or [dict.fromkeys(_EPOCH)]
    rows = [of_trial | of_epoch for of_epoch in figures]
    # The bits are of the last epoch.
    rows[-1] |= trial.correct_json()
    return rows


def _cell(value: Any, its: Option) -> Any:
    """A value in its column's type; several as text, all of them: `3,3` where a user types 3."""
    if isinstance(value, tuple):
        return ",".join(map(its.typed, value)) or its.typed(value)
    return its.typed(value) if its.shape != "one" else value
