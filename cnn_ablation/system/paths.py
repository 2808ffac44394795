"""Paths that users name: what no system can open is refused before anything is made of it."""

import os
from pathlib import Path

from cnn_ablation.errors import InputError

_LONGEST_NAME = 255
_HOME = "HOME"


def user_path(flag: str, given: str) -> Path:
    """The path that a flag names, `~` replaced by a home.

    Args:
        flag: name of the flag, for the message.
        given: what the user typed.

    Raises:
        InputError: there is no such home, or a name in the path is too long.
    """
    try:
        path = Path(given).expanduser()
    except RuntimeError:
        who = Path(given).parts[0]
        raise InputError(f"--{flag}={given}: {who} is no user's home here; name a folder") from None
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in path.parts):
        raise InputError(
            f"--{flag}={given}: a name in it is too long; allowed are {_LONGEST_NAME} bytes"
        )
    if "\0" in given:
        raise InputError(f"--{flag}={given}: no path can hold a null character")
    return path


def require_home(*instead: str | None) -> None:
    """Refuses a home that would put a user's files into the root of the file system.

    Args:
        *instead: folders that were named in the place of those in the home; None where one is not.

    Raises:
        InputError: the home is empty or the root, and is needed.
    """
    home = os.environ.get(_HOME)
    if home is not None and not home.strip("/ ") and None in instead:
        raise InputError(
            f"{_HOME}={home}: caches and datasets have no folder; set {_HOME} to a folder of "
            "yours, or CNN_ABLATION_CACHE_DIR and TFDS_DATA_DIR to two"
        )
