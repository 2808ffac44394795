"""How a run on several hosts ends when one of them does: in one line, at once, on every host.

JAX's runtime aborts a process that loses its coordinator or a peer, after writing a stack trace.
The trace is switched off (`joining`), and the abort is turned into a line and an exit code here.
"""

import contextlib
import ctypes
import dataclasses
import os
import re
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

# What errors of collectives say when a peer is gone; measured with Gloo, documented for NCCL.
_LOST = re.compile(r"gloo|nccl|coordination|socket closed|connection (reset|closed)", re.IGNORECASE)


@dataclasses.dataclass
class _Run:
    """What this process knows of the run's hosts; `count` is 1 until they have joined."""

    host: int = 0
    count: int = 1
    coordinator: str = ""
    heartbeat_seconds: int = 0
    join_seconds: int = 0
    joining: bool = False
    folder: Path | None = None


_run = _Run()
_telling = threading.Lock()


def host() -> int:
    """Which host this is."""
    return _run.host


def count() -> int:
    """How many hosts there are."""
    return _run.count


def watch(coordinator: str, heartbeat_seconds: int, join_seconds: int) -> None:
    """Turns aborts of JAX's runtime into one line, from before the hosts join."""
    _run.coordinator, _run.joining = coordinator, True
    _run.heartbeat_seconds, _run.join_seconds = heartbeat_seconds, join_seconds
    # A handler of Python's own would run too late: abort() ends the process when it returns.
    libc = ctypes.CDLL(None)
    libc.signal.argtypes = [ctypes.c_int, type(_on_abort)]
    libc.signal.restype = ctypes.c_void_p
    libc.signal(signal.SIGABRT, _on_abort)


def joined(host: int, count: int) -> None:
    """Says that all hosts are there."""
    _run.host, _run.count, _run.joining = host, count, False


def recording_in(folder: Path) -> None:
    """Says where results are, for the line of a run that ends early."""
    _run.folder = folder


@contextlib.contextmanager
def ending_together() -> Iterator[None]:
    """Whatever leaves this block as an exception ends the process at once, where there are peers.

    Python's usual way out would wait for hosts that themselves wait for this one.
    """
    try:
        yield
    except BaseException as error:
        if _run.count == 1:
            raise
        code = 1
        if isinstance(error, SystemExit):
            code = error.code if isinstance(error.code, int) else 1
        elif isinstance(error, BrokenPipeError):
            code = 141
        elif isinstance(error, Exception) and _LOST.search(str(error)):
            _tell(_loss())
        else:
            traceback.print_exc()
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


@ctypes.CFUNCTYPE(None, ctypes.c_int)
def _on_abort(_signal: int) -> None:
    _tell(_not_joined() if _run.joining else _loss())
    os._exit(2 if _run.joining else 1)


def _tell(line: str) -> None:
    """Prints a line, unless another thread just prints its own: the process is about to end."""
    if _telling.acquire(blocking=False):
        os.write(2, f"error: {line}\n".encode())


def _not_joined() -> str:
    return (
        f"--coordinator={_run.coordinator}: the hosts did not come together within "
        f"{_run.join_seconds} s: one is missing, or two have the same --host; "
        "TF_CPP_MIN_LOG_LEVEL=0 shows JAX's log"
    )


def _loss() -> str:
    kept = f"; what was recorded is in {_run.folder}" if _run.folder else ""
    return (
        f"{_lost_host()} is gone: it ended, or was not heard of for {_run.heartbeat_seconds} s; "
        f"its own messages say more{kept}"
    )


def _lost_host() -> str:
    if _run.count == 2:
        return f"host {1 - _run.host} of 2"
    if _run.host > 0 and not _answers(_run.coordinator):
        return f"host 0 of {_run.count}"
    return f"one of the {_run.count} hosts"


def _answers(address: str) -> bool:
    name, _, port = address.rpartition(":")
    with contextlib.suppress(OSError, ValueError):
        socket.create_connection((name.strip("[]"), int(port)), timeout=1).close()
        return True
    return False
