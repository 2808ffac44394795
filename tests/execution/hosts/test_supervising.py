"""A command on several hosts is two processes that look like one: exit codes, signals, its end."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cnn_ablation.execution.hosts import ending
from cnn_ablation.execution.hosts.state import HostState

# The child says its process number on its first line.
PREAMBLE = """
import ctypes, faulthandler, os, signal, sys, threading, time
from cnn_ablation.execution import hosts
from cnn_ablation.execution.hosts import ending
faulthandler.enable()  # As absl does.
stops = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, _: stops.append(number))
hosts.supervise("127.0.0.1:1")
assert "jax" not in sys.modules
print(os.getpid(), flush=True)
"""
# What abort() does while one thread keeps Python's lock and the one that aborts is without it.
ABORT = """
ending.joining("127.0.0.1:1", 5, 60)
ending.joined(1, 2)
ending.recording_in("runs/x")
libc = ctypes.CDLL(None)
libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.signal(signal.SIGALRM, ctypes.cast(libc.abort, ctypes.c_void_p))
threading.Timer(0.2, lambda: ctypes.PyDLL(None).sleep(60)).start()
signal.setitimer(signal.ITIMER_REAL, 1)
libc.sleep(60)
"""
JOINING = 'ending.joining("127.0.0.1:1", 5, 60); os.abort()'
COUNT_STOPS = "time.sleep(1); time.sleep(1); print(len(stops)); sys.exit(sum(stops))"

Start = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    started = []

    def start(script: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", PREAMBLE + script],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def child_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    child = int(process.stdout.readline())
    assert child != process.pid
    return child


def test_an_abort_is_a_line_whatever_holds_the_interpreter(start: Start) -> None:
    process = start(ABORT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors == (
        "error: host 0 of 2 is gone: it ended, or was not heard of for 5 s; its own messages say "
        "more; what was recorded is in runs/x\n"
    )


def test_an_abort_while_joining_is_a_line(start: Start) -> None:
    process = start(JOINING)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert errors.startswith("error: --coordinator=127.0.0.1:1: the hosts did not come together")
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("sys.exit(0)", 0),
        ("sys.exit(3)", 3),
        ("os._exit(141)", 141),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137),
        ("faulthandler.disable(); os.abort()", 134),
    ],
)
def test_other_ends_are_passed_on(start: Start, script: str, code: int) -> None:
    process = start(script)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (code, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("to", ["the command", "all of its terminal"])
def test_a_signal_reaches_the_child_once(start: Start, number: signal.Signals, to: str) -> None:
    process = start(COUNT_STOPS)
    child_of(process)
    if to == "the command":
        process.send_signal(number)
    else:
        os.killpg(process.pid, number)
    said, errors = process.communicate(timeout=20)
    assert (said, errors) == ("1\n", "")
    assert process.returncode == number


def test_a_child_ends_with_its_parent(start: Start) -> None:
    process = start("time.sleep(60)")
    child_of(process)
    process.kill()
    began = time.monotonic()
    # Its standard output ends with the last process that holds it.
    process.communicate(timeout=20)
    assert time.monotonic() - began < 10


def test_on_one_host_there_is_no_child() -> None:
    script = "from cnn_ablation.execution import hosts; hosts.supervise(None); print('same')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "same\n"


@pytest.mark.parametrize("code", [0, None])
def test_a_host_that_is_done_waits_for_the_others(
    monkeypatch: pytest.MonkeyPatch, code: int | None
) -> None:
    # JAX's way out, at exit, is where hosts wait for one another.
    monkeypatch.setattr(ending, "_state", HostState(count=2))
    with pytest.raises(SystemExit) as ended, ending.ending_together():
        sys.exit(code)
    assert ended.value.code == code
