"""How a command is stopped: by SIGINT (Ctrl-C) or SIGTERM (clusters), at any moment of its life.

A stop is remembered and, where that is safe, raised at once as KeyboardInterrupt. It is not safe
while modules are imported: native libraries must not be left half loaded. And what is raised can
be lost, in a callback of a library that takes any error for its own. So every phase and every epoch
asks (`check`), and a thread ends the process where nothing else has: some seconds after the stop,
or at a second one. Whatever a run keeps is safe at a kill, so that nothing is lost by it.

Only commands listen; where the package is used as a library signals are left alone.
"""

import contextlib
import itertools
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, NoReturn

STOPPED = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_GRACE_SECONDS = 10.0
# A signal to all processes of a terminal can come twice: directly, and from the parent.
_SAME_SIGNAL_SECONDS = 1.0
_IMPORTING = "<frozen importlib._bootstrap>"
# What a command is started as, and what is in a file that is one.
_MODULES = ("cnn_ablation", "cnn_ablation.main", "cnn_ablation.report")
_CALLS = (b"run_study(", b"study_command.run(", b"entry.run(", b"cnn_ablation.__main__")


class _State:
    """What this process knows of a stop."""

    def __init__(self) -> None:
        self.listening = self.requested = False
        self.deferrals = 0
        self.pipe: tuple[int, int] | None = None
        self.taken: list[int] = []
        self.usual_hook = sys.excepthook


_state = _State()


def listen_in_commands() -> None:
    """Listens where this process is a command.

    A study file imports the package, and much with it, before it says that it is one; so it is
    known by what stands in it.
    """
    if threading.current_thread() is threading.main_thread() and _is_command():
        listen()


def listen() -> None:
    """Takes the signals from here on; called again it does nothing. For the main thread alone."""
    if _state.listening:
        return
    reading, writing = _state.pipe = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reading,), daemon=True).start()
    sys.unraisablehook = _show_unraisable
    _state.usual_hook, sys.excepthook = sys.excepthook, _show_uncaught
    for number in _SIGNALS:
        # Who started this process may have it ignore a signal: `nohup`, or a shell's background.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)
            _state.taken.append(number)
    _state.listening = True


def release() -> None:
    """Leaves the process's end to others, who take the signals next.

    Raises:
        KeyboardInterrupt: a stop has come already.
    """
    _close()
    check()


def settle() -> None:
    """Says that the work is done: what comes from here on is too late to stop anything.

    Raises:
        KeyboardInterrupt: a stop has come already.
    """
    if _state.listening:
        for number in _state.taken:
            signal.signal(number, signal.SIG_IGN)
        check()
        _close()


def is_requested() -> bool:
    """Whether a stop has come, be it that its exception was lost."""
    return _state.requested


def check() -> None:
    """Ends a run that is to stop; asked at every phase and epoch.

    Raises:
        KeyboardInterrupt: a stop has come.
    """
    if _state.requested and not _state.deferrals:
        raise KeyboardInterrupt


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Puts a stop off to the end of what must not be left half done, such as loading libraries.

    Raises:
        KeyboardInterrupt: a stop has come meanwhile.
    """
    _state.deferrals += 1
    try:
        yield
    finally:
        _state.deferrals -= 1
        # Also where loading failed: because of the stop, maybe.
        check()


def _is_command() -> bool:
    words = sys.orig_argv
    if any(pair[0] == "-m" and pair[1] in _MODULES for pair in itertools.pairwise(words)):
        return True
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    try:
        text = Path(file).read_bytes() if file else b""
    except OSError:
        return False
    return any(call in text for call in _CALLS)


def _on_signal(_number: int, frame: FrameType | None) -> None:
    # One exception is enough: a second would fall into the midst of ending.
    if not _state.requested:
        _state.requested = True
        if not (_state.deferrals or _is_importing(frame)):
            raise KeyboardInterrupt


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTING:
            return True
        frame = frame.f_back
    return False


def _watch(signals: int) -> None:
    """Ends the process some seconds after a stop, or at a second one; runs in a thread."""
    first = 0.0
    while True:
        left = first + _GRACE_SECONDS - time.monotonic() if first else None
        ready, _, _ = select.select([signals], [], [], None if left is None else max(left, 0))
        if not ready:
            end_now()
        received = os.read(signals, 1)
        if not received:
            return
        if received[0] not in _SIGNALS:
            continue
        if not first:
            first = time.monotonic()
        elif time.monotonic() - first >= _SAME_SIGNAL_SECONDS:
            end_now()


def end_now(line: str = "stopped") -> NoReturn:
    """Ends the process with a line, and without Python's clean-up.

    Under a computation that JAX has not finished that would take away what it works on.
    """
    # Not by print: whoever holds the stream's lock may never let it go.
    with contextlib.suppress(OSError):
        os.write(2, f"{line}\n".encode(errors="backslashreplace"))
    os._exit(STOPPED)


def _close() -> None:
    if _state.pipe is not None:
        signal.set_wakeup_fd(-1)
        # The thread reads to the end, closes nothing and is gone.
        os.close(_state.pipe[1])
        _state.pipe, _state.listening = None, False


def _show_unraisable(error: Any) -> None:
    """Keeps quiet of a stop that was raised where no exception can be; `check` raises it again."""
    if not (_state.requested and issubclass(error.exc_type, KeyboardInterrupt)):
        sys.__unraisablehook__(error)


def _show_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Ends the process in one line where a stop came before the command began."""
    if not issubclass(kind, KeyboardInterrupt):
        _state.usual_hook(kind, error, trace)
        return
    end_now()
