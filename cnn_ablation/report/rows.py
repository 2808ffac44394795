"""The trials as a tidy table, one row per trial and epoch, as CSV and Parquet."""

import csv
import dataclasses
import importlib
import io
from typing import Any

from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.options import Option
from cnn_ablation.report.setting import names_of
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


def to_csv(rows: list[Row]) -> str:
    """The rows as CSV with a heading; what is absent is empty."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(columns()), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def to_parquet(rows: list[Row]) -> bytes | None:
    """The rows as a Parquet file, or None where pyarrow is not installed."""
    try:
        arrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        return None
    types = {name: getattr(arrow, _ARROW.get(kind, kind))() for name, kind in columns().items()}
    file = io.BytesIO()
    parquet.write_table(arrow.Table.from_pylist(rows, schema=arrow.schema(types)), file)
    return file.getvalue()


def _rows(results: StudyResults, trial: TrialRecord) -> list[Row]:
    summary = summarize(trial.spec.network)
    options = {name: its for part in trial.spec.parts for name, its in part.options().items()}
    of_trial = {
        **dict.fromkeys(columns()),
        "trial_id": results.plan.trial_id(trial.spec, trial.seed),
        "variants": names_of(results, trial),
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
