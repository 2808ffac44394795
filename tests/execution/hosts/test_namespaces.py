"""Real hosts, as far as one machine has them: each with an address and a name of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import namespaces
import pytest

from cnn_ablation.data import Dataset

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.hosts
DESIGN = (
    *("-m", "cnn_ablation.main", "--features=2", "--hidden=4", "--stride=5", "--conv=xla"),
    *("--train_split=train[:256]", "--test_split=test[:200]", "--num_seeds=2"),
)
PATIENCE = 200


@pytest.fixture
def hosts() -> Iterator[namespaces.Network]:
    if why_not := namespaces.missing():
        pytest.skip(f"hosts of network namespaces: {why_not}")
    with namespaces.network(2) as made:
        yield made


def start(
    hosts: namespaces.Network, number: int, *own: str, **variables: str
) -> "subprocess.Popen[str]":
    """The command on one of the two hosts."""
    environment = {
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": str(ROOT),
        "CNN_ABLATION_SECRET": "known to both of these hosts",
        **variables,
    }
    # Another test's process may have been asked to be noisy.
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    shared = ("--coordinator=node1:4000", "--num_hosts=2", f"--host={number}")
    command = (sys.executable, *DESIGN, *shared, "--join_seconds=100", *own)
    return hosts.start(f"node{number + 1}", command, environment)


def figures(folder: Path) -> list[Any]:
    runs = json.loads((folder / "metrics.json").read_text())["runs"]
    return [
        [{k: v for k, v in epoch.items() if not k.endswith("seconds")} for epoch in run["epochs"]]
        for run in runs
    ]


def test_two_hosts_train_as_one_process_does(
    hosts: namespaces.Network, mnist: Dataset, tmp_path: Path
) -> None:
    """On one of them half of Open MPI's variables are set, and it is in a Kubernetes pod."""
    odd = {"OMPI_MCA_orte_hnp_uri": "1.0;tcp://10.0.0.1:1", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    both = [
        start(hosts, 0, f"--workdir={tmp_path / 'two'}"),
        start(hosts, 1, f"--workdir={tmp_path / 'two'}", **odd),
    ]
    try:
        for process in both:
            _, errors = process.communicate(timeout=PATIENCE)
            assert (process.returncode, errors) == (0, "")
    finally:
        for process in both:
            namespaces.end(process)
    alone = (sys.executable, *DESIGN, f"--workdir={tmp_path / 'one'}")
    subprocess.run(alone, check=True, capture_output=True, cwd=ROOT)
    assert figures(tmp_path / "two") == figures(tmp_path / "one")


def test_a_name_that_is_a_loopback_address_is_refused(hosts: namespaces.Network) -> None:
    hosts.as_debian_writes("node2")
    process = start(hosts, 1)
    try:
        _, errors = process.communicate(timeout=PATIENCE)
    finally:
        namespaces.end(process)
    (line,) = errors.splitlines()
    assert process.returncode == 2 and "as in '10.79.0.2 node2'" in line


def test_a_cut_link_ends_both_hosts_with_a_line(
    hosts: namespaces.Network, mnist: Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    long = ("--epochs=1000000", "--heartbeat_seconds=5", f"--workdir={folder}")
    both = [start(hosts, number, *long) for number in (0, 1)]
    try:
        end = time.monotonic() + PATIENCE
        while not (folder / "metrics.jsonl").exists() or not (folder / "metrics.jsonl").read_text():
            assert time.monotonic() < end and both[0].poll() is None
            time.sleep(0.2)
        hosts.set_link("node2", "down")
        for process in both:
            _, errors = process.communicate(timeout=PATIENCE)
            assert process.returncode == 1, errors
            assert len(errors.splitlines()) == 1 and "is gone" in errors, errors
    finally:
        for process in both:
            namespaces.end(process)
