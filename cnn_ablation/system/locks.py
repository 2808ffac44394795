"""One process at a time in a folder; the lock of a process that was killed is gone with it."""

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from cnn_ablation.display.notices import notify
from cnn_ablation.errors import InputError

_SHARED = ".cnn_ablation.lock"
_WRITER = ".writer.lock"
_WRITER_PID = ".writer.pid"


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
def folder_lock(folder: Path, *, notice: str | None = None) -> Iterator[Lock]:
    """Waits until no other process holds the folder, so that work is not done twice.

    The lock saves work and nothing else: all that is written is also safe without it. So where
    there can be none (a folder that cannot be written, a file system without locks) it is skipped.

    Args:
        folder: what to lock.
        notice: what to print after the folder's name where another process has to be waited for.
    """
    lock = _file_lock(folder / _SHARED)
    held = waited = False
    # The package would make a folder that is not there.
    with contextlib.suppress(OSError):
        if folder.is_dir():
            waited = _wait(lock, f"{folder}: {notice}" if notice else None)
            held = True
    try:
        yield Lock(held, waited)
    finally:
        lock.release()


@contextlib.contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Holds a folder for this process; a second one is refused at once, and changes nothing.

    Where the file system has no locks (some network drives) nothing is held, with a warning: there
    it is the user who must not start two.

    Raises:
        InputError: another process holds the folder.
        OSError: the folder cannot be written.
    """
    lock, owner = _file_lock(folder / _WRITER), folder / _WRITER_PID
    # Tells a folder that cannot be written from a file system without locks.
    (folder / _WRITER).open("ab").close()
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise InputError(
            f"--workdir={folder}: process {_read(owner)} is at work in it; let it end, or name "
            "another folder"
        ) from None
    except OSError as error:
        notify(f"warning: {folder}: no lock to be had ({error.strerror})")
    try:
        if lock.is_locked:
            # So short that a reader finds all of it or nothing, which it can put into words.
            owner.write_text(str(os.getpid()))
        yield
    finally:
        try:
            if lock.is_locked:
                with contextlib.suppress(OSError):
                    owner.unlink()
        finally:
            lock.release()


def _file_lock(path: Path) -> FileLock:
    # A lock that is a file's being there would outlive a killed process.
    return FileLock(path, thread_local=False, fallback_to_soft=False)


def _wait(lock: FileLock, notice: str | None) -> bool:
    """Locks; returns whether another process had to be waited for."""
    try:
        lock.acquire(blocking=False)
    except Timeout:
        if notice:
            notify(notice)
        lock.acquire()
        return True
    return False


def _read(owner: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return owner.read_text().strip() or "of an unknown number"
    return "of an unknown number"
