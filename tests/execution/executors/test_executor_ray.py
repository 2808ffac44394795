"""Trials on a real Ray cluster of this machine, its workers killed in mid-task included."""

import contextlib
import dataclasses
import importlib.util
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import small_study

from cnn_ablation.data import DataLocation, Dataset, load_dataset
from cnn_ablation.design import NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.errors import InputError
from cnn_ablation.execution.datasets import Datasets
from cnn_ablation.execution.executors import (
    Began,
    Ended,
    EpochEnded,
    Event,
    Executor,
    ExecutorOptions,
    Job,
    Task,
    machine,
    make_executor,
)
from cnn_ablation.execution.executors.inline import InlineExecutor
from cnn_ablation.execution.executors.pools import ATTEMPTS
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.execution.session import train_study
from cnn_ablation.study import Question, Study, Variant
from cnn_ablation.study.store import TRIALS, Store, load_results
from cnn_ablation.system.hardware import Machine, describe_hardware
from cnn_ablation.training.compute import ComputeOptions
from cnn_ablation.training.records import TrialRecord

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None, reason="the package ray is not installed"
    ),
]

SEEDS = 3
DATA = small_study.DATA
TASKS = [
    Task(TrialSpec(variant.network, small_study.TRAINING, DATA), tuple(range(SEEDS)))
    for variant in small_study.study(4, 6).variants
]
FIGURES = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
Figures = dict[tuple[int, int], list[tuple[float, ...]]]
# A cluster as --executor=ray starts it, kept until the standard input ends.
CLUSTER = """
import sys, ray
from cnn_ablation.execution.executors.ray_connection import Connection
connection = Connection("")
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
connection.close()
"""


@pytest.fixture(scope="module")
def datasets(mnist: Dataset) -> Datasets:
    """The study's images; the whole of MNIST is prepared first, so that no process has to."""
    images = load_dataset("mnist", train_split=DATA.train_split, test_split=DATA.test_split)
    datasets = Datasets(DataLocation())
    datasets.add(DATA, images)
    return datasets


@pytest.fixture(scope="module")
def job(datasets: Datasets) -> Job:
    fingerprints = ((DATA, datasets.get(DATA).fingerprint),)
    return Job(ComputeOptions(conv="xla"), fingerprints=fingerprints)


@pytest.fixture(scope="module")
def undisturbed(datasets: Datasets, job: Job) -> Figures:
    """What the trials of TASKS come to in this process."""
    events: list[Event] = []
    InlineExecutor(job, datasets).run(TASKS, events.append)
    return {trial: figures_of(record.epochs) for trial, record in records(events).items()}


@pytest.fixture(scope="module", autouse=True)
def secret() -> None:
    """What who joins the cluster must know; Ray reads it when it is first imported."""
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))


@pytest.fixture(scope="module")
def cluster(datasets: Datasets) -> Iterator[subprocess.Popen[str]]:
    """A cluster that a process of its own has started; `address` tells where."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", CLUSTER]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        started = descendants(process.pid)
        process.communicate()
    wait_until_gone(started)


@pytest.fixture(scope="module")
def address(cluster: subprocess.Popen[str]) -> str:
    assert cluster.stdout is not None
    return cluster.stdout.readline().strip()


def records(events: list[Event]) -> dict[tuple[int, int], TrialRecord]:
    found = [event.record for event in events if isinstance(event, Ended)]
    by_trial = {(record.spec.network.hidden_layers[0], record.seed): record for record in found}
    assert len(by_trial) == len(found), "no trial may end twice"
    return by_trial


def figures_of(epochs: Any) -> list[tuple[float, ...]]:
    return [tuple(getattr(epoch, name) for name in FIGURES) for epoch in epochs]


def descendants(ancestor: int) -> dict[int, str]:
    """The processes that a process has started, and those that they have, by their names."""
    parents, names = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        # Processes come and go while we look.
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            names[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
            if fields[0] != "Z":
                parents[int(folder.name)] = int(fields[1])
    family = {ancestor}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return {child: names[child] for child in family - {ancestor}}


def wait_until_gone(processes: dict[int, str]) -> None:
    """Fails where one of them still is there after a while."""
    deadline = time.monotonic() + 20
    while left := [name for child, name in processes.items() if is_there(child, name)]:
        assert time.monotonic() < deadline, f"left behind: {left}"
        time.sleep(0.05)


def is_there(process: int, name: str) -> bool:
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        return status != "Z" and bool(name)
    return False


def kill_a_worker(cluster: subprocess.Popen[str]) -> None:
    workers = [pid for pid, name in descendants(cluster.pid).items() if "ray::Worker" in name]
    os.kill(workers[0], signal.SIGKILL)


def ray_executor(job: Job, datasets: Datasets, workers: int | None, address: str) -> Executor:
    return make_executor(ExecutorOptions("ray", workers, address), job, datasets)


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="finds Ray's processes in /proc"
)


@needs_proc
@pytest.mark.slow
def test_workers_give_the_same_figures_even_where_one_is_killed(
    undisturbed: Figures,
    job: Job,
    datasets: Datasets,
    cluster: subprocess.Popen[str],
    address: str,
) -> None:
    events: list[Event] = []

    def on_event(event: Event) -> None:
        if isinstance(event, EpochEnded) and not any(isinstance(e, EpochEnded) for e in events):
            kill_a_worker(cluster)
        events.append(event)

    on_term = signal.getsignal(signal.SIGTERM)
    executor = ray_executor(job, datasets, 2, address)
    assert executor.workers == 2
    assert signal.getsignal(signal.SIGTERM) is on_term, "SIGTERM is how clusters say Ctrl-C"
    executor.run(TASKS, on_event)
    assert {t: figures_of(record.epochs) for t, record in records(events).items()} == undisturbed
    began = [(e.spec.network.hidden_layers[0], e.seed) for e in events if isinstance(e, Began)]
    assert len(began) == len(undisturbed) + 1, "one trial, and no other, begins twice"


@needs_proc
@pytest.mark.slow
def test_a_trial_that_kills_every_worker_fails_and_the_others_do_not(
    undisturbed: Figures,
    job: Job,
    datasets: Datasets,
    cluster: subprocess.Popen[str],
    address: str,
) -> None:
    events: list[Event] = []

    def on_event(event: Event) -> None:
        events.append(event)
        if isinstance(event, Began) and event.seed == 1:
            kill_a_worker(cluster)

    ray_executor(job, datasets, 1, address).run(TASKS[:1], on_event)
    found = records(events)
    assert [e.seed for e in events if isinstance(e, Began)] == [0, *[1] * ATTEMPTS, 2]
    dead = found.pop((4, 1))
    assert dead.status == "failed"
    assert dead.error is not None and "\n" not in dead.error
    assert dead.error.startswith("its worker process died 3 times: ")
    assert {trial: figures_of(record.epochs) for trial, record in found.items()} == {
        (4, seed): undisturbed[4, seed] for seed in (0, 2)
    }


def test_a_worker_whose_images_differ_is_refused(job: Job, address: str) -> None:
    from cnn_ablation.execution.executors.ray_cluster import RayExecutor

    other = dataclasses.replace(job, fingerprints=((DATA, "other images"),))
    with pytest.raises(InputError, match="its mnist differs from the study's"):
        RayExecutor(other, 1, address).run(TASKS, print)


def objects_in_store() -> int:
    """How many objects the cluster's stores hold; small ones are elsewhere."""
    import ray
    from ray._private.internal_api import memory_summary

    address = ray.get_runtime_context().gcs_address
    (count,) = re.findall(r"(\d+) objects", memory_summary(address=address, stats_only=True))
    return int(count)


def test_a_dataset_of_arrays_travels_to_the_cluster_once(
    datasets: Datasets, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the machine that a worker is on is recorded, not the driver's."""
    mnist = datasets.get(DATA)
    parts = [(part.images_NHWC, part.labels_N % 2) for part in (mnist.train, mnist.test)]
    pairs = Dataset.from_arrays("pairs_for_ray", parts[0], parts[1])
    seen: set[int] = set()
    add_trial = Store.add_trial

    def add(store: Store, trial: TrialRecord, of: Machine) -> None:
        seen.add(objects_in_store())
        add_trial(store, trial, of)

    monkeypatch.setattr(Store, "add_trial", add)
    # What this process says of itself; workers are other processes.
    monkeypatch.setattr(machine, "describe_hardware", lambda: {"processor": "the driver's"})
    variants = (Variant("narrow", NetworkSpec(features=2, stride=4, hidden=3)),)
    study = Study("own", "Own?", (Question("width", "Width", variants),))
    options = StudyOptions.of(
        seeds=range(2),
        training=TrainingSpec(epochs=1),
        workdir=str(tmp_path / "own"),
        timing_rounds=0,
        executor="ray",
        workers=2,
        ray_address=address,
        conv="xla",
    )
    trials = train_study(study, options, dataset=pairs).trials
    assert [trial.status for trial in trials] == ["completed"] * 2
    assert {trial.spec.data.dataset for trial in trials} == {"pairs_for_ray"}
    assert seen == {1}
    lines = map(json.loads, (tmp_path / "own" / TRIALS).read_text().splitlines())
    assert {line["hardware"]["processor"] for line in lines} == {describe_hardware()["processor"]}


def test_workers_compute_on_the_platform_that_is_asked_for(
    job: Job, datasets: Datasets, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cnn_ablation.execution.executors import ray_cluster

    options = ExecutorOptions("ray", None, address, "tpu")
    with pytest.raises(InputError, match="no machine of the cluster has 1 CPU and 1 TPU for a w"):
        make_executor(options, job, datasets).run(TASKS, print)
    # As where Ray takes a machine to have a TPU that JAX cannot use.
    monkeypatch.setattr(ray_cluster, "_resources", lambda *_: {"CPU": 1})
    with pytest.raises(InputError, match=r"its JAX runs on cpu, the study on tpu$"):
        make_executor(options, job, datasets).run(TASKS, print)


def test_what_answers_at_another_port_is_not_taken_for_the_cluster(
    job: Job, datasets: Datasets, address: str
) -> None:
    with pytest.raises(InputError, match=f"^--ray_address=ray://{address}: what answers") as why:
        ray_executor(job, datasets, None, f"ray://{address}")
    assert "ray://HOST:10001 from outside" in str(why.value) and why.value.__cause__ is not None


def test_another_token_is_refused_in_a_line(
    start: Callable[..., subprocess.Popen[str]], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    process = start(f"--ray_address={address}")
    _, errors = process.communicate()
    assert process.returncode == 2 and errors.count("\n") == 1, errors
    assert errors.startswith(f"error: --ray_address={address}: the cluster does not accept")


def test_a_cluster_that_is_not_there_is_named_in_seconds(job: Job, datasets: Datasets) -> None:
    start = time.monotonic()
    for address in ("127.0.0.1:1", "ray://127.0.0.1:1", "nonsense", "there:too"):
        with pytest.raises(InputError, match=f"^--ray_address={address}: .*") as refusal:
            ray_executor(job, datasets, None, address)
        assert "\n" not in str(refusal.value)
    assert time.monotonic() - start < 30


def test_an_address_is_for_ray_alone(job: Job, datasets: Datasets) -> None:
    with pytest.raises(InputError, match=r"--ray_address=auto: must be empty with --executor=inl"):
        make_executor(ExecutorOptions("inline", ray_address="auto"), job, datasets)


def test_without_the_package_the_way_to_get_it_is_named(
    job: Job, datasets: Datasets, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ray_cluster", "ray_connection"):
        monkeypatch.delitem(sys.modules, f"cnn_ablation.execution.executors.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"^--executor=ray: needs .* install cnn_ablation\[ray\]$"):
        ray_executor(job, datasets, None, "")


@pytest.fixture
def start(tmp_path: Path, datasets: Datasets) -> Callable[..., subprocess.Popen[str]]:
    """Starts small_study.py on tmp_path/study."""

    def start(*flags: str) -> subprocess.Popen[str]:
        command = [
            *(sys.executable, small_study.__file__, f"--workdir={tmp_path / 'study'}"),
            *("--conv=xla", f"--train_split={DATA.train_split}", f"--test_split={DATA.test_split}"),
            *(f"--num_seeds={SEEDS}", "--timing_rounds=0", "--executor=ray", *flags),
        ]
        pipe = subprocess.PIPE
        # A group of its own, as a terminal's: Ctrl-C reaches every process of a group.
        return subprocess.Popen(
            command, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )

    return start


@needs_proc
@pytest.mark.slow
def test_a_study_goes_on_after_ctrl_c_and_no_process_is_left(
    undisturbed: Figures,
    start: Callable[..., subprocess.Popen[str]],
    address: str,
    tmp_path: Path,
) -> None:
    folder, trials = tmp_path / "study", tmp_path / "study" / TRIALS
    # So many that they are not all there before Ctrl-C is, on however slow a machine.
    seeds = 60
    process = start(f"--num_seeds={seeds}")
    while not trials.exists() or not trials.read_text():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    started = descendants(process.pid)
    assert any("raylet" in name for name in started.values())
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate()
    kept = len(trials.read_text().splitlines())
    what = f"{kept} of {2 * seeds} trials are kept in {folder}"
    assert errors == f"stopped; {what}; the same command goes on\n"
    assert process.returncode == 130
    wait_until_gone(started)

    process = start(f"--num_seeds={seeds}", f"--ray_address={address}", "--workers=1")
    said, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert f"= {2 * seeds}, of which {kept} are there" in said
    results = load_results(folder)
    found = {
        (t.spec.network.hidden_layers[0], t.seed): figures_of(t.epochs) for t in results.trials
    }
    assert len(found) == 2 * seeds
    assert undisturbed.items() <= found.items()


@needs_proc
@pytest.mark.slow
def test_a_head_that_is_gone_ends_the_run_in_a_line(
    start: Callable[..., subprocess.Popen[str]], datasets: Datasets, tmp_path: Path
) -> None:
    trials, pipe = tmp_path / "study" / TRIALS, subprocess.PIPE
    command = [sys.executable, "-c", CLUSTER]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as cluster:
        assert cluster.stdout is not None
        address = cluster.stdout.readline().strip()
        process = start("--num_seeds=1000", f"--ray_address={address}")
        while not trials.exists() or not trials.read_text():
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        of_cluster = descendants(cluster.pid)
        for child in (cluster.pid, *of_cluster):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        started = time.monotonic()
        _, errors = process.communicate(timeout=100)
        assert time.monotonic() - started < 55, "Ray itself gives up after 60 s"
    (line,) = errors.splitlines()
    assert process.returncode == 1
    assert line.startswith(f"error: Ray's head at {address} is gone")
    kept = len(trials.read_text().splitlines())
    assert f"{kept} of 2000 trials are kept in {tmp_path / 'study'}; the same command" in line
    wait_until_gone(of_cluster)
