"""The exceptions that stand for a mistake in what the user gave us.

Where nobody catches one, in a study file of the user's say, Python shows it as one line that names
the file, and ends with exit code 2; a traceback through this package would help nobody.
"""

import contextlib
import os
import re
import sys
import traceback
from pathlib import Path
from types import TracebackType


class InputError(ValueError):
    """Bad input: the message is one line naming the flag or file, the value and what is allowed.

    Entry points print the message without a traceback and exit with code 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class PeerLostError(Exception):
    """What the run needs of other machines is gone; nothing is lost, and the command goes on."""


class FieldError(InputError):
    """A field of a spec has a value that is not allowed.

    Attributes:
        field: the field's name, which is also its flag's name.
        value: the value that was given.
        allowed: what would have been allowed, in words.
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        self.field, self.value, self.allowed = field, value, allowed
        super().__init__(f"{field}={as_typed(value)}: {allowed}")


# The password of a user at a host, and one that is passed by name.
_PASSWORDS = (
    re.compile(r"(?<=://)([^\s/@:]*):\S*@"),
    re.compile(r"(?i)([?&;](?:password|passwd|pwd|token|secret)=)[^\s&;]*"),
)


def one_line(text: str) -> str:
    """Makes a text safe to show: control characters are escaped, passwords in addresses hidden."""
    user, named = _PASSWORDS
    text = named.sub(r"\1***", user.sub(r"\1:***@", text))
    # Line separators break a line, and marks of direction reorder it, as control characters do.
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def as_typed(value: object) -> str:
    """Writes a value as a user types it after `--flag=`: 3,5 rather than (3, 5), 3 for (3, 3)."""
    if isinstance(value, (tuple, list)):
        if value and all(item == value[0] for item in value):
            return str(value[0])
        return ",".join(str(item) for item in value)
    return str(value)


def place_of(trace: TracebackType | None) -> str:
    """The last line outside of this package on the way to an error, `wide.py, line 3: `."""
    package = str(Path(__file__).parent)
    own = [
        frame
        for frame in traceback.extract_tb(trace)
        if not frame.filename.startswith((package, "<"))
    ]
    return f"{own[-1].filename}, line {own[-1].lineno}: " if own else ""


_usual_hook = sys.excepthook


def _show_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    # At a prompt the process goes on, and its user is the one who typed the line.
    if not issubclass(kind, InputError) or hasattr(sys, "ps1"):
        _usual_hook(kind, error, trace)
        return
    with contextlib.suppress(OSError):
        print(f"error: {place_of(trace)}{error}", file=sys.stderr, flush=True)
        sys.stdout.flush()
    os._exit(2)


sys.excepthook = _show_uncaught
