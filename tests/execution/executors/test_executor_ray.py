"""Trials on a real Ray cluster of this machine, its workers killed in mid-task included."""

import contextlib
import importlib.util
import os
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
from cnn_ablation.execution.executors.pooling import ATTEMPTS

from cnn_ablation.data import Dataset, load_dataset
from cnn_ablation.design import TrialSpec
from cnn_ablation.errors import InputError
from cnn_ablation.execution.executors import (
    Began,
    Ended,
    EpochEnded,
    Event,
    Job,
    Task,
    make_executor,
)
from cnn_ablation.execution.executors.inline import InlineExecutor
from cnn_ablation.study.store import TRIALS, load_results

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None, reason="the package ray is not installed"
    ),
]

SEEDS = 3
DATA = small_study.DATA
TASKS = [
    Task(TrialSpec(network, small_study.TRAINING, DATA), tuple(range(SEEDS)))
    for network in small_study.study(4, 6).networks()
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
def dataset(mnist: Dataset) -> Dataset:
    """The study's images; the whole of MNIST is prepared first, so that no process has to."""
    return load_dataset("mnist", train_split=DATA.train_split, test_split=DATA.test_split)


@pytest.fixture(scope="module")
def job(private_folders: Path) -> Job:
    return Job(DATA, conv="xla")


@pytest.fixture(scope="module")
def undisturbed(dataset: Dataset, job: Job) -> Figures:
    """What the trials of TASKS come to in this process."""
    events: list[Event] = []
    InlineExecutor(job, dataset).run(TASKS, events.append)
    return {trial: figures_of(end.epochs) for trial, end in ends(events).items()}


@pytest.fixture(scope="module", autouse=True)
def secret() -> None:
    """What who joins the cluster must know; Ray reads it when it is first imported."""
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))


@pytest.fixture(scope="module")
def cluster(dataset: Dataset) -> Iterator[subprocess.Popen[str]]:
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


def ends(events: list[Event]) -> dict[tuple[int, int], Ended]:
    found = [event for event in events if isinstance(event, Ended)]
    by_trial = {(end.network.hidden, end.seed): end for end in found}
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


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="finds Ray's processes in /proc"
)


@needs_proc
@pytest.mark.slow
def test_workers_give_the_same_figures_even_where_one_is_killed(
    undisturbed: Figures, job: Job, dataset: Dataset, cluster: subprocess.Popen[str], address: str
) -> None:
    events: list[Event] = []

    def on_event(event: Event) -> None:
        if isinstance(event, EpochEnded) and not any(isinstance(e, EpochEnded) for e in events):
            kill_a_worker(cluster)
        events.append(event)

    on_term = signal.getsignal(signal.SIGTERM)
    executor = make_executor("ray", 2, job, dataset, address)
    assert executor.workers == 2
    assert signal.getsignal(signal.SIGTERM) is on_term, "SIGTERM is how clusters say Ctrl-C"
    executor.run(TASKS, on_event)
    assert {trial: figures_of(end.epochs) for trial, end in ends(events).items()} == undisturbed
    began = [(e.network.hidden, e.seed) for e in events if isinstance(e, Began)]
    assert len(began) == len(undisturbed) + 1, "one trial, and no other, begins twice"


@needs_proc
@pytest.mark.slow
def test_a_trial_that_kills_every_worker_fails_and_the_others_do_not(
    undisturbed: Figures, job: Job, dataset: Dataset, cluster: subprocess.Popen[str], address: str
) -> None:
    events: list[Event] = []

    def on_event(event: Event) -> None:
        events.append(event)
        if isinstance(event, Began) and event.seed == 1:
            kill_a_worker(cluster)

    make_executor("ray", 1, job, dataset, address).run(TASKS[:1], on_event)
    found = ends(events)
    assert [e.seed for e in events if isinstance(e, Began)] == [0, *[1] * ATTEMPTS, 2]
    dead = found.pop((4, 1))
    assert dead.status == "failed"
    assert dead.error is not None and "\n" not in dead.error
    assert dead.error.startswith("its worker process died 3 times: ")
    assert {trial: figures_of(end.epochs) for trial, end in found.items()} == {
        (4, seed): undisturbed[4, seed] for seed in (0, 2)
    }


def test_a_worker_whose_images_differ_is_refused(job: Job, dataset: Dataset, address: str) -> None:
    from cnn_ablation.execution.executors.ray_cluster import RayExecutor

    with pytest.raises(InputError, match="its mnist differs from the study's"):
        RayExecutor(job, 1, address, "other images").run(TASKS, print)


def test_a_cluster_that_is_not_there_is_named_in_seconds(job: Job, dataset: Dataset) -> None:
    start = time.monotonic()
    for address in ("127.0.0.1:1", "ray://127.0.0.1:1", "nonsense", "there:too"):
        with pytest.raises(InputError, match=f"^--ray_address={address}: .*") as refusal:
            make_executor("ray", None, job, dataset, address)
        assert "\n" not in str(refusal.value)
    assert time.monotonic() - start < 30


def test_an_address_is_for_ray_alone(job: Job, dataset: Dataset) -> None:
    with pytest.raises(InputError, match=r"--ray_address=auto: must be empty with --executor=inl"):
        make_executor("inline", None, job, dataset, "auto")


def test_without_the_package_the_way_to_get_it_is_named(
    job: Job, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ray_cluster", "ray_connection"):
        monkeypatch.delitem(sys.modules, f"cnn_ablation.execution.executors.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"^--executor=ray: needs .* install cnn_ablation\[ray\]$"):
        make_executor("ray", None, job, dataset)


@pytest.fixture
def start(tmp_path: Path, dataset: Dataset) -> Callable[..., subprocess.Popen[str]]:
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
    found = {(t.network.hidden, t.seed): figures_of(t.epochs) for t in results.trials}
    assert len(found) == 2 * seeds
    assert undisturbed.items() <= found.items()
