"""Studies in real processes: workers beside them, kills, Ctrl-C, and two in one folder."""

import functools
import json
import pickle
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import small_study

from cnn_ablation.data import DataLocation, Dataset, load_dataset
from cnn_ablation.design import TrialSpec
from cnn_ablation.errors import InputError
from cnn_ablation.execution.datasets import Datasets
from cnn_ablation.execution.executors import (
    Began,
    Compiled,
    Ended,
    EpochEnded,
    Event,
    Job,
    Task,
    processes,
)
from cnn_ablation.execution.executors.cores import available_cores, share_of
from cnn_ablation.execution.executors.inline import InlineExecutor
from cnn_ablation.execution.executors.interface import Idle, Setup
from cnn_ablation.execution.executors.pools import ATTEMPTS
from cnn_ablation.execution.executors.processes import ProcessExecutor
from cnn_ablation.study.store import STUDY, TRIALS, load_results
from cnn_ablation.training.compute import ComputeOptions
from cnn_ablation.training.records import TrialRecord

SCRIPT = Path(small_study.__file__)
SEEDS = 4
TASKS = [
    Task(TrialSpec(variant.network, small_study.TRAINING, small_study.DATA), tuple(range(SEEDS)))
    for variant in small_study.study(4, 6).variants
]
FIGURES = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
Figures = dict[tuple[int, int], list[tuple[float, ...]]]


@pytest.fixture(scope="module")
def datasets(mnist: Dataset) -> Datasets:
    """The study's images; the whole of MNIST is prepared first, so that no process has to."""
    data = small_study.DATA
    images = load_dataset("mnist", train_split=data.train_split, test_split=data.test_split)
    datasets = Datasets(DataLocation())
    datasets.add(data, images)
    return datasets


@pytest.fixture(scope="module")
def job(datasets: Datasets) -> Job:
    fingerprints = ((small_study.DATA, datasets.get(small_study.DATA).fingerprint),)
    return Job(ComputeOptions(conv="xla"), fingerprints=fingerprints)


@pytest.fixture(scope="module")
def undisturbed(datasets: Datasets, job: Job) -> Figures:
    """What the trials of TASKS come to in this process."""
    events: list[Event] = []
    InlineExecutor(job, datasets).run(TASKS, events.append)
    return figures(events)


def figures(events: list[Event]) -> Figures:
    records = [event.record for event in events if isinstance(event, Ended)]
    assert all(record.status == "completed" for record in records), records
    return {(r.spec.network.hidden_layers[0], r.seed): figures_of(r.epochs) for r in records}


def figures_of(epochs: Any) -> list[tuple[float, ...]]:
    return [tuple(getattr(epoch, name) for name in FIGURES) for epoch in epochs]


@pytest.mark.processes
def test_workers_give_the_same_figures_even_where_one_is_killed(
    undisturbed: Figures, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def popen(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(
        processes, "subprocess", type("", (), {"Popen": staticmethod(popen), "PIPE": -1})
    )
    events: list[Event] = []

    def on_event(event: Event) -> None:
        events.append(event)
        if isinstance(event, EpochEnded) and len(started) == 2:
            started[0].kill()
            while len(started) == 2:
                time.sleep(0.01)

    ProcessExecutor(job, workers=2).run(TASKS, on_event)
    assert figures(events) == undisturbed
    assert len(started) == 3
    assert all(process.poll() is not None for process in started), "no worker may be left behind"
    ended = [(event.spec, event.seed) for event in events if isinstance(event, Ended)]
    assert len(ended) == len(set(ended)), "no trial may end twice"


class FakeWorker:
    """Dies in the midst of some trials, as often as it is told to."""

    deaths: dict[tuple[int, int], int]
    hired = 0

    def __init__(self, setup: Setup) -> None:
        FakeWorker.hired += 1

    def wait_until_ready(self) -> None:
        if self.deaths.get((0, 0), 0):
            raise processes._WorkerLostError("exit code 1")

    def train(self, task: Task) -> Any:
        for seed in task.seeds:
            trial = (task.spec.network.hidden_layers[0], seed)
            yield Began(task.spec, seed)
            if self.deaths.get(trial, 0):
                self.deaths[trial] -= 1
                raise processes._WorkerLostError("killed by signal 9")
            yield Ended(TrialRecord(task.spec, seed, "completed"))

    def kill(self) -> None: ...

    def wait_for_end(self) -> str:
        return "gone"


@pytest.fixture
def fake_worker(monkeypatch: pytest.MonkeyPatch) -> type[FakeWorker]:
    FakeWorker.deaths, FakeWorker.hired = {}, 0
    monkeypatch.setattr(processes, "_Worker", FakeWorker)
    return FakeWorker


def test_a_trial_that_kills_every_worker_fails_and_the_others_do_not(
    fake_worker: type[FakeWorker], job: Job
) -> None:
    fake_worker.deaths = {(4, 1): ATTEMPTS, (6, 2): ATTEMPTS - 1}
    events: list[Event] = []
    ProcessExecutor(job, workers=1).run(TASKS, events.append)
    ends = [event.record for event in events if isinstance(event, Ended)]
    by_trial = {(record.spec.network.hidden_layers[0], record.seed): record for record in ends}
    assert len(by_trial) == 2 * SEEDS
    failed = [trial for trial, record in by_trial.items() if record.status == "failed"]
    assert failed == [(4, 1)]
    assert by_trial[4, 1].error == "its worker process died 3 times: killed by signal 9"
    assert fake_worker.hired == 1 + ATTEMPTS + ATTEMPTS - 1


def test_workers_that_cannot_start_end_the_study_in_one_line(
    fake_worker: type[FakeWorker], job: Job
) -> None:
    fake_worker.deaths = {(0, 0): 1}
    with pytest.raises(InputError, match=r"a worker could not start \(exit code 1\)"):
        ProcessExecutor(job, workers=2).run(TASKS, lambda event: None)


def test_cores_are_shared_evenly_and_apart_while_there_are_enough() -> None:
    cores = (0, 1, 2, 5, 6)
    assert [share_of(n, 2, cores) for n in range(2)] == [(0, 1), (2, 5)]
    assert [share_of(n, 7, cores) for n in range(7)] == [(c,) for c in (0, 1, 2, 5, 6, 0, 1)]


@pytest.mark.processes
def test_a_worker_ends_with_its_starter_in_the_midst_of_a_task(job: Job) -> None:
    task = Task(TASKS[0].spec.replace(epochs=10**9), (0,))
    worker = subprocess.Popen(
        [sys.executable, "-m", "cnn_ablation.execution.executors.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert worker.stdin is not None and worker.stdout is not None
    with worker:
        for message in (Setup(job, share_of(0, 1, available_cores())), task):
            pickle.dump(message, worker.stdin)
        worker.stdin.flush()
        while not isinstance(told := pickle.load(worker.stdout), EpochEnded):
            assert isinstance(told, Idle | Began | Compiled)
        worker.stdin.close()
        assert worker.wait(timeout=20) == 0


@pytest.fixture
def start(tmp_path: Path, datasets: Datasets) -> Callable[..., subprocess.Popen[str]]:
    """Starts small_study.py on tmp_path/study."""

    def start(*flags: str) -> subprocess.Popen[str]:
        data = small_study.DATA
        command = [
            *(sys.executable, str(SCRIPT), f"--workdir={tmp_path / 'study'}", "--conv=xla"),
            *(f"--train_split={data.train_split}", f"--test_split={data.test_split}"),
            *(f"--num_seeds={SEEDS}", "--timing_rounds=0", *flags),
        ]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)

    return start


def lines(folder: Path) -> list[str]:
    path = folder / TRIALS
    return path.read_text().splitlines() if path.exists() else []


def has_more_lines(folder: Path, than: int) -> bool:
    return len(lines(folder)) > than


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not condition():
        if process.poll() is not None:
            raise AssertionError(f"ended too early: {process.communicate()}")
        time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.processes
def test_killed_at_any_moment_the_same_command_ends_with_the_same_results(
    undisturbed: Figures, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    folder, rng = tmp_path / "study", random.Random(0)
    for executor in ("inline", "processes"):
        process, already = start(f"--executor={executor}"), len(lines(folder))
        wait_for(functools.partial(has_more_lines, folder, already + 1), process)
        time.sleep(rng.uniform(0, 0.05))
        process.kill()
        process.communicate()
    before = lines(folder)
    process = start()
    said, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert f"= 8, of which {len(before)} are there" in said or "torn" in said
    results = load_results(folder)
    found = {
        (t.spec.network.hidden_layers[0], t.seed): figures_of(t.epochs) for t in results.trials
    }
    assert found == undisturbed
    ids = [json.loads(line)["trial_id"] for line in lines(folder)]
    assert len(ids) == len(set(ids)) == 2 * SEEDS
    assert (folder / "report" / "report.html").stat().st_size > 0


@pytest.mark.processes
def test_two_in_one_folder_and_a_polite_stop(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    first = start("--epochs=1000000", "--executor=processes")
    wait_for((folder / STUDY).exists, first)
    second = start("--epochs=1000000")
    _, errors = second.communicate()
    assert second.returncode == 2
    assert f"process {first.pid} is at work in it" in errors
    assert errors.count("\n") == 1
    first.send_signal(signal.SIGTERM)
    _, errors = first.communicate()
    assert first.returncode == 130
    assert errors == f"stopped; 0 of 8 trials are kept in {folder}; the same command goes on\n"
