"""The per-user folder of what can be made again: compiled kernels and compiled programs."""

import os
import stat
from pathlib import Path

import platformdirs

from cnn_ablation.errors import InputError

VARIABLE = "CNN_ABLATION_CACHE_DIR"


def cache_root() -> Path:
    """The folder of this user's caches, whether it is there or not."""
    return Path(
        os.environ.get(VARIABLE) or platformdirs.user_cache_dir("cnn_ablation", appauthor=False)
    )


def user_cache_dir(*names: str) -> Path:
    """Makes and returns a private folder, by the names of the folders on the way to it.

    It lies in $CNN_ABLATION_CACHE_DIR, or else where the system keeps a user's caches; on Linux
    that is $XDG_CACHE_HOME, or ~/.cache. What is executed is loaded from here: a folder that
    others own or may write to is refused.

    Raises:
        InputError: the folder cannot be made, or is not the user's alone.
    """
    root = cache_root()
    folder = root.joinpath(*names)
    try:
        for level in (*reversed(folder.parents), folder):
            level.mkdir(mode=0o700, exist_ok=True)
        for depth in range(len(names) + 1):
            require_private(root.joinpath(*names[:depth]))
    except OSError as error:
        raise InputError(f"{VARIABLE}={root}: must be a folder to write to ({error})") from None
    return folder


def require_private(path: Path, instead: str = f"{VARIABLE} names another folder") -> None:
    """Refuses what other users own or may write to; what is loaded as code lies in it.

    Args:
        path: a folder or a file.
        instead: what the user can do but for changing its mode.

    Raises:
        InputError: it is not this user's alone, or a link.
        OSError: it is not there.
    """
    status = path.lstat()
    kind = "cache folder" if path.is_dir() else "cache file"
    if stat.S_ISLNK(status.st_mode) and not path.is_dir():
        raise InputError(f"{kind} {path} is a link; allowed is a file; {instead}")
    status = path.stat()
    if hasattr(os, "getuid") and status.st_uid != os.getuid():
        raise InputError(f"{kind} {path} belongs to another user; {instead}")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise InputError(
            f"{kind} {path} can be written by other users; allowed is mode "
            f"{'700' if path.is_dir() else '600'}, and {instead}"
        )
