"""One process at a time in a folder, so that two that start together do not do the work twice."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from cnn_ablation.data.progress import notify

_NAME = ".cnn_ablation.lock"


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[bool]:
    """Waits until no other process holds the folder; a killed one lets go of it.

    The lock saves work and nothing else: all that is written is also safe without it. So where
    there can be none (a folder that cannot be written, a file system without locks) it is skipped.

    Yields:
        Whether another process had to be waited for.
    """
    waited = False
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError, ImportError):
            file = stack.enter_context((folder / _NAME).open("ab"))
            waited = _lock(file.fileno(), folder)
        yield waited


def _lock(descriptor: int, folder: Path) -> bool:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        notify(f"{folder}: waiting for another process that prepares it")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return True
