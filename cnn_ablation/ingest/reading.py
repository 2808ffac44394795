"""Rows of a table in any of the forms that people keep results in."""

from __future__ import annotations

import csv
import dataclasses
import importlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cnn_ablation.errors import InputError

MLFLOW = "mlflow:"
Row = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Rows:
    """A table.

    Attributes:
        name: what it was read from, for messages.
        rows: cells by column; a cell that is absent is None or empty.
        columns: every column, in order.
    """

    name: str
    rows: tuple[Row, ...]
    columns: tuple[str, ...]


def read_rows(source: str) -> Rows:
    """Reads CSV, JSON lines, Parquet or an MLflow experiment.

    Args:
        source: a file ending in .csv, .tsv, .jsonl, .ndjson or .parquet, or `mlflow:EXPERIMENT`,
            whose store MLFLOW_TRACKING_URI names.

    Raises:
        InputError: it cannot be read, or is damaged; the message names it, and the line.
    """
    if source.startswith(MLFLOW):
        rows = list(_mlflow(source))
    else:
        readers = {".csv": _csv, ".tsv": _csv, ".jsonl": _json, ".ndjson": _json}
        path, ending = Path(source).expanduser(), Path(source).suffix.lower()
        if ending != ".parquet" and ending not in readers:
            raise InputError(f"{source}: must end in .csv, .tsv, .jsonl, .ndjson or .parquet")
        try:
            rows = _parquet(path) if ending == ".parquet" else list(readers[ending](path))
        except OSError as error:
            raise InputError(f"{source}: cannot be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise InputError(f"{source}: is no text in UTF-8") from None
    if not rows:
        raise InputError(f"{source}: holds no row")
    columns = dict.fromkeys(name for row in rows for name in row)
    return Rows(source, tuple(rows), tuple(columns))


def _csv(path: Path) -> Iterator[Row]:
    # Bits of a large test split are one long cell.
    csv.field_size_limit(2**31 - 1)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        names = reader.fieldnames or []
        if len(set(names)) < len(names):
            raise InputError(f"{path}: two columns have one name")
        try:
            for row in reader:
                if None in row or None in row.values():
                    raise InputError(
                        f"{path}: line {reader.line_num}: must have {len(names)} cells, as the "
                        "heading has"
                    )
                yield row
        except csv.Error as error:
            raise InputError(f"{path}: line {reader.line_num}: is no CSV ({error})") from None


def _json(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    row = json.loads(line)
                except ValueError:
                    row = None
                if not isinstance(row, dict):
                    raise InputError(f"{path}: line {number}: must be a JSON object")
                yield row


def _parquet(path: Path) -> list[Row]:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise InputError(f"{path}: needs the package pyarrow: pip install pyarrow") from None
    with path.open("rb") as file:
        try:
            rows: list[Row] = parquet.read_table(file).to_pylist()
        except Exception as error:  # Arrow's errors have no common base.
            line = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(f"{path}: is no Parquet file ({line})") from None
    return rows


def _mlflow(source: str) -> Iterator[Row]:
    """A row a run: its tags, parameters and last metrics, later ones before earlier of a name."""
    name = source.removeprefix(MLFLOW)
    try:
        tracking = importlib.import_module("mlflow.tracking")
    except ImportError:
        raise InputError(f"{source}: needs the package mlflow: pip install mlflow-skinny") from None
    try:
        client = tracking.MlflowClient(os.environ.get("MLFLOW_TRACKING_URI"))
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            raise InputError(f"{source}: MLFLOW_TRACKING_URI's store has no such experiment")
        token = None
        while True:
            page = client.search_runs([experiment.experiment_id], page_token=token)
            for run in page:
                yield {**run.data.tags, **run.data.params, **run.data.metrics}
            token = page.token
            if not token:
                return
    except InputError:
        raise
    except Exception as error:  # MLflow's, SQLAlchemy's and the system's have no common base.
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{source}: {line}") from None
