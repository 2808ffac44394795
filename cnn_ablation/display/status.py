"""What a command is doing before there is anything to count: one line on a terminal, then gone."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

_SECONDS = 0.25
_CLEAR = "\r\x1b[2K"
_showing: list["_Line"] = []


@contextlib.contextmanager
def doing(text: str) -> Iterator[None]:
    """Shows a text and how long it has been true, on a terminal alone, until the block ends.

    Lines printed by `notices.notify` and bars take its place; it comes back below them.
    """
    if not sys.stderr.isatty():
        yield
        return
    line = _Line(text)
    _showing.append(line)
    try:
        with line:
            yield
    finally:
        _showing.remove(line)


def clear() -> None:
    """Takes the line away, for something else to be printed there."""
    if _showing:
        _showing[-1].clear()


class _Line:
    """The line, redrawn by a thread of its own: also while this one waits for a library."""

    def __init__(self, text: str) -> None:
        self._text, self._start = text, time.monotonic()
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._redraw, daemon=True)

    def __enter__(self) -> None:
        self._draw()
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.clear()

    def clear(self) -> None:
        with self._lock:
            self._write(_CLEAR)

    def _redraw(self) -> None:
        while not self._stop.wait(_SECONDS):
            self._draw()

    def _draw(self) -> None:
        seconds = round(time.monotonic() - self._start)
        with self._lock:
            self._write(f"{_CLEAR}{self._text} ..." + (f" {seconds} s" if seconds else ""))

    def _write(self, text: str) -> None:
        # A terminal that is gone is no reason to stop.
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()
