"""File operations that fail, or in front of which the process ends, counted through a whole run.

What opens, moves, makes and removes files is heard of by an audit hook, whoever calls it; writes
and syncs by their functions in `os`.
"""

import contextlib
import dataclasses
import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

Kind = Literal["full", "kill"]
_EVENTS = {
    *("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod"),
    *("os.link", "os.symlink"),
}


class Killed(BaseException):
    """Stands for kill -9: nobody catches it, and nothing is written after it."""


@dataclasses.dataclass
class Fault:
    """What happens to the n-th operation below a folder, and, at a kill, to all after it.

    Attributes:
        folder: what counts.
        number: which operation, from 1.
        kind: `full` for a disk without room, `kill` for the end of the process.
        count: operations so far.
        what: the operation that was hit, or an empty text.
    """

    folder: Path
    number: int
    kind: Kind
    count: int = 0
    what: str = ""

    def hear(self, what: str) -> None:
        """Counts an operation, and hits it where it is its turn."""
        self.count += 1
        if self.count < self.number or (self.kind == "full" and self.count > self.number):
            return
        self.what = self.what or what
        if self.kind == "kill":
            raise Killed(what)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


_active: Fault | None = None
_hooked = False


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _active is None or event not in _EVENTS:
        return
    path = arguments[0]
    if isinstance(path, (str, bytes, os.PathLike)) and _below(os.fsdecode(path), _active):
        _active.hear(f"{event} {Path(os.fsdecode(path)).name}")


def _below(path: str, fault: Fault) -> bool:
    return path.startswith(str(fault.folder))


@contextlib.contextmanager
def fault(
    folder: Path, number: int, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fault]:
    """Hits the n-th file operation below a folder inside the block."""
    global _active, _hooked
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    found = Fault(folder, number, kind)
    with monkeypatch.context() as patch:
        for name in ("write", "fsync", "ftruncate"):
            patch.setattr(os, name, _counted(name, getattr(os, name), found))
        _active = found
        try:
            yield found
        finally:
            _active = None


def _counted(name: str, really: Callable[..., Any], found: Fault) -> Callable[..., Any]:
    def call(descriptor: int, *rest: Any) -> Any:
        path = _path_of(descriptor)
        if _below(path, found):
            if name == "write" and found.count + 1 == found.number:
                # A write that is hit has taken a part of the line.
                really(descriptor, rest[0][: len(rest[0]) // 2])
            found.hear(f"{name} {Path(path).name}")
        return really(descriptor, *rest)

    return call


def _path_of(descriptor: int) -> str:
    try:
        return str(Path(f"/proc/self/fd/{descriptor}").readlink())
    except OSError:
        return ""
