"""What docs/clusters.md says was run: studies on hosts of namespaces while machines and wires fail.

`pytest -m "search and hosts" tests/execution/hosts/test_scenarios.py`, likewise `slurm` and `ray`;
they end with a table of what was done, how many trials are as in one process, and the seconds from
a failure to the line that says it.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import namespaces
import pytest
import slow_wire
import slurm
import tally

from cnn_ablation.data import Dataset

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.search
SMALL = str(ROOT / "tests" / "helpers" / "small_study.py")
FEW = (
    *("--timing_rounds=0", "--conv=xla"),
    *("--train_split=train[:256]", "--test_split=test[:200]"),
)
STUDY = (SMALL, *FEW, "--nocontrols")
TUNED = (
    *("-m", "cnn_ablation", "study", "stride", *FEW, "--epochs=1", "--num_seeds=2"),
    *("--arms=params,tuned", "--tune=learning_rate:0.3,1", "--tune_extensions=0"),
)
PATIENCE = 1500
HEARTBEAT = 10
Trials = dict[str, Any]
Machines = Callable[[int], namespaces.Network]


@pytest.fixture
def machines(mnist: Dataset) -> Iterator[Machines]:
    """Makes so many hosts, for as long as the test lasts."""
    if why_not := namespaces.missing():
        pytest.skip(f"hosts of network namespaces: {why_not}")
    with contextlib.ExitStack() as stack:
        yield lambda count: stack.enter_context(namespaces.network(count))


@pytest.fixture(scope="module")
def alone(
    mnist: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Sequence[str], str], Trials]:
    """What the trials of a command come to in one process, whose XLA has so many threads."""
    known: dict[tuple[str, ...], Trials] = {}

    def alone(command: Sequence[str], threads: str = "") -> Trials:
        key = (*command, threads)
        if key not in known:
            folder = tmp_path_factory.mktemp("alone")
            words = (sys.executable, *command, "--executor=inline", f"--workdir={folder}")
            own = environment(**({"NPROC": threads} if threads else {}))
            subprocess.run(words, check=True, capture_output=True, cwd=ROOT, env=own)
            known[key] = trials(folder)
        return known[key]

    return alone


def environment(**more: str) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
    secrets = {"CNN_ABLATION_SECRET": "known to all of these hosts", "RAY_AUTH_MODE": "token"}
    return {**os.environ, **own, **secrets, "RAY_AUTH_TOKEN": "0" * 64, **more}


def trials(folder: Path) -> Trials:
    """Each stored trial's figures by its id, without its times."""
    path = folder / "trials.jsonl"
    lines = map(json.loads, path.read_text().splitlines()) if path.exists() else ()
    return {
        line["trial_id"]: [
            line["status"],
            [{k: v for k, v in e.items() if not k.endswith("seconds")} for e in line["epochs"]],
        ]
        for line in lines
    }


def wait_for_trials(folder: Path, count: int, running: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE
    while len(trials(folder)) < count:
        assert time.monotonic() < end and running.poll() is None, running.communicate()
        time.sleep(0.1)


def said(processes: Sequence[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    """What each ended with: its code, and what it said on standard error."""
    errors = [process.communicate(timeout=PATIENCE)[1] for process in processes]
    return [(p.returncode, text) for p, text in zip(processes, errors, strict=True)]


def note(scenario: str, done: str, found: Trials, expected: Trials, seconds: float = 0.0) -> None:
    """Keeps a row of the table, and holds the trials to those of one process."""
    assert found == {key: expected[key] for key in found}
    after = f", line after {seconds:.0f} s" if seconds else ""
    tally.note(scenario, done, f"{len(found)} of {len(expected)} to the bit{after}")


def on_all(
    hosts: namespaces.Network, folder: Path, command: Sequence[str], count: int
) -> list[subprocess.Popen[str]]:
    """The same command on each of so many hosts."""
    shared = (
        *("--coordinator=node1:4000", f"--num_hosts={count}", f"--heartbeat_seconds={HEARTBEAT}"),
        *("--join_seconds=600", f"--workdir={folder}"),
    )
    words = (sys.executable, *command, "--executor=inline", *shared)
    return [
        hosts.start(f"node{number + 1}", (*words, f"--host={number}"), environment())
        for number in range(count)
    ]


@pytest.mark.hosts
@pytest.mark.parametrize(("count", "seeds"), [(2, 10), (3, 25)])
def test_hosts_together(
    machines: Machines, alone: Any, tmp_path: Path, count: int, seeds: int
) -> None:
    command = (*STUDY, f"--num_seeds={seeds}")
    told = said(on_all(machines(count), tmp_path / "run", command, count))
    assert told == [(0, "")] * count
    found = trials(tmp_path / "run")
    assert len(found) == 2 * seeds
    note(f"--coordinator, {count} hosts", "-", found, alone(command))


@pytest.mark.hosts
@pytest.mark.parametrize("failure", ["host 1 killed", "host 0 killed", "cable cut"])
def test_hosts_that_fail(machines: Machines, alone: Any, tmp_path: Path, failure: str) -> None:
    command, folder = (*STUDY, "--num_seeds=10", "--epochs=6"), tmp_path / "run"
    hosts = machines(2)
    both = on_all(hosts, folder, command, 2)
    wait_for_trials(folder, 4, both[0])
    start = time.monotonic()
    left = both
    if failure == "cable cut":
        hosts.set_link("node2", "down")
    else:
        lost = int(failure.split()[1])
        os.killpg(both[lost].pid, signal.SIGKILL)
        left = [both[1 - lost]]
    told = said(left)
    seconds = time.monotonic() - start
    for code, text in told:
        assert code == 1 and text.count("\n") == 1 and "is gone" in text, text
    expected, kept = alone(command), trials(folder)
    assert 4 <= len(kept) < 20
    note("--coordinator, 2 hosts", failure, kept, expected, seconds)
    for process in both:
        namespaces.end(process)
    hosts.set_link("node2", "up")
    assert said(on_all(hosts, folder, command, 2)) == [(0, "")] * 2
    note("the same command again", f"after {failure}", trials(folder), expected)
    assert len(trials(folder)) == 20


@pytest.mark.hosts
def test_hosts_on_a_slow_wire(machines: Machines, alone: Any, tmp_path: Path) -> None:
    hosts, command = machines(2), (*STUDY, "--num_seeds=10")
    hosts.rename(dict(zip(hosts.names, slow_wire.ADDRESSES, strict=True)))
    spaces = [hosts.space(name) for name in hosts.names]
    relay = (sys.executable, slow_wire.__file__, *spaces, "25", "1")
    with subprocess.Popen(relay, stdout=subprocess.PIPE, text=True) as wire:
        assert wire.stdout is not None and wire.stdout.readline() == "ready\n"
        try:
            told = said(on_all(hosts, tmp_path / "run", command, 2))
        finally:
            wire.kill()
    assert told == [(0, "")] * 2
    found = trials(tmp_path / "run")
    assert len(found) == 20
    note("--coordinator, 2 hosts", "wire of 25 ms and 1 % loss", found, alone(command))


@pytest.mark.hosts
def test_a_tuned_study_with_arms_on_hosts(machines: Machines, alone: Any, tmp_path: Path) -> None:
    assert said(on_all(machines(2), tmp_path / "run", TUNED, 2)) == [(0, "")] * 2
    found, expected = trials(tmp_path / "run"), alone(TUNED)
    assert found.keys() == expected.keys()
    note("--coordinator, 2 hosts", "--arms=params,tuned --tune=...", found, expected)


@pytest.fixture
def nodes(mnist: Dataset, monkeypatch: pytest.MonkeyPatch) -> Iterator[slurm.Cluster]:
    if why_not := slurm.missing():
        pytest.skip(f"Slurm on this machine: {why_not}")
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    with slurm.cluster() as made:
        yield made


@pytest.mark.slurm
def test_srun_on_two_nodes_of_which_one_is_killed(
    nodes: slurm.Cluster, alone: Any, tmp_path: Path
) -> None:
    command, folder = (*STUDY, "--num_seeds=10", "--epochs=6"), tmp_path / "run"
    words = (
        *("srun", "--nodes=2", "--ntasks-per-node=1", "--cpus-per-task=2", sys.executable),
        *(*command, "--executor=inline", "--coordinator=auto", f"--workdir={folder}"),
        *("--join_seconds=600", f"--heartbeat_seconds={HEARTBEAT}"),
    )
    process = nodes.begin(words)
    wait_for_trials(folder, 4, process)
    start = time.monotonic()
    nodes.kill_node("node2")
    ((code, text),) = said([process])
    seconds = time.monotonic() - start
    own = [line for line in text.splitlines() if "error: " in line and "srun: " not in line]
    assert code != 0 and len(own) == 1 and "host 1 of 2 is gone" in own[0], text
    expected = alone(command)
    assert 4 <= len(trials(folder)) < 20
    note("srun --coordinator=auto, 2 nodes", "node killed", trials(folder), expected, seconds)
    nodes.restart_node("node2")
    ((code, text),) = said([nodes.begin(words)])
    assert code == 0, text
    note("the same command again", "after node killed", trials(folder), expected)
    assert len(trials(folder)) == 20


@pytest.mark.slurm
@pytest.mark.parametrize(("script", "threads"), [("hosts", ""), ("ray", "1")])
def test_batch_scripts(
    nodes: slurm.Cluster, alone: Any, tmp_path: Path, script: str, threads: str
) -> None:
    if threads:
        nodes.environment["NPROC"] = threads
    command = (*STUDY, "--num_seeds=25")
    more = ("--executor=inline", "--join_seconds=600") if script == "hosts" else ()
    path = ROOT / "docs" / "clusters" / f"{script}.sbatch"
    words = ("python", *command, *more, f"--workdir={tmp_path / 'run'}")
    nodes.submit(path, *words, patience=PATIENCE)
    found = trials(tmp_path / "run")
    assert len(found) == 50
    note(f"{script}.sbatch, 2 nodes", "-", found, alone(command, threads))


class RayMachines:
    """A head and workers on hosts of their own; the last host is outside of the cluster."""

    def __init__(self, hosts: namespaces.Network, workers: int) -> None:
        self.hosts, self.outside = hosts, hosts.names[-1]
        self.head = self._start("node1", "--head", "--port=6379", "--include-dashboard=false")
        self._wait("node1", 1)
        self.workers = [
            self._start(f"node{number + 2}", "--address=node1:6379") for number in range(workers)
        ]
        self._wait("node1", 1 + workers)

    def _start(self, name: str, *more: str) -> subprocess.Popen[str]:
        ray = (str(Path(sys.executable).parent / "ray"), "start", "--block", "--num-cpus=1")
        own = (f"--node-ip-address={self.hosts.address(name)}", "--object-store-memory=100000000")
        shell = ("bash", "-c", 'exec "$@" >/dev/null 2>&1', "bash")
        command = (*shell, *ray, *own, "--disable-usage-stats", *more)
        return self.hosts.start(name, command, environment(NPROC="1"))

    def _wait(self, name: str, count: int) -> None:
        ask = (
            "import ray, time; ray.init('ray://node1:10001', log_to_driver=False)\n"
            f"while sum(n['Alive'] for n in ray.nodes()) < {count}: time.sleep(1)"
        )
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            words = (sys.executable, "-c", ask)
            asked = self.hosts.start(self.outside, words, environment())
            if said([asked])[0][0] == 0:
                return
            time.sleep(1)
        raise TimeoutError("the cluster did not come up")

    def drive(self, folder: Path, command: Sequence[str]) -> subprocess.Popen[str]:
        """Starts the command outside of the cluster."""
        words = (sys.executable, *command, "--executor=ray", "--ray_address=ray://node1:10001")
        words = (*words, f"--workdir={folder}")
        return self.hosts.start(self.outside, words, environment(NPROC="1"))

    def close(self) -> None:
        for process in (*self.workers, self.head):
            namespaces.end(process)


@contextlib.contextmanager
def ray_cluster(hosts: namespaces.Network, workers: int) -> Iterator[RayMachines]:
    made = RayMachines(hosts, workers)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.ray
@pytest.mark.parametrize("failure", ["worker killed", "worker's cable cut"])
def test_ray_machines_of_which_one_fails(
    machines: Machines, alone: Any, tmp_path: Path, failure: str
) -> None:
    pytest.importorskip("ray")
    command, folder = (*STUDY, "--num_seeds=25"), tmp_path / "run"
    hosts = machines(4)
    with ray_cluster(hosts, 2) as cluster:
        driver = cluster.drive(folder, command)
        wait_for_trials(folder, 10, driver)
        if failure == "worker killed":
            os.killpg(cluster.workers[1].pid, signal.SIGKILL)
        else:
            hosts.set_link("node3", "down")
        assert said([driver]) == [(0, "")]
    found = trials(folder)
    assert len(found) == 50
    note("ray://, head and 2 workers", failure, found, alone(command, "1"))


@pytest.mark.ray
def test_a_ray_cluster_whose_head_is_killed(machines: Machines, alone: Any, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    command, folder = (*STUDY, "--num_seeds=25", "--epochs=6"), tmp_path / "run"
    hosts = machines(3)
    expected = alone(command, "1")
    with ray_cluster(hosts, 1) as cluster:
        driver = cluster.drive(folder, command)
        wait_for_trials(folder, 10, driver)
        os.killpg(cluster.head.pid, signal.SIGKILL)
        start = time.monotonic()
        ((code, text),) = said([driver])
        seconds = time.monotonic() - start
        assert code == 1 and text.count("\n") == 1 and "Ray's head at" in text, text
    assert 10 <= len(trials(folder)) < 50
    note("ray://, head and worker", "head killed", trials(folder), expected, seconds)
    with ray_cluster(hosts, 1) as cluster:
        assert said([cluster.drive(folder, command)]) == [(0, "")]
    note("the same command again", "on a new cluster", trials(folder), expected)
    assert len(trials(folder)) == 50


@pytest.mark.ray
def test_a_tuned_study_with_arms_on_ray(machines: Machines, alone: Any, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    with ray_cluster(machines(3), 1) as cluster:
        assert said([cluster.drive(tmp_path / "run", TUNED)]) == [(0, "")]
    found, expected = trials(tmp_path / "run"), alone(TUNED, "1")
    assert found.keys() == expected.keys()
    note("ray://, head and worker", "--arms=params,tuned --tune=...", found, expected)
