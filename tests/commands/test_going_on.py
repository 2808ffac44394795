"""A run of one design that was stopped, and goes on with the same command."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from fake_training import FakeExecutor, train

from cnn_ablation.data import Dataset
from cnn_ablation.execution import preparing

# So many epochs that the second seed is not over when the stop comes, on however slow a machine.
EPOCHS = 500


def start(folder: Path) -> subprocess.Popen[str]:
    command = [
        *(sys.executable, "-m", "cnn_ablation.main", f"--workdir={folder}", "--seed=3"),
        *("--num_seeds=2", f"--epochs={EPOCHS}", "--features=2", "--stride=5", "--hidden=3"),
        *("--train_split=train[:100]", "--test_split=test[:50]", "--conv=xla"),
    ]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)


def lines_of(path: Path) -> list[dict[str, Any]]:
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


@pytest.mark.processes
def test_a_run_stopped_after_its_first_seed_trains_only_the_second(
    mnist: Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    stopped = start(folder)
    while not any(line["seed"] == 4 for line in lines_of(folder / "metrics.jsonl")):
        assert stopped.poll() is None, stopped.communicate()
        time.sleep(0.02)
    stopped.send_signal(signal.SIGINT)
    _, errors = stopped.communicate()
    assert stopped.returncode == 130
    cut = "seed 4 was cut off and begins anew, what it reached stands in metrics.jsonl"
    kept_there = f"stopped; 1 of 2 trials are kept in {folder}"
    assert errors == f"{kept_there}; {cut}; the same command goes on\n"
    (kept,) = lines_of(folder / "trials.jsonl")
    assert (kept["seed"], kept["status"], len(kept["epochs"])) == (3, "completed", EPOCHS)
    assert not (folder / "metrics.json").exists()

    again = start(folder)
    said, errors = again.communicate()
    assert (again.returncode, errors) == (0, "")
    assert "there already: seed 3\n" in said
    assert "seed 4  epoch 1/" in said and "seed 3  epoch " not in said
    runs = json.loads((folder / "metrics.json").read_text())["runs"]
    assert [run["seed"] for run in runs] == [3, 4]
    assert runs[0]["epochs"] == kept["epochs"]
    found = [(line["seed"], line["epoch"]) for line in lines_of(folder / "metrics.jsonl")]
    assert found == [(seed, epoch) for seed in (3, 4) for epoch in range(1, EPOCHS + 1)]
    assert [trial["seed"] for trial in lines_of(folder / "trials.jsonl")] == [3, 4]


def test_a_run_that_replaces_another_goes_on_too(
    mnist: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    monkeypatch.setattr(preparing, "make_executor", FakeExecutor)
    assert (train(folder), FakeExecutor.trained) == (0, [3, 4])
    finished = (folder / "metrics.json").read_text()
    with pytest.raises(KeyboardInterrupt, match=r"1 of 2 trials are kept .*the same command goes"):
        train(folder, stop_at=4)
    assert (folder / "metrics.json").read_text() == finished
    assert (train(folder), FakeExecutor.trained) == (0, [4])
    assert (train(folder), FakeExecutor.trained) == (0, [3, 4])
    found = [(line["seed"], line["epoch"]) for line in lines_of(folder / "metrics.jsonl")]
    assert found == [(3, 1), (4, 1)]
    left = {path.name for path in folder.iterdir() if path.suffix != ".lock"}
    assert left == {"metrics.json", "metrics.jsonl", "study.json", "trials.jsonl"}


def test_without_a_folder_of_one_s_own_it_is_named(
    mnist: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(preparing, "make_executor", FakeExecutor)
    with pytest.raises(KeyboardInterrupt, match=r"with --workdir=.* goes on") as stopped:
        train("", stop_at=4)
    named = str(stopped.value).partition("--workdir=")[2].removesuffix(" goes on")
    assert (tmp_path / named / "trials.jsonl").exists()
