"""MLflow: an experiment a study, in it a run for its folder, in that a nested run a trial.

Only MLflow's client is needed (mlflow-skinny), with SQLAlchemy and Alembic for SQLite. MLflow 3.4
keeps runs in plain folders too; 3.17 only where MLFLOW_ALLOW_FILE_STORE=true is set.
"""

import contextlib
import importlib
import logging
import os
import socket
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlflow.entities import Metric, Param, RunTag
from mlflow.entities import Run as MLflowRun
from mlflow.tracking import MlflowClient

from cnn_ablation.design.summary import summarize
from cnn_ablation.design.words import short_name
from cnn_ablation.errors import InputError
from cnn_ablation.trackers.description import bullet_list, flat, layer_table, options_of
from cnn_ablation.trackers.interface import Run, TrackedTrial
from cnn_ablation.training.records import EpochRecord

# Tags that MLflow's own pages read: a run's parent, and its description in Markdown.
PARENT, NOTE = "mlflow.parentRunId", "mlflow.note.content"
# Most characters that a tag may have (mlflow.utils.validation).
_LONGEST = 8000
_SQLITE = "sqlite:///"
_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
_REACH_SECONDS = 5


class MLflowTracker:
    """Logs a run to one of MLflow's stores; trials that it holds already are not logged again."""

    def __init__(self, uri: str) -> None:
        """Opens the store, which is made if need be.

        Args:
            uri: the store, such as `sqlite:///mlflow.db`.

        Raises:
            ImportError: a package is not installed.
            InputError: the store cannot be opened.
        """
        self.flag = f"--mlflow={uri}"
        self._uri = uri
        if uri.startswith(_SQLITE):
            importlib.import_module("sqlalchemy")
            importlib.import_module("alembic")
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        with self._explaining():
            self._require_folder()
            self._require_server()
            self._client = MlflowClient(uri, registry_uri=uri)
            self._client.search_experiments(max_results=1)
        self._experiment = self._parent = ""
        self._held: set[str] = set()
        self._unfinished: dict[str, str] = {}
        self._open: dict[str, str] = {}

    def start(self, run: Run) -> None:
        """Finds or makes the experiment and the run of this folder.

        Raises:
            InputError: the store cannot be written.
        """
        with self._explaining():
            self._experiment = self._find_experiment(run.name)
            self._parent = self._find_parent(run)
            self._read_trials()

    def holds(self, trial: TrackedTrial) -> bool:
        """Whether the store has this trial's run, and it is finished."""
        return trial.trial_id in self._held

    def begin(self, trial: TrackedTrial) -> None:
        """Makes a trial's run in the place of one that did not finish."""
        unfinished = self._unfinished.pop(trial.trial_id, None)
        if unfinished is not None:
            self._client.delete_run(unfinished)
        design = trial.label or short_name(trial.spec)
        tags = {
            PARENT: self._parent,
            NOTE: layer_table(trial.spec.network)[:_LONGEST],
            "trial_id": trial.trial_id,
            "variant": design,
            "seed": str(trial.seed),
            **trial.provenance,
        }
        created = self._client.create_run(
            self._experiment, run_name=f"{design} seed {trial.seed}", tags=tags
        )
        run_id = self._unfinished[trial.trial_id] = created.info.run_id
        self._open[trial.trial_id] = run_id
        summary = summarize(trial.spec.network)
        self._client.log_batch(
            run_id,
            metrics=_metrics({"params": summary.params, "macs": summary.macs}, step=0),
            params=_params({**options_of(trial.spec), "seed": trial.seed}),
        )

    def log_epoch(self, trial: TrackedTrial, record: EpochRecord) -> None:
        """Logs an epoch's figures under the names that they have in a run's own files."""
        figures = {name: value for name, value in vars(record).items() if name != "epoch"}
        self._client.log_batch(
            self._open[trial.trial_id], metrics=_metrics(figures, step=record.epoch)
        )

    def end(self, trial: TrackedTrial, status: str, error: str | None) -> None:
        """Ends a trial's run; a diverged trial is a result, and its run finished."""
        run_id = self._open.pop(trial.trial_id)
        tags = {"status": status} | ({} if error is None else {"error": error[:_LONGEST]})
        self._client.log_batch(run_id, tags=[RunTag(key, value) for key, value in tags.items()])
        self._client.set_terminated(run_id, "FAILED" if status == "failed" else "FINISHED")
        if status != "failed":
            self._held.add(trial.trial_id)
            del self._unfinished[trial.trial_id]

    def conclude(self, verdicts: Sequence[str], documents: Sequence[Path]) -> None:
        """Describes the run by its verdicts, and copies the documents to its artifacts."""
        if verdicts:
            self._client.set_tag(self._parent, NOTE, bullet_list(verdicts)[:_LONGEST])
        for document in documents:
            self._client.log_artifact(self._parent, str(document))

    def close(self, *, completed: bool) -> None:
        """Ends the run, and as killed those of trials that were stopped."""
        for run_id in self._open.values():
            self._client.set_terminated(run_id, "KILLED")
        if self._parent:
            self._client.set_terminated(self._parent, "FINISHED" if completed else "KILLED")

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # SQLAlchemy's, MLflow's and the system's have no common base.
            line = (str(error).strip() or type(error).__name__).splitlines()[0]
            reason = line.partition(". ")[0][:200]
            raise InputError(
                f"{self.flag}: {reason}; name a store such as {_SQLITE}mlflow.db"
            ) from None

    def _require_folder(self) -> None:
        """Refuses at once what MLflow would try to open for minutes."""
        folder = self._database().parent
        if self._uri.startswith(_SQLITE) and not os.access(folder, os.W_OK):
            raise OSError(f"{folder} must be a folder to write to")

    def _require_server(self) -> None:
        """Refuses within seconds a server that MLflow would ask again and again."""
        address = urllib.parse.urlsplit(self._uri)
        port = address.port or _PORTS.get(address.scheme.partition("+")[0])
        if not (address.hostname and port):
            return
        try:
            socket.create_connection((address.hostname, port), _REACH_SECONDS).close()
        except (OSError, UnicodeError) as error:
            server = f"{address.hostname}:{port}"
            raise ConnectionError(f"{server} cannot be reached ({error})") from None

    def _database(self) -> Path:
        return Path(self._uri.removeprefix(_SQLITE).partition("?")[0])

    def _find_experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            beside = self._database().resolve().parent / "mlartifacts" / name
            artifacts = beside.as_uri() if self._uri.startswith(_SQLITE) else None
            return str(self._client.create_experiment(name, artifact_location=artifacts))
        if found.lifecycle_stage != "active":
            raise ValueError(f"its experiment {name!r} is deleted; restore it, or another store")
        return str(found.experiment_id)

    def _find_parent(self, run: Run) -> str:
        workdir = str(run.folder.resolve())
        for earlier in self._search("tags.level = 'run'") if run.continues else ():
            if earlier.data.tags.get("workdir") == workdir:
                self._client.update_run(earlier.info.run_id, status="RUNNING")
                return str(earlier.info.run_id)
        created = self._client.create_run(
            self._experiment,
            run_name=run.folder.name,
            tags={"level": "run", "workdir": workdir, NOTE: run.title[:_LONGEST]},
        )
        run_id = str(created.info.run_id)
        self._client.log_batch(run_id, params=_params(flat(run.environment)))
        return run_id

    def _read_trials(self) -> None:
        for earlier in self._search(f"tags.`{PARENT}` = '{self._parent}'"):
            trial_id = earlier.data.tags["trial_id"]
            if earlier.info.status == "FINISHED":
                self._held.add(trial_id)
            else:
                self._unfinished[trial_id] = earlier.info.run_id

    def _search(self, query: str) -> list[MLflowRun]:
        found: list[MLflowRun] = []
        token: str | None = None
        while True:
            page = self._client.search_runs(
                [self._experiment], query, max_results=1000, page_token=token
            )
            found += page
            token = page.token
            if not token:
                return found


def _metrics(figures: Mapping[str, float], step: int) -> list[Metric]:
    now = int(time.time() * 1000)
    return [Metric(name, value, now, step) for name, value in figures.items()]


def _params(values: Mapping[str, Any]) -> list[Param]:
    return [Param(name, str(value)[:500]) for name, value in values.items()]
