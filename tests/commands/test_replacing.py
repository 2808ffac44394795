"""A finished run stands whole until the one that replaces it is, whatever stops that."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_training import FakeExecutor, train

from cnn_ablation.commands import replacing
from cnn_ablation.data import Dataset
from cnn_ablation.errors import InputError
from cnn_ablation.execution import preparing
from cnn_ablation.execution.tracking import TrialTracking
from cnn_ablation.system.locks import sole_writer


class Killed(BaseException):
    """Stands for kill -9: nobody catches it."""


@pytest.fixture
def folder(mnist: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run with event files."""
    monkeypatch.setattr(preparing, "make_executor", FakeExecutor)
    assert train(tmp_path / "run", tensorboard=True) == 0
    return tmp_path / "run"


def content(folder: Path) -> dict[str, bytes]:
    """All files of a run that people see."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in files
        if not path.relative_to(folder).parts[0].startswith(".")
    }


def test_a_tracker_that_refuses_changes_nothing_of_the_finished_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise InputError("--mlflow=nowhere: cannot be reached")

    before = content(folder)
    monkeypatch.setattr(TrialTracking, "start", refuse)
    with pytest.raises(InputError, match="nowhere"):
        train(folder, tensorboard=True)
    assert content(folder) == before


def test_a_stop_changes_nothing_of_the_finished_run(folder: Path) -> None:
    before = content(folder)
    with pytest.raises(KeyboardInterrupt):
        train(folder, stop_at=4, tensorboard=True)
    assert content(folder) == before
    with pytest.raises(InputError, match="holds a finished run"):
        train(folder, overwrite=False)
    assert (train(folder, tensorboard=True), FakeExecutor.trained) == (0, [4])
    after = content(folder)
    assert len([name for name in after if "seed_" in name]) == 2
    same = {name for name in before if before[name] == after.get(name)}
    assert same == {"study.json"}, "a file of the old run is left"
    assert not list(folder.glob(".replacement*"))


def test_a_kill_while_the_new_run_is_put_in_place_is_mended(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0
    for number in range(1, 100):
        old = json.loads((folder / "metrics.json").read_bytes())
        with monkeypatch.context() as patch:
            kill_at(number, patch)
            try:
                train(folder, tensorboard=True)
                break
            except Killed:
                steps += 1
        # The old run or the new one, and never without figures.
        found = json.loads((folder / "metrics.json").read_bytes())
        with pytest.raises(InputError, match="holds a finished run"):
            train(folder, overwrite=False, tensorboard=True)
        if not replacing.is_pending(folder) and (folder / replacing.STAGE).is_dir():
            assert found == old
            continue
        trials = [json.loads(line) for line in (folder / "trials.jsonl").open()]
        new = json.loads((folder / "metrics.json").read_bytes())
        assert [run["epochs"] for run in new["runs"]] == [one["epochs"] for one in trials]
        assert new != old and not list(folder.glob(".replacement*"))
    assert steps >= 6, "so many moves there are"
    assert len([name for name in content(folder) if "seed_" in name]) == 2


def kill_at(number: int, patch: pytest.MonkeyPatch) -> None:
    """Lets the process end in front of the n-th move of `publish`."""
    left = number
    really = replacing._move, Path.rename

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    def move(file: Path, target: Path) -> None:
        count()
        really[0](file, target)

    def rename(path: Path, target: Path) -> Path:
        if replacing.STAGE in str(path):
            count()
        return really[1](path, target)

    patch.setattr(replacing, "_move", move)
    patch.setattr(Path, "rename", rename)


def test_two_commands_in_one_folder_are_one_too_many(folder: Path) -> None:
    before = content(folder)
    with sole_writer(folder):
        with pytest.raises(InputError, match=f"process {os.getpid()} is at work in it") as why:
            train(folder)
        assert str(why.value).isprintable()
    assert content(folder) == before


@pytest.mark.processes
def test_kill_9_leaves_the_finished_run_and_a_second_command_is_refused(
    mnist: Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    command = [
        *(sys.executable, "-m", "cnn_ablation.main", f"--workdir={folder}", "--overwrite"),
        *("--features=2", "--stride=5", "--hidden=3", "--conv=xla"),
        *("--train_split=train[:100]", "--test_split=test[:50]"),
    ]
    pipe = subprocess.PIPE
    done = subprocess.run([*command, "--epochs=2"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    before = content(folder)
    with subprocess.Popen([*command, "--epochs=100000"], stdout=pipe, stderr=pipe) as killed:
        while not (folder / ".replacement" / "metrics.jsonl").exists():
            assert killed.poll() is None, killed.communicate()
            time.sleep(0.02)
        second = subprocess.run([*command, "--epochs=1"], capture_output=True, text=True)
        (line,) = second.stderr.splitlines()
        assert second.returncode == 2
        assert line.startswith(f"error: --workdir={folder}: process {killed.pid} is at work in it")
        killed.send_signal(signal.SIGKILL)
    assert content(folder) == before
    done = subprocess.run([*command, "--epochs=1"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (run,) = json.loads((folder / "metrics.json").read_bytes())["runs"]
    assert len(run["epochs"]) == 1
