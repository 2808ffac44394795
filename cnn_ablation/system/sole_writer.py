"""One writer to a folder at a time: a second process is told so, and changes nothing."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from cnn_ablation.errors import InputError

NAME = ".writer.lock"


@contextlib.contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Holds a folder for this process; the lock of a process that was killed is gone with it.

    Where the system or the file system has no `flock` (Windows, some network drives) nothing is
    held: there it is the user who must not start two.

    Raises:
        InputError: another process holds the folder.
    """
    with contextlib.ExitStack() as stack:
        try:
            import fcntl
        except ImportError:
            pass
        else:
            file = stack.enter_context((folder / NAME).open("a+b"))
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                _sign(file.fileno())
            except BlockingIOError:
                file.seek(0)
                raise InputError(
                    f"--workdir={folder}: process {_reader(file.read())} is at work in it; let it "
                    "end, or name another folder"
                ) from None
            except OSError as error:
                print(f"warning: {folder}: no lock to be had ({error.strerror})", file=sys.stderr)
        yield


def _sign(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())


def _reader(content: bytes) -> str:
    return content.decode(errors="replace").strip() or "of an unknown number"
