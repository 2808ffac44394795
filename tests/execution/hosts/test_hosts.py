"""Two real processes on loopback stand for two hosts: they train as one, and end together."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import small_study

from cnn_ablation.data import load_dataset
from cnn_ablation.data.dataset import Dataset, LabeledImages
from cnn_ablation.design import NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.errors import InputError
from cnn_ablation.execution.hosts import HostOptions, join
from cnn_ablation.training.compute import ComputeOptions
from cnn_ablation.training.mesh import choose_devices
from cnn_ablation.training.trainer import TrainedTrial, fit

ROOT = Path(__file__).parents[3]
HELPERS = ROOT / "tests" / "helpers"
pytestmark = pytest.mark.hosts
PATIENCE = 240
HEARTBEAT = 5
SPLITS = ("--train_split=train[:256]", "--test_split=test[:200]")
DESIGN = (*SPLITS, "--features=2", "--hidden=4", "--stride=5", "--conv=xla")
MAIN = ("-m", "cnn_ablation.main")
XLA = ComputeOptions(conv="xla")
CASES: list[tuple[int | None, int]] = [(None, 3), (4, 1)]

FIT = """
import json, sys
from cnn_ablation.execution import hosts
host, port, cases = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
hosts.join(hosts.HostOptions(f"127.0.0.1:{port}", 2, host, heartbeat_seconds=30, join_seconds=60))
import test_hosts
answer = [test_hosts.figures(test_hosts.train(*case)) for case in cases]
open(sys.argv[4] + sys.argv[1], "w").write(json.dumps(answer))
"""


@pytest.fixture(scope="module", autouse=True)
def prepared(mnist: Dataset) -> None:
    """The data are there: hosts that find them missing say so, and what they say is compared."""


def train(devices: int | None, seeds: int) -> list[TrainedTrial]:
    """Trains a small design on made-up images."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 4, 150).astype(np.int32)
    images = generator.integers(0, 64, (150, 8, 9, 2)).astype(np.uint8)
    images[np.arange(150), labels * 2] += 150
    split = LabeledImages(images, labels)
    dataset = Dataset("made_up", "1.0.0", "train", "test", 4, split, split)
    network = NetworkSpec(features=(2,), hidden=3, classes=4, image_shape=(8, 9, 2))
    spec = TrialSpec(network, TrainingSpec(batch_size=20, epochs=2))
    chosen = choose_devices(devices, seeds)
    return fit(spec, dataset, range(seeds), XLA, devices=chosen)


def figures(trials: list[TrainedTrial]) -> list[Any]:
    """Each trial's figures of every epoch, and the sum of its parameters."""
    return [
        [
            [[e.train_loss, e.train_accuracy, e.test_loss] for e in trial.record.epochs],
            sum(float(np.sum(leaf)) for leaf in jax.tree.leaves(trial.params)),
        ]
        for trial in trials
    ]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def start(*arguments: str, devices: int = 1) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        "PYTHONPATH": os.pathsep.join((str(Path(__file__).parent), str(HELPERS), str(ROOT))),
    }
    for name in ("TF_CPP_MIN_LOG_LEVEL", "JAX_COORDINATOR_ADDRESS"):
        environment.pop(name, None)
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )


def signal_host(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Signals a host's command and the child that trains for it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


@contextlib.contextmanager
def two_hosts(
    *arguments: str, apart: tuple[tuple[str, ...], ...] = ((), ())
) -> Iterator[list[subprocess.Popen[str]]]:
    """Two hosts of the same command, but for `apart`, what each alone is given."""
    shared = (f"--coordinator=127.0.0.1:{free_port()}", "--num_hosts=2", "--join_seconds=60")
    heartbeat = f"--heartbeat_seconds={HEARTBEAT}"
    processes = [
        start(*arguments, *shared, heartbeat, f"--host={host}", *own)
        for host, own in enumerate(apart)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            signal_host(process, signal.SIGKILL)
            process.communicate()


def ours(told: str) -> str:
    """What a host said; with a jaxlib whose own fatal log cannot be switched off, its last line."""
    lines = told.splitlines(keepends=True)
    return "".join(lines if jax.__version_info__ >= (0, 8) else lines[-1:])


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_two_hosts_train_as_one_does(tmp_path: Path) -> None:
    port, answer = str(free_port()), str(tmp_path / "answer")
    processes = [
        start("-c", FIT, str(host), port, json.dumps(CASES), answer, devices=2) for host in (0, 1)
    ]
    try:
        errors = [process.communicate(timeout=PATIENCE)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], errors
    first, second = (json.loads(Path(answer + host).read_text()) for host in "01")
    assert first == second
    alone = figures(train(1, 3))
    for case, trials in zip(CASES, first, strict=True):
        for trial, expected in zip(trials, alone, strict=False):
            np.testing.assert_allclose(trial[0], expected[0], rtol=2e-4, err_msg=str(case))
            assert trial[1] == pytest.approx(expected[1], rel=2e-3), case
    # One seed at a time on each host: nothing is summed over hosts, and every bit is the same.
    assert [trial[0] for trial in first[0]] == [trial[0] for trial in alone]


def test_host_0_alone_prints_and_writes(tmp_path: Path) -> None:
    # Prepared before: a host that waits for the other's preparing says so.
    dataset = load_dataset("mnist", train_split="train[:256]", test_split="test[:200]")
    folders = tmp_path / "host0", tmp_path / "host1"
    apart = tuple((f"--workdir={folder}",) for folder in folders)
    with two_hosts(*MAIN, *DESIGN, "--epochs=2", "--seed=5", apart=apart) as processes:
        told = [process.communicate(timeout=PATIENCE) for process in processes]
        assert [process.returncode for process in processes] == [0, 0], told
    assert "written" in told[0][0] and "cpu: 2 x cpu on 2 hosts" in told[0][0]
    assert told[1] == ("", "") and told[0][1] == ""
    assert not folders[1].exists()
    document = json.loads((folders[0] / "metrics.json").read_text())
    assert document["environment"]["process_count"] == 2
    network = NetworkSpec(features=(2,), hidden=4, stride=5)
    (trial,) = fit(TrialSpec(network, TrainingSpec(epochs=2)), dataset, [5], XLA)
    alone = trial.record.epochs
    for line, epoch in zip(lines_of(folders[0] / "metrics.jsonl"), alone, strict=True):
        assert line["train_loss"] == pytest.approx(epoch.train_loss, rel=2e-4)
        assert line["test_loss"] == pytest.approx(epoch.test_loss, rel=2e-4)


def test_a_study_is_trained_on_both_hosts_and_kept_on_one(tmp_path: Path) -> None:
    script = str(HELPERS / "small_study.py")
    few = ("--epochs=1", "--num_seeds=2", "--timing_rounds=0", "--nocontrols", "--conv=xla")
    folders = tmp_path / "host0", tmp_path / "host1"
    apart = tuple((f"--workdir={folder}",) for folder in folders)
    with two_hosts(script, *SPLITS, *few, apart=apart) as processes:
        told = [process.communicate(timeout=PATIENCE) for process in processes]
        assert [process.returncode for process in processes] == [0, 0], told
    assert not folders[1].exists()
    trials = {trial["trial_id"]: trial for trial in lines_of(folders[0] / "trials.jsonl")}
    assert [trial["status"] for trial in trials.values()] == ["completed"] * 4
    network = small_study.BASE.replace(hidden=6)
    spec = TrialSpec(network, TrainingSpec(epochs=1), small_study.DATA)
    dataset = load_dataset("mnist", train_split="train[:256]", test_split="test[:200]")
    for seed, alone in enumerate(fit(spec, dataset, range(2), XLA)):
        found = trials[spec.trial_id(seed, dataset.version)]
        assert found["epochs"][0]["test_loss"] == alone.record.epochs[0].test_loss


@pytest.mark.parametrize(
    ("lost", "how"), [(1, signal.SIGKILL), (0, signal.SIGKILL), (1, signal.SIGSTOP)]
)
def test_a_host_that_is_lost_ends_the_other(tmp_path: Path, lost: int, how: signal.Signals) -> None:
    folder, lines = tmp_path / "run", tmp_path / "run" / "metrics.jsonl"
    with two_hosts(*MAIN, *DESIGN, "--epochs=100000", f"--workdir={folder}") as processes:
        end = time.monotonic() + PATIENCE
        while not (lines.exists() and lines.stat().st_size):
            assert time.monotonic() < end and processes[0].poll() is None
            time.sleep(0.1)
        if how == signal.SIGKILL:
            # The child that trains ends with its parent.
            processes[lost].send_signal(how)
        else:
            signal_host(processes[lost], how)
        survivor = processes[1 - lost]
        told = survivor.communicate(timeout=HEARTBEAT + 30)[1]
        assert survivor.returncode == 1
    kept = "" if lost == 0 else f"; what was recorded is in {folder}"
    told = ours(told)
    assert told.startswith(f"error: host {lost} of 2 is gone: ")
    assert told.endswith(f"its own messages say more{kept}\n") and told.count("\n") == 1
    assert [line["epoch"] for line in lines_of(lines)] == list(range(1, len(lines_of(lines)) + 1))
    assert not (folder / "metrics.json").exists()


def test_hosts_with_different_flags_are_refused(tmp_path: Path) -> None:
    apart = (f"--workdir={tmp_path / 'run'}",), ("--batch_size=7",)
    with two_hosts(*MAIN, *DESIGN, "--epochs=1", apart=apart) as processes:
        told = [process.communicate(timeout=PATIENCE)[1] for process in processes]
        assert [process.returncode for process in processes] == [1, 2], told
    assert told[1] == "error: host 1: batch_size=7: must be 128, as on host 0\n"
    assert told[0].startswith("error: host 1 of 2 is gone: ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_hosts": 2}, "--num_hosts=2: needs --coordinator=HOST:PORT"),
        ({"host": 0}, "--host=0: needs --coordinator=HOST:PORT"),
        ({"coordinator": "auto", "host": 1}, "--host=1: must be left out with --coordinator=auto"),
        ({"coordinator": "here"}, "--coordinator=here: must be HOST:PORT"),
        ({"coordinator": "here:99999"}, "--coordinator=here:99999: must be HOST:PORT"),
        ({"coordinator": "h:1"}, "--num_hosts: must be 1 or more"),
        ({"coordinator": "h:1", "num_hosts": 2}, "--host: must be from 0 to 1"),
        ({"coordinator": "h:1", "num_hosts": 2, "host": 2}, "--host=2: must be from 0 to 1"),
        ({"heartbeat_seconds": 0}, "--heartbeat_seconds=0: must be a whole number of 1"),
        ({"join_seconds": 0}, "--join_seconds=0: must be a whole number of 1"),
    ],
)
def test_a_mistake_in_the_flags_is_one_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        HostOptions(**options).check()
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_a_coordinator_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    port = free_port()
    with pytest.raises(InputError, match=f":{port}: host 0 did not answer within 1 s"):
        join(HostOptions(f"127.0.0.1:{port}", 2, 1, join_seconds=1))
    with pytest.raises(InputError, match=r"no-such-host\.invalid is not known here"):
        join(HostOptions("no-such-host.invalid:4000", 2, 1))
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f":{port}: host 0 cannot listen"):
            join(HostOptions(f"127.0.0.1:{port}", 2, 0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--coordinator=auto",), "--coordinator=auto: JAX finds no TPU pod, Slurm or Open MPI"),
        (
            ("--coordinator=127.0.0.1:PORT", "--num_hosts=2", "--host=0"),
            "the hosts did not come together within 2 s",
        ),
    ],
)
def test_hosts_that_do_not_come_together_end_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    arguments = tuple(flag.replace("PORT", str(free_port())) for flag in arguments)
    process = start(*MAIN, *DESIGN, *arguments, "--join_seconds=2", f"--workdir={tmp_path}")
    try:
        told = process.communicate(timeout=PATIENCE)[1]
    finally:
        process.kill()
    assert process.returncode == 2
    told = ours(told)
    assert message in told and told.startswith("error: ") and told.count("\n") == 1


def test_hosts_that_know_different_secrets_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret of host 1\n")
    (tmp_path / "secret").chmod(0o600)
    # Host 0 is given none, and takes the user's own.
    apart = ((), (f"--secret_file={tmp_path / 'secret'}",))
    with two_hosts(*MAIN, *DESIGN, f"--workdir={tmp_path / 'run'}", apart=apart) as processes:
        told = [process.communicate(timeout=PATIENCE)[1] for process in processes]
        assert [process.returncode for process in processes] == [2, 2], told
    for host, other in ((0, 1), (1, 0)):
        assert told[host].startswith(f"error: host {host}: host {other} has another secret; ")
        assert told[host].count("\n") == 1 and "a secret of" not in told[host]
    assert not (tmp_path / "run").exists()
