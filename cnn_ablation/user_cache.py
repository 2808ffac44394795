"""The per-user folder of what can be made again: compiled kernels and compiled programs."""

import os
import stat
from pathlib import Path

from cnn_ablation.errors import InputError

VARIABLE = "CNN_ABLATION_CACHE_DIR"


def user_cache_dir(name: str) -> Path:
    """Makes and returns a private folder for one kind of thing.

    It lies in $CNN_ABLATION_CACHE_DIR, or else in the user's cache folder as the XDG base
    directory specification names it. What is executed is loaded from here: a folder that others
    own or may write to is refused.

    Raises:
        InputError: the folder cannot be made, or is not the user's alone.
    """
    root = os.environ.get(VARIABLE)
    if not root:
        root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        root = str(Path(root).expanduser() / "cnn_ablation")
    folder = Path(root) / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError as error:
        raise InputError(f"{VARIABLE}={root}: must be a folder to write to ({error})") from None
    if hasattr(os, "getuid") and status.st_uid != os.getuid():
        raise InputError(f"{folder}: belongs to another user; set {VARIABLE} to a folder of yours")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise InputError(f"{folder}: others may write to it; allowed is a folder of mode 700")
    return folder
