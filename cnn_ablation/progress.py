"""Progress for people: a bar with the time left on a terminal, plain lines elsewhere."""

import datetime
import sys
import threading
import time
from types import TracebackType
from typing import Self

from tqdm import tqdm


class Progress:
    """Counts units of work; use it as a context.

    On a terminal a bar on standard error is redrawn twice a second, also while the device is at
    work; elsewhere every line that `say` prints ends with the time left.
    """

    def __init__(self, total: int, unit: str) -> None:
        self._total, self._done = total, 0
        self._terminal = sys.stderr.isatty()
        self._bar = tqdm(
            total=total,
            unit=unit,
            disable=not self._terminal,
            dynamic_ncols=True,
            leave=False,
            smoothing=0.1,
        )
        self._start = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._redraw, daemon=True)

    def __enter__(self) -> Self:
        if self._terminal:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._bar.close()

    def advance(self, units: int = 1) -> None:
        """Says that some units are done."""
        self._done += units
        self._bar.update(units)

    def say(self, line: str) -> None:
        """Prints a line on standard output, above the bar where there is one."""
        if self._terminal:
            with tqdm.external_write_mode(file=sys.stdout):
                print(line, flush=True)
        else:
            print(f"{line}  {self.time_left()}".rstrip(), flush=True)

    def time_left(self) -> str:
        """What is left at the mean pace so far: `left 0:01:30`, or nothing where unknown."""
        if not 0 < self._done < self._total:
            return ""
        seconds = (time.monotonic() - self._start) / self._done * (self._total - self._done)
        return f"left {datetime.timedelta(seconds=round(seconds))}"

    def _redraw(self) -> None:
        while not self._stop.wait(0.5):
            self._bar.refresh()
