"""What becomes of compiled programs that JAX cannot keep, or finds damaged where it kept them.

JAX warns, in two lines that name neither file nor folder, and leaves a damaged file where it is, to
warn of it for ever. Here it is one line, and the file is removed.
"""

import contextlib
import re
import warnings
import zlib
from pathlib import Path
from typing import Any

from cnn_ablation.display.notices import notify

_WARNING = re.compile(
    r"Error (reading|writing) persistent compilation cache entry for '(.+?)': (.*)", re.DOTALL
)
_usual_show = warnings.showwarning
_told: set[str] = set()


def tell_in_one_line(folder: Path) -> None:
    """From here on, tells of JAX's warnings about a folder of programs in a line each.

    Args:
        folder: where the programs are kept.
    """

    def show(message: Warning | str, *rest: Any, **more: Any) -> None:
        found = _WARNING.match(str(message))
        if found is None:
            _usual_show(message, *rest, **more)
            return
        what, name, why = found.groups()
        if what == "reading":
            _remove_damaged(folder, name)
            _once(f"{folder}: a damaged program was removed, and is compiled again")
        else:
            _once(f"{folder}: programs cannot be kept ({_short(why)}); they are compiled each time")

    warnings.showwarning = show


def _once(line: str) -> None:
    if line not in _told:
        _told.add(line)
        notify(line)


def _short(why: str) -> str:
    return " ".join(why.split()).removeprefix("OSError: ")[:150]


def _remove_damaged(folder: Path, name: str) -> None:
    """Removes the files of a program that are not whole; JAX does not say which it is."""
    with contextlib.suppress(OSError):
        for file in folder.glob(f"{name}-*-cache"):
            try:
                zlib.decompress(file.read_bytes())
            except zlib.error:
                # What is compressed in another way is a loss of seconds, if it was whole.
                file.unlink(missing_ok=True)
