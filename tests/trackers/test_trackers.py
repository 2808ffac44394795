"""Trackers: what they keep is read back with TensorBoard's and MLflow's own readers."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import small_study
from mlflow.entities import Run as MLflowRun
from mlflow.tracking import MlflowClient
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cnn_ablation import report
from cnn_ablation.commands.conclusion import finish_study
from cnn_ablation.commands.single_design import train_design
from cnn_ablation.data import Dataset
from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.errors import InputError
from cnn_ablation.execution import preparing
from cnn_ablation.execution.executors import Began, Ended, EpochEnded, Event, Task
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.trackers import TrackedTrial, TrackerOptions, Tracking, make_tracking
from cnn_ablation.trackers.description import layer_table
from cnn_ablation.trackers.files import EVENT_FILES
from cnn_ablation.trackers.mlflow import NOTE, PARENT
from cnn_ablation.trackers.tensorboard import TAGS, _file_name
from cnn_ablation.training.records import EpochRecord, TrialRecord

SPEC = TrialSpec(
    NetworkSpec(stride=4, features=(2, 3), hidden=4),
    TrainingSpec(epochs=3),
    DataSpec(train_split="train[:300]", test_split="test[:100]"),
)


def read_events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    return accumulator.Reload()


def text(folder: Path, tag: str) -> str:
    (event,) = read_events(folder).Tensors(tag)
    return event.tensor_proto.string_val[0].decode()


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    events = read_events(folder)
    found = {tag: events.Scalars(tag) for tag in events.Tags()["scalars"]}
    return {tag: [(event.step, event.value) for event in found[tag]] for tag in found}


def event_files(folder: Path) -> list[Path]:
    return list(folder.glob(f"{EVENT_FILES}*"))


class Store:
    """An MLflow store, read with MLflow's client."""

    def __init__(self, uri: str) -> None:
        self.uri, self.client = uri, MlflowClient(uri, registry_uri=uri)

    def runs(self, experiment: str) -> tuple[list[MLflowRun], list[MLflowRun]]:
        """The runs of folders, and those of trials."""
        found = self.client.get_experiment_by_name(experiment)
        assert found is not None
        runs = self.client.search_runs([found.experiment_id])
        nested = [run for run in runs if PARENT in run.data.tags]
        return [run for run in runs if run not in nested], nested

    def history(self, run: MLflowRun, name: str) -> list[tuple[int, float]]:
        values = self.client.get_metric_history(run.info.run_id, name)
        return [(value.step, value.value) for value in values]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow takes seconds to make its tables: once for all tests."""
    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    with make_tracking(TrackerOptions(mlflow=f"sqlite:///{file}")):
        return file


@pytest.fixture
def store(empty_database: Path, tmp_path: Path) -> Store:
    return Store(f"sqlite:///{shutil.copy(empty_database, tmp_path / 'mlflow.db')}")


def train(seeds: Sequence[int], folder: Path, *, overwrite: bool = False, **options: Any) -> None:
    """Trains SPEC as `python -m cnn_ablation.main` does."""
    chosen = StudyOptions.of(
        training=SPEC.training,
        data=SPEC.data,
        seeds=seeds,
        workdir=str(folder),
        controls=False,
        timing_rounds=0,
        executor="inline",
        retry_failed=True,
        conv="xla",
        **options,
    )
    assert train_design(SPEC, chosen, overwrite=overwrite) == 0


@pytest.fixture(scope="module")
def finished(
    mnist: Dataset, empty_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Store]:
    """A real run of two seeds with both trackers."""
    folder = tmp_path_factory.mktemp("run")
    store = Store(f"sqlite:///{shutil.copy(empty_database, folder / 'mlflow.db')}")
    train((7, 8), folder / "run", tensorboard=True, mlflow=store.uri)
    return folder / "run", store


def recorded(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "metrics.json").read_text())["runs"]


def test_tensorboard_shows_what_was_recorded(finished: tuple[Path, Store]) -> None:
    folder, _ = finished
    for run in recorded(folder):
        shown = scalars(folder / "tensorboard" / f"seed_{run['seed']}")
        assert set(shown) == set(TAGS)
        for tag, name in TAGS.items():
            expected = [(e["epoch"], float(np.float32(e[name]))) for e in run["epochs"]]
            assert shown[tag] == expected


def test_tensorboard_shows_layers_and_options(finished: tuple[Path, Store]) -> None:
    root = finished[0] / "tensorboard"
    assert text(root, "layers") == layer_table(SPEC.network)
    assert "| conv_0 | 7 x 7 x 2 | 20 | 882 | 3 x 3 |" in text(root, "layers").splitlines()
    assert "| stride | 4 |" in text(root, "options").splitlines()
    assert "| device | cpu: " in text(root, "environment")


def test_mlflow_holds_what_was_recorded(finished: tuple[Path, Store]) -> None:
    folder, store = finished
    (parent,), nested = store.runs("cnn_ablation")
    assert parent.info.status == "FINISHED"
    by_seed = {run.data.tags["seed"]: run for run in nested}
    assert len(nested) == len(by_seed) == 2
    for record in recorded(folder):
        run = by_seed[str(record["seed"])]
        assert (run.info.status, run.data.tags["status"]) == ("FINISHED", "completed")
        assert run.data.tags[PARENT] == parent.info.run_id
        assert run.info.run_name == f"features2+3-stride4-hidden4 seed {record['seed']}"
        assert run.data.tags["trial_id"] == SPEC.trial_id(record["seed"], "3.0.1")
        assert run.data.tags[NOTE] == layer_table(SPEC.network)
        assert run.data.tags["device"].startswith("cpu: ")
        assert run.data.params["stride"] == "4"
        assert run.data.params["features"] == "2,3"
        for name in TAGS.values():
            expected = [(epoch["epoch"], epoch[name]) for epoch in record["epochs"]]
            assert store.history(run, name) == expected


def test_a_run_that_replaces_another_leaves_none_of_its_events(
    mnist: Dataset, tmp_path: Path
) -> None:
    for seed in (7, 8):
        train((seed,), tmp_path, overwrite=True, tensorboard=True)
    folders = {file.parent.name for file in tmp_path.rglob(f"{EVENT_FILES}*")}
    assert folders == {"tensorboard", "seed_8"}


SCRIPT = """
import os, signal, sys
from pathlib import Path
from cnn_ablation.training.records import EpochRecord
from cnn_ablation.design import TrialSpec
from cnn_ablation.trackers import Run, TrackedTrial, TrackerOptions, make_tracking

tracking = make_tracking(TrackerOptions(tensorboard=True))
trial = TrackedTrial("id", TrialSpec(), 5, "a label")
tracking.start(Run("name", "title", Path(sys.argv[1]), Path(sys.argv[1]), True, {}))
tracking.begin(trial)
for epoch in range(1, 4):
    tracking.log_epoch(trial, EpochRecord(epoch, 0.5, 0.5, 0.5, 0.25, 1.0, 0.1))
assert tracking, "the tracker failed"
assert not {"tensorflow", "jax"} & set(sys.modules)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX does")
def test_no_tensorflow_is_imported_and_a_kill_loses_no_epoch(tmp_path: Path) -> None:
    (tmp_path / "path" / "tensorflow").mkdir(parents=True)
    (tmp_path / "path" / "tensorflow" / "__init__.py").touch()
    paths = (str(tmp_path / "path"), str(Path(__file__).parents[2]))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == -9, done.stderr
    shown = scalars(tmp_path / "tensorboard" / "a label" / "seed_5")
    assert shown["accuracy/test"] == [(1, 0.25), (2, 0.25), (3, 0.25)]


class FakeExecutor:
    """Makes up trials; what it is told to do to some comes in the place of their second epoch."""

    workers = 1
    troubles: dict[tuple[int, int], Callable[[], str]]
    trained: int

    def __init__(self, *_: Any) -> None: ...

    def run(self, tasks: Sequence[Task], on_event: Callable[[Event], None]) -> None:
        for spec, seed in ((task.spec, seed) for task in tasks for seed in task.seeds):
            hidden = spec.network.hidden_layers[0]
            type(self).trained += 1
            on_event(Began(spec, seed))
            epochs = [EpochRecord(1, 0.5, 0.5, 0.1 + seed, hidden / 10, 1.0, 0.1)]
            on_event(EpochEnded(spec, seed, epochs[0]))
            status: Any = self.troubles.get((hidden, seed), lambda: "completed")()
            if status == "again":
                on_event(Began(spec, seed))
                on_event(EpochEnded(spec, seed, epochs[0]))
                status = "completed"
            for number in range(2, spec.training.epochs + 1) if status == "completed" else ():
                epochs.append(EpochRecord(number, 0.4, 0.6, 0.2 + seed, hidden / 9, 1.0, 0.1))
                on_event(EpochEnded(spec, seed, epochs[-1]))
            error = "out of luck" if status == "failed" else None
            kept = () if error else tuple(epochs)
            on_event(Ended(TrialRecord(spec, seed, status, kept, error)))


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeExecutor]]:
    def write_report(_: object, folder: Path, __: object) -> Path:
        folder.mkdir(exist_ok=True)
        for name in ("report.md", "report.html"):
            (folder / name).write_text("found")
        return folder / "report.html"

    FakeExecutor.troubles, FakeExecutor.trained = {}, 0
    monkeypatch.setattr(preparing, "make_executor", FakeExecutor)
    monkeypatch.setattr(report, "write_report", write_report)
    yield FakeExecutor


@pytest.fixture
def study(
    tmp_path: Path, mnist: Dataset, store: Store, executor: type[FakeExecutor]
) -> Callable[..., int]:
    """Runs a study of two designs and two seeds in tmp_path, with both trackers."""

    def study(**options: Any) -> int:
        defaults: dict[str, Any] = {
            "timing_rounds": 0,
            "workdir": str(tmp_path / "study"),
            "conv": "xla",
            "tensorboard": True,
            "mlflow": store.uri,
        }
        chosen = StudyOptions.of(
            training=small_study.TRAINING,
            data=small_study.DATA,
            seeds=range(2),
            **{**defaults, **options},
        )
        return finish_study(small_study.study(4, 6), chosen)

    return study


def stop() -> NoReturn:
    raise KeyboardInterrupt


def assert_both_hold_the_study(tmp_path: Path, store: Store) -> None:
    lines = (tmp_path / "study" / "trials.jsonl").read_text().splitlines()
    trials = [trial for trial in map(json.loads, lines) if trial["status"] == "completed"]
    assert len(trials) == 4
    (parent,), nested = store.runs("small")
    by_id = {run.data.tags["trial_id"]: run for run in nested}
    assert len(nested) == len(by_id) == 4
    for trial in trials:
        label = f"hidden={trial['spec']['network']['hidden']}"
        run = by_id[trial["trial_id"]]
        assert run.info.run_name == f"{label} seed {trial['seed']}"
        assert (run.info.status, run.data.tags[PARENT]) == ("FINISHED", parent.info.run_id)
        losses = [(epoch["epoch"], epoch["test_loss"]) for epoch in trial["epochs"]]
        assert store.history(run, "test_loss") == losses
        folder = tmp_path / "study" / "tensorboard" / label / f"seed_{trial['seed']}"
        assert len(event_files(folder)) == 1
        shown = [(step, float(np.float32(value))) for step, value in losses]
        assert scalars(folder)["loss/test"] == shown


def test_a_study_is_told_with_its_verdicts(
    study: Callable[..., int], tmp_path: Path, store: Store
) -> None:
    assert study() == 0
    assert_both_hold_the_study(tmp_path, store)
    root = tmp_path / "study" / "tensorboard"
    assert "* Holds: fewer hidden units mean fewer parameters." in text(root, "verdicts")
    assert "| hidden | 4 |" in text(root / "hidden=4", "options").splitlines()
    (parent,), _ = store.runs("small")
    assert parent.info.status == "FINISHED"
    assert parent.data.tags[NOTE] == text(root, "verdicts")
    artifacts = {file.path for file in store.client.list_artifacts(parent.info.run_id)}
    assert artifacts == {"report.md", "report.html"}


def test_a_stopped_study_goes_on_and_logs_no_trial_twice(
    study: Callable[..., int], tmp_path: Path, store: Store
) -> None:
    FakeExecutor.troubles[(6, 0)] = stop
    with pytest.raises(KeyboardInterrupt):
        study()
    (parent,), nested = store.runs("small")
    assert [run.info.status for run in nested] == ["KILLED", "FINISHED", "FINISHED"]
    assert parent.info.status == "KILLED"
    FakeExecutor.troubles.clear()
    for _ in range(2):
        assert study() == 0
        assert_both_hold_the_study(tmp_path, store)


def test_trackers_catch_up_with_what_is_there(
    study: Callable[..., int], tmp_path: Path, store: Store
) -> None:
    study(tensorboard=False, mlflow="")
    assert not (tmp_path / "study" / "tensorboard").exists()
    assert study() == 0
    assert FakeExecutor.trained == 4
    assert_both_hold_the_study(tmp_path, store)


def test_a_trial_that_begins_again_is_told_once(
    study: Callable[..., int], tmp_path: Path, store: Store
) -> None:
    FakeExecutor.troubles[(4, 1)] = lambda: "again"
    study()
    assert_both_hold_the_study(tmp_path, store)


def test_a_failed_trial_is_marked_and_replaced_when_it_runs_again(
    study: Callable[..., int], tmp_path: Path, store: Store
) -> None:
    FakeExecutor.troubles[(4, 1)] = lambda: "failed"
    study()
    (run,) = (run for run in store.runs("small")[1] if run.info.status == "FAILED")
    assert run.data.tags["error"] == "out of luck"
    failed = tmp_path / "study" / "tensorboard" / "hidden=4" / "seed_1"
    assert text(failed, "error") == "out of luck"
    FakeExecutor.troubles.clear()
    study(retry_failed=True)
    assert_both_hold_the_study(tmp_path, store)


def test_a_diverged_trial_is_a_result(study: Callable[..., int], store: Store) -> None:
    FakeExecutor.troubles[(4, 1)] = lambda: "diverged"
    for _ in range(2):
        study()
        runs = [run for run in store.runs("small")[1] if run.data.tags["status"] == "diverged"]
        assert [run.info.status for run in runs] == ["FINISHED"]


def test_a_single_design_that_goes_on_does_so_in_its_run(
    executor: type[FakeExecutor], mnist: Dataset, tmp_path: Path, store: Store
) -> None:
    executor.troubles[(4, 8)] = stop
    with pytest.raises(KeyboardInterrupt):
        train((7, 8), tmp_path / "run", mlflow=store.uri)
    executor.troubles.clear()
    train((7, 8), tmp_path / "run", mlflow=store.uri)
    assert executor.trained == 3
    (parent,), nested = store.runs("cnn_ablation")
    assert sorted(run.data.tags["seed"] for run in nested) == ["7", "8"]
    assert {run.info.status for run in (parent, *nested)} == {"FINISHED"}


def test_a_run_that_replaces_another_is_one_of_its_own(
    executor: type[FakeExecutor], mnist: Dataset, tmp_path: Path, store: Store
) -> None:
    for _ in range(2):
        train((7,), tmp_path / "run", mlflow=store.uri, overwrite=True)
    assert executor.trained == 2
    parents, nested = store.runs("cnn_ablation")
    assert len(parents) == 2
    assert {run.data.tags[PARENT] for run in nested} == {run.info.run_id for run in parents}


class Recording:
    """A tracker that only remembers what it was told, and fails where it is told to."""

    flag = "--recording"

    def __init__(self, failing: str = "") -> None:
        self.told: list[str] = []
        self._failing = failing

    def __getattr__(self, name: str) -> Callable[..., bool]:
        def hear(*_: object, **__: object) -> bool:
            self.told.append(name)
            if name == self._failing:
                raise OSError("no space left\non the device")
            return False

        return hear


def test_a_tracker_that_fails_is_a_warning_and_hears_no_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    failing, other = Recording("log_epoch"), Recording()
    trackers: list[Any] = [failing, other]
    trial = TrackedTrial("id", TrialSpec(), 0)
    with Tracking(trackers) as tracking:
        tracking.begin(trial)
        for epoch in (1, 2):
            tracking.log_epoch(trial, EpochRecord(epoch, 1.0, 0.5, 1.0, 0.5, 1.0, 1.0))
        tracking.end(trial, "completed")
    assert failing.told == ["begin", "log_epoch"]
    assert other.told == ["begin", "log_epoch", "log_epoch", "end", "close"]
    assert capsys.readouterr().err == (
        "warning: --recording: OSError: no space left; "
        "it hears no more of this run, which goes on\n"
    )


def test_a_study_outlives_its_trackers(
    study: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def vanish() -> str:
        (tmp_path / "mlflow.db").write_text("damaged" * 1000)
        shutil.rmtree(tmp_path / "study" / "tensorboard")
        (tmp_path / "study" / "tensorboard").touch()
        return "completed"

    FakeExecutor.troubles[(4, 1)] = vanish
    assert study() == 0
    assert FakeExecutor.trained == 4
    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == 2, warnings
    assert warnings[0].startswith("warning: --mlflow=sqlite:///")
    assert warnings[1].startswith("warning: --tensorboard: ")


MLFLOW = TrackerOptions(mlflow="sqlite:///m.db")


@pytest.mark.parametrize(
    ("package", "given", "message"),
    [
        (
            "tensorboard.compat.proto.event_pb2",
            TrackerOptions(tensorboard=True),
            "--tensorboard: needs packages",
        ),
        ("mlflow.entities", MLFLOW, "--mlflow=sqlite:///m.db: needs packages"),
        ("sqlalchemy", MLFLOW, "--mlflow=sqlite:///m.db: needs packages"),
    ],
)
def test_a_missing_package_is_named_with_its_flag(
    package: str, given: TrackerOptions, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("tensorboard", "mlflow"):
        monkeypatch.delitem(sys.modules, f"cnn_ablation.trackers.{module}")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=f"^{re.escape(message)} that are not here .*$"):
        make_tracking(given)


@pytest.mark.parametrize("uri", ["sqlite:////nowhere/mlflow.db", "nothing://here"])
def test_a_store_that_cannot_be_opened_is_refused_at_once(uri: str) -> None:
    with pytest.raises(InputError, match=rf"^--mlflow={uri}: .*$"):
        make_tracking(TrackerOptions(mlflow=uri))


def test_mlflow_can_keep_its_plain_files_where_that_is_allowed(
    mnist: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri = (tmp_path / "mlruns").as_uri()
    train((7,), tmp_path / "run", mlflow=uri)
    _, (run,) = Store(uri).runs("cnn_ablation")
    (record,) = recorded(tmp_path / "run")
    expected = [(epoch["epoch"], epoch["test_loss"]) for epoch in record["epochs"]]
    assert Store(uri).history(run, "test_loss") == expected


def test_labels_become_names_of_folders_that_differ() -> None:
    labels = ["k=3,5 s=2", "a/b", "a%2fb", "a:b", ".", "..", "3 × 3"]
    names = [_file_name(label) for label in labels]
    assert len(set(names)) == len(labels)
    assert not any("/" in name or name.startswith(".") for name in names)
    assert (names[0], names[-1]) == (labels[0], labels[-1])


def test_the_command_refuses_a_tracker_that_is_not_there(mnist: Dataset, tmp_path: Path) -> None:
    (tmp_path / "tensorboard.py").write_text("raise ImportError('none here')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    flags = ["--tensorboard", f"--workdir={tmp_path / 'run'}"]
    command = [sys.executable, "-m", "cnn_ablation.main", *flags]
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1] == (
        "error: --tensorboard: needs packages that are not here (none here); pip install "
        "'cnn_ablation[tensorboard]'"
    )
    assert not (tmp_path / "run").exists()
