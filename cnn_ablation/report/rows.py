"""The trials as a tidy table, one row per trial and epoch, as CSV and Parquet."""

import csv
import dataclasses
import importlib
import io
from typing import Any

from cnn_ablation.design.spec import NetworkSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.report.setting import names_of
from cnn_ablation.study.results import StudyResults, TrialResult
from cnn_ablation.training.records import EpochRecord

Row = dict[str, Any]

_NETWORK = tuple(field.name for field in dataclasses.fields(NetworkSpec))
_EPOCH = tuple(field.name for field in dataclasses.fields(EpochRecord))
# Of the other columns, an epoch's figures are real numbers; the rest is text, one value a block.
_INTEGERS = ("seed", "hidden", "classes", "params", "macs", "epoch")
COLUMNS = ("trial_id", "variants", "seed", "status", "error", *_NETWORK, "params", "macs", *_EPOCH)


def rows_of(results: StudyResults) -> list[Row]:
    """One row per trial and epoch; a trial without an epoch has one row without epoch figures."""
    return [row for trial in results.trials for row in _rows(results, trial)]


def to_csv(rows: list[Row]) -> str:
    """The rows as CSV with a heading; what is absent is empty."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
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
    types = dict.fromkeys(COLUMNS, arrow.string())
    types |= dict.fromkeys(_EPOCH, arrow.float64())
    types |= dict.fromkeys(_INTEGERS, arrow.int64())
    file = io.BytesIO()
    parquet.write_table(arrow.Table.from_pylist(rows, schema=arrow.schema(types)), file)
    return file.getvalue()


def _rows(results: StudyResults, trial: TrialResult) -> list[Row]:
    summary = summarize(trial.network)
    design = {name: getattr(trial.network, name) for name in _NETWORK}
    of_trial = {
        "trial_id": trial.trial_id,
        "variants": names_of(results, trial),
        "seed": trial.seed,
        "status": trial.status,
        "error": trial.error,
        **{k: _each(v) if isinstance(v, tuple) else v for k, v in design.items()},
        "params": summary.params,
        "macs": summary.macs,
    }
    figures = [dataclasses.asdict(epoch) for epoch in trial.epochs] or [dict.fromkeys(_EPOCH)]
    return [of_trial | of_epoch for of_epoch in figures]


def _each(values: tuple[Any, ...]) -> str:
    """One value a block, all of them: `3,5`, and `3,3` where a user types 3."""
    return ",".join(map(str, values))
