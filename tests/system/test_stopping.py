"""A stop ends a command at any moment of its life, in one line, and never vanishes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnn_ablation.data import Dataset

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the signals are POSIX's")

BOTH = [signal.SIGINT, signal.SIGTERM]
LISTENING = """
import os, signal, sys, time
from cnn_ablation.system import stopping
stopping.listen()
"""
SWALLOWED = """
try:
    os.kill(os.getpid(), signal.{name})
    time.sleep(1)
except BaseException:
    pass
print("goes on", flush=True)
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LISTENING + code], capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("number", BOTH)
@pytest.mark.parametrize("seconds", [0.1, 0.25, 0.5, 1.0, 1.5, 3.0])
def test_a_command_is_stopped_at_any_moment(
    number: signal.Signals, seconds: float, tmp_path: Path, mnist: Dataset
) -> None:
    command = ["-m", "cnn_ablation.main", "--stride=5", "--epochs=100000", "--conv=xla"]
    with subprocess.Popen(
        [sys.executable, *command, f"--workdir={tmp_path / 'run'}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        time.sleep(seconds)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert errors.count("\n") == 1, errors
    line = errors
    assert line.startswith("stopped"), errors
    assert process.returncode == 130


@pytest.mark.parametrize("number", BOTH)
def test_a_study_file_is_stopped_while_it_declares(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "wide.py").write_text(
        "import cnn_ablation as cnn\nprint(flush=True)\nwhile True: cnn.NetworkSpec()\n"
        "cnn.run_study(None)\n"
    )
    with subprocess.Popen(
        [sys.executable, "wide.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "stopped\n")


@pytest.mark.parametrize("number", BOTH)
def test_a_stop_that_was_swallowed_is_found_at_the_next_check(number: signal.Signals) -> None:
    done = run(SWALLOWED.format(name=number.name) + "stopping.check(); print('never')")
    assert (done.returncode, done.stdout, done.stderr) == (130, "goes on\n", "stopped\n")


def test_a_stop_in_a_finalizer_is_quiet_and_found_at_the_next_check() -> None:
    done = run("""
class Held:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
held = Held()
del held
print("goes on", flush=True)
stopping.check()
""")
    assert (done.returncode, done.stdout, done.stderr) == (130, "goes on\n", "stopped\n")


def test_a_stop_waits_for_an_import_to_end(tmp_path: Path) -> None:
    (tmp_path / "slow_module.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(0.3)\n"
        "print('whole', flush=True)\n"
    )
    done = run(f"sys.path.insert(0, {str(tmp_path)!r})\nimport slow_module\nstopping.check()")
    assert (done.returncode, done.stdout, done.stderr) == (130, "whole\n", "stopped\n")


def test_a_second_stop_ends_what_does_not_heed_the_first() -> None:
    begin = time.monotonic()
    done = run("""
import threading
def again():
    time.sleep(1.5)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=again, daemon=True).start()
with stopping.deferred():
    os.kill(os.getpid(), signal.SIGINT)
    end = time.monotonic() + 30
    while time.monotonic() < end: pass
""")
    assert (done.returncode, done.stderr) == (130, "stopped\n")
    assert time.monotonic() - begin < 8, "sooner than the seconds of grace"


def test_a_run_that_heeds_nothing_is_ended() -> None:
    done = run(
        "stopping._GRACE_SECONDS = 0.2\n" + SWALLOWED.format(name="SIGTERM") + "time.sleep(30)"
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "goes on\n", "stopped\n")


def test_a_library_leaves_signals_alone() -> None:
    code = (
        "import signal\nbefore = [signal.getsignal(n) for n in (2, 15)]\nimport cnn_ablation\n"
        "cnn_ablation.NetworkSpec()\nassert before == [signal.getsignal(n) for n in (2, 15)]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_work_that_is_done_is_not_stopped() -> None:
    done = run("stopping.settle()\nos.kill(os.getpid(), signal.SIGTERM)\nprint('done')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
