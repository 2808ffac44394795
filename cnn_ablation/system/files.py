"""Files that are whole or not there: atomic writes, and JSON lines that survive a kill."""

import contextlib
import errno
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnn_ablation.errors import InputError


class DiskFullError(InputError):
    """A disk is full; nothing is lost, and the same command goes on when there is room."""


def unwritable(path: Path, error: OSError) -> InputError:
    """The one line on a file or folder that cannot be written."""
    line = f"{path}: cannot be written ({error.strerror})"
    if is_full(error):
        return DiskFullError(f"{line}; make room, and the same command goes on")
    return InputError(line)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file so that a reader, or a kill, finds the old one or the new one, never half.

    Raises:
        OSError: the folder is not there or cannot be written.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def write_text(path: Path, text: str) -> None:
    """Writes a text in UTF-8 as `write_bytes` writes bytes."""
    write_bytes(path, text.encode())


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Writes strict JSON (a NaN or infinity is an error) atomically."""
    write_text(path, json.dumps(document, indent=1, allow_nan=False) + "\n")


def append_json_line(path: Path, document: Mapping[str, Any]) -> None:
    """Appends one strict-JSON line with a single write that has reached the disk on return.

    Raises:
        OSError: the file cannot be written, or the disk is full.
    """
    append_bytes(path, (json.dumps(document, allow_nan=False) + "\n").encode())


def append_bytes(path: Path, content: bytes) -> None:
    """Appends with a single write that has reached the disk on return, or nothing.

    Raises:
        OSError: the file cannot be written, or the disk is full.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        size = os.fstat(descriptor).st_size
        try:
            # A disk that fills up takes a part of it and reports no error by itself.
            if os.write(descriptor, content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def is_full(error: OSError) -> bool:
    """Whether an error says that a disk is full, or a user's share of it."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def require_room(folder: Path) -> None:
    """Refuses a folder on a full disk, for where another program has failed and may not say why.

    Raises:
        DiskFullError: not even a megabyte can be written.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(2**20))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if is_full(error):
            raise unwritable(folder, error) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
