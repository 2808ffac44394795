"""kill -9 and signals to real commands at many moments: nothing is lost, and one line is said.

`pytest -m search tests/commands/test_kills.py` kills 100 times and sends 48 signals.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tally

from cnn_ablation.data import Dataset

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(os.name != "posix", reason="the signals are POSIX's"),
]
ROOT = Path(__file__).parents[2]
SPLITS = ("--train_split=train[:256]", "--test_split=test[:200]", "--conv=xla")
DESIGN = ("-m", "cnn_ablation.main", "--features=2", "--stride=5", "--hidden=3", "--epochs=20")
STUDY = (str(ROOT / "tests" / "helpers" / "small_study.py"), "--timing_rounds=0", "--epochs=20")
COMMANDS = {
    "single run": (*DESIGN, *SPLITS, "--num_seeds=3"),
    "study, inline": (*STUDY, *SPLITS, "--num_seeds=2", "--executor=inline"),
    "study, processes": (*STUDY, *SPLITS, "--num_seeds=2", "--executor=processes", "--workers=2"),
    "throughput": ("-m", "experiments.throughput", "--designs=stride-2", "--ways=processes"),
}
KILLED = ("single run", "study, inline", "study, processes")


def start(command: Sequence[str], folder: Path | None) -> subprocess.Popen[str]:
    workdir = [] if folder is None else [f"--workdir={folder}"]
    return subprocess.Popen(
        [sys.executable, *command, *workdir],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=300)
    # A kill may come while JAX keeps a program.
    torn = "a damaged program was removed, and is compiled again"
    lines = [line for line in errors.splitlines() if not line.endswith(torn)]
    assert (process.returncode, lines) == (0, [])


def trials(folder: Path) -> dict[str, Any]:
    """The figures of each trial on whole lines, but for times, by id."""
    path = folder / "trials.jsonl"
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    found: dict[str, Any] = {}
    for line in map(json.loads, lines):
        figures = [
            {name: value for name, value in epoch.items() if not name.endswith("seconds")}
            for epoch in line["epochs"]
        ]
        assert found.setdefault(line["trial_id"], figures) is figures, "trained twice"
    return found


def end_all(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def wait_for_trial(process: subprocess.Popen[str], folder: Path, than: int) -> None:
    """Waits until more trials are there than before, or the process is over."""
    while process.poll() is None and len(trials(folder)) <= than:
        time.sleep(0.01)


def kill_often(name: str, kills: int, tmp_path: Path) -> None:
    """Kills a command again and again in one folder, and lets it end; then begins anew."""
    calm, folder, rng = tmp_path / "calm", tmp_path / "run", random.Random(name)
    begun = time.monotonic()
    finish(start(COMMANDS[name], calm))
    seconds, expected = time.monotonic() - begun, trials(calm)
    before: dict[str, Any] = {}
    while kills:
        process = start(COMMANDS[name], folder)
        late = rng.random() < 0.5
        if late:
            wait_for_trial(process, folder, len(before))
        try:
            process.communicate(timeout=rng.uniform(0, 0.3 if late else seconds))
            assert process.returncode == 0
        except subprocess.TimeoutExpired:
            kills -= 1
            process.kill()
            end_all(process)
        now = trials(folder)
        assert before.items() <= now.items() <= expected.items()
        tally.note(f"{name}: kill -9", f"{len(now)} trials there", "nothing lost")
        before = now
        # The kill may have come when all was done.
        done = process.returncode == 0 or (folder / "metrics.json").exists()
        if done or kills == 0:
            if not done:
                finish(start(COMMANDS[name], folder))
            assert trials(folder) == expected
            shutil.rmtree(folder)
            before = {}


def test_two_kills(mnist: Dataset, tmp_path: Path) -> None:
    """Those of studies are in test_study_processes.py."""
    kill_often("single run", 2, tmp_path)


@pytest.mark.search
@pytest.mark.parametrize(("name", "kills"), [(KILLED[0], 50), (KILLED[1], 25), (KILLED[2], 25)])
def test_a_hundred_kills(name: str, kills: int, mnist: Dataset, tmp_path: Path) -> None:
    kill_often(name, kills, tmp_path)


def wait_for_listening(process: subprocess.Popen[str]) -> None:
    """Waits until the command takes signals: before, the time is Python's own."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        time.sleep(3)
        return
    while process.poll() is None:
        (caught,) = (line for line in status.read_text().splitlines() if line.startswith("SigCgt"))
        if int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.01)


def stop(name: str, number: signal.Signals, seconds: float, tmp_path: Path, *, group: bool) -> None:
    """Stops a command after a while: the process alone, or all of a terminal's, as Ctrl-C does."""
    folder = None if name == "throughput" else tmp_path / "run"
    epochs = ("--epochs=1000000",)
    process = start((*COMMANDS[name], *epochs), folder)
    try:
        wait_for_listening(process)
        time.sleep(seconds)
        (os.killpg if group else os.kill)(process.pid, number)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130, errors
        # A command that is the first with these kernels says that it compiles them.
        (line,) = [
            one for one in errors.splitlines() if "compiling the convolution kernels" not in one
        ]
        assert line.startswith("stopped"), errors
        for _ in range(100):
            try:
                os.killpg(process.pid, 0)
            except ProcessLookupError:
                break
            time.sleep(0.1)
        else:
            raise AssertionError("a worker is left")
        assert folder is None or not trials(folder)
    finally:
        end_all(process)
    tally.note(name, f"{number.name} to {'all' if group else 'one'}", "one line, 130")


@pytest.mark.parametrize(
    ("name", "number", "seconds", "group"),
    [
        ("study, processes", signal.SIGTERM, 4.0, False),
        ("study, processes", signal.SIGINT, 6.0, True),
        ("throughput", signal.SIGTERM, 5.0, False),
        ("throughput", signal.SIGINT, 0.1, True),
    ],
)
def test_some_signals(
    name: str,
    number: signal.Signals,
    seconds: float,
    group: bool,
    mnist: Dataset,
    tmp_path: Path,
) -> None:
    stop(name, number, seconds, tmp_path, group=group)


@pytest.mark.search
@pytest.mark.parametrize("name", ["study, processes", "throughput"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("group", [False, True])
@pytest.mark.parametrize("seconds", [0.0, 0.5, 1.5, 3.0, 5.0, 8.0])
def test_signals_at_many_moments(
    name: str,
    number: signal.Signals,
    seconds: float,
    group: bool,
    mnist: Dataset,
    tmp_path: Path,
) -> None:
    stop(name, number, seconds, tmp_path, group=group)
