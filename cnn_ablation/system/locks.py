"""One process at a time in a folder, so that two that start together do not do the work twice."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from cnn_ablation.display.notices import notify

_NAME = ".cnn_ablation.lock"


@dataclasses.dataclass(frozen=True)
class Lock:
    """How a folder was locked.

    Attributes:
        held: whether it is; no other process can be at work in the folder then.
        waited: whether another process was at work in it before.
    """

    held: bool
    waited: bool


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[Lock]:
    """Waits until no other process holds the folder; a killed one lets go of it.

    The lock saves work and nothing else: all that is written is also safe without it. So where
    there can be none (a folder that cannot be written, a file system without locks) it is skipped.
    """
    lock = Lock(held=False, waited=False)
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError, ImportError):
            file = stack.enter_context((folder / _NAME).open("ab"))
            lock = Lock(held=True, waited=_wait(file.fileno(), folder))
        yield lock


def _wait(descriptor: int, folder: Path) -> bool:
    """Locks; returns whether another process had to be waited for."""
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        notify(f"{folder}: waiting for another process that prepares it")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return True
    return False
