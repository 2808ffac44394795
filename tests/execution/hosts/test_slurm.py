"""The batch scripts of docs/clusters in a real Slurm of two nodes: figures as of one process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import slurm

from cnn_ablation.data import Dataset

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "docs" / "clusters"
pytestmark = pytest.mark.slurm
STUDY = (
    *(str(ROOT / "tests" / "helpers" / "small_study.py"), "--conv=xla", "--timing_rounds=0"),
    *("--train_split=train[:256]", "--test_split=test[:200]", "--num_seeds=3", "--nocontrols"),
)
PATIENCE = 400


@pytest.fixture
def cluster(mnist: Dataset, monkeypatch: pytest.MonkeyPatch) -> Iterator[slurm.Cluster]:
    if why_not := slurm.missing():
        pytest.skip(f"Slurm on this machine: {why_not}")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    with slurm.cluster() as made:
        yield made


def trials(folder: Path) -> dict[str, Any]:
    lines = map(json.loads, (folder / "trials.jsonl").read_text().splitlines())
    return {
        line["trial_id"]: [
            {name: value for name, value in epoch.items() if not name.endswith("seconds")}
            for epoch in line["epochs"]
        ]
        for line in lines
    }


def alone(folder: Path) -> dict[str, Any]:
    command = (sys.executable, *STUDY, "--executor=inline", f"--workdir={folder}")
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return trials(folder)


def test_a_study_on_all_nodes_together(cluster: slurm.Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "together"
    words = (*STUDY, "--executor=inline", "--join_seconds=100", f"--workdir={folder}")
    cluster.submit(SCRIPTS / "hosts.sbatch", "python", *words, patience=PATIENCE)
    found = trials(folder)
    assert len(found) == 6 and found == alone(tmp_path / "alone")


@pytest.mark.ray
def test_a_study_over_the_nodes_by_ray(
    cluster: slurm.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The script's workers have one core, which decides float32's last bits.
    monkeypatch.setenv("NPROC", "1")
    folder = tmp_path / "spread"
    words = (*STUDY, f"--workdir={folder}")
    cluster.submit(SCRIPTS / "ray.sbatch", "python", *words, patience=PATIENCE)
    found = trials(folder)
    assert len(found) == 6 and found == alone(tmp_path / "alone")
