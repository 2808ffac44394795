"""A process without JAX that waits for the one that trains, and says in a line why it ended.

JAX's runtime ends a process that has lost its coordinator or a peer with SIGABRT, from a thread of
its own: nothing in that process can be relied on to say anything more. So with --coordinator a
command starts itself once more. The child trains, the parent passes signals on and waits. What the
parent has to know for its line comes as lines of JSON over a socket, whose end also tells the child
that its parent is gone.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from cnn_ablation.execution.hosts.state import HostState
from cnn_ablation.system import stopping

_MARK = "CNN_ABLATION_SUPERVISOR"
_FORWARDED = (signal.SIGINT, signal.SIGTERM)
# A signal to all processes of a terminal or a job reaches the child twice: directly, and from its
# parent right after.
_SAME_SIGNAL_SECONDS = 1.0

_parent: socket.socket | None = None


def supervise(coordinator: str | None) -> None:
    """Starts the command once more where there are several hosts, and ends as that child does.

    Returns at once on one host, and in the child. Must come before `join`, and early: all that the
    program did before is done again in the child.

    Args:
        coordinator: the address of host 0, or None on one host.

    Raises:
        SystemExit: in the parent, when the child has ended: with the child's exit code, or 128 and
            the number of the signal that ended it; 1 where a host was lost, 2 where not all joined.
    """
    mark = os.environ.pop(_MARK, None)
    if mark is not None:
        _obey(socket.socket(fileno=int(mark)))
    # Windows has neither the signals nor a way to hand the socket on.
    if _parent is None and coordinator is not None and os.name == "posix":
        sys.exit(_run_child())


def is_supervised() -> bool:
    """Whether a parent waits for this process and speaks for it when a host is lost."""
    return _parent is not None


def report(state: HostState) -> None:
    """Tells the parent, where there is one, what this process knows of the hosts."""
    if _parent is not None:
        # A parent that is gone is the watching thread's business.
        with contextlib.suppress(OSError):
            _parent.sendall((json.dumps(vars(state)) + "\n").encode())


def expect_abort() -> None:
    """Where there is a parent: makes an abort a silent end, of which the parent says all there is.

    Python's own trace of an abort (which absl switches on) and an image of the memory are left out.
    """
    if _parent is not None:
        import resource

        signal.signal(signal.SIGABRT, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _run_child() -> int:
    """Runs the same command as a child; returns the exit code for both."""
    # From here on the child is what a signal stops.
    stopping.release()
    sys.stdout.flush()
    ours, childs = socket.socketpair()
    with ours:
        with childs:
            child = subprocess.Popen(
                [sys.executable, *sys.orig_argv[1:]],
                env={**os.environ, _MARK: str(childs.fileno())},
                pass_fds=[childs.fileno()],
            )
        for number in _FORWARDED:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, lambda number, _frame: child.send_signal(number))
        code = child.wait()
        state = _last_report(ours)
    aborted = code == -signal.SIGABRT and state.coordinator
    if aborted or state.lost:
        print(f"error: {state.describe_end()}", file=sys.stderr)
        return 2 if state.joining else 1
    return code if code >= 0 else 128 - code


def _last_report(child: socket.socket) -> HostState:
    """What the child has said last; nothing is waited for."""
    content = b""
    child.setblocking(False)
    # Another process that the child has started might hold its end open.
    with contextlib.suppress(BlockingIOError):
        while part := child.recv(1 << 16):
            content += part
    lines = content.splitlines()
    return HostState(**json.loads(lines[-1])) if lines else HostState()


def _obey(parent: socket.socket) -> None:
    """Makes this process the child of a parent at the other end of a socket."""
    global _parent
    _parent = parent
    parent.set_inheritable(False)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    for number in _FORWARDED:
        handler = signal.getsignal(number)
        if callable(handler):
            signal.signal(number, _once(handler))


def _end_with(parent: socket.socket) -> None:
    with contextlib.suppress(OSError):
        parent.recv(1)
    os._exit(1)


def _once(handler: Callable[[int, FrameType | None], Any]) -> Callable[..., Any]:
    """A signal's handler that takes two signals in quick succession for one."""
    last = -_SAME_SIGNAL_SECONDS

    def handle(number: int, frame: FrameType | None) -> Any:
        nonlocal last
        earlier, last = last, time.monotonic()
        if last - earlier >= _SAME_SIGNAL_SECONDS:
            handler(number, frame)

    return handle
