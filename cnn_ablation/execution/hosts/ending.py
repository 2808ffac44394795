"""How a run on several hosts ends when one of them does: in one line, at once, on every host.

A collective that fails is an exception here. JAX's runtime aborts the process where it finds out
first; then the parent says the line (`supervising`).
"""

import contextlib
import os
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from cnn_ablation.execution.hosts import supervising
from cnn_ablation.execution.hosts.state import HostState

# What errors of collectives say when a peer is gone; measured with Gloo, documented for NCCL.
_LOST = re.compile(r"gloo|nccl|coordination|socket closed|connection (reset|closed)", re.IGNORECASE)

_state = HostState()


def host() -> int:
    """Which host this is."""
    return _state.host


def count() -> int:
    """How many hosts there are."""
    return _state.count


def joining(coordinator: str, heartbeat_seconds: int, join_seconds: int) -> None:
    """Says that the hosts are about to join; from here on JAX's runtime may abort the process."""
    supervising.expect_abort()
    _state.coordinator, _state.joining = coordinator, True
    _state.heartbeat_seconds, _state.join_seconds = heartbeat_seconds, join_seconds
    supervising.report(_state)


def joined(host: int, count: int) -> None:
    """Says that all hosts are there."""
    _state.host, _state.count, _state.joining = host, count, False
    supervising.report(_state)


def recording_in(folder: Path) -> None:
    """Says where results are, for the line of a run that ends early."""
    _state.folder = str(folder)
    supervising.report(_state)


@contextlib.contextmanager
def ending_together() -> Iterator[None]:
    """Whatever leaves this block as an exception ends the process at once, where there are peers.

    Python's usual way out would wait for hosts that themselves wait for this one. An end with
    code 0 takes that way: who leaves without the others' knowledge counts as lost.
    """
    try:
        yield
    except BaseException as error:
        if _state.count == 1 or (isinstance(error, SystemExit) and not error.code):
            raise
        code = 1
        if isinstance(error, SystemExit):
            code = error.code if isinstance(error.code, int) else 1
        elif isinstance(error, BrokenPipeError):
            code = 141
        elif isinstance(error, Exception) and _LOST.search(str(error)):
            _say_lost()
        else:
            traceback.print_exc()
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _say_lost() -> None:
    """Leaves the line to the parent, since the runtime may abort this process at any moment."""
    _state.lost = True
    supervising.report(_state)
    if not supervising.is_supervised():
        print(f"error: {_state.describe_end()}", file=sys.stderr)
