"""Progress for people: a bar on a terminal, a line in a notebook, plain lines elsewhere."""

import importlib
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from cnn_ablation.display.text import clock


class Progress:
    """Counts units of work; use it as a context.

    On a terminal a bar on standard error is redrawn twice a second, also while the device is at
    work; elsewhere every line that `say` prints ends with the time left. In a notebook each line
    takes the place of the one before, and in the end there is one that says what was done.
    """

    def __init__(self, total: int, unit: str) -> None:
        self._total, self._done = total, 0
        self._unit = unit
        self._terminal = sys.stderr.isatty()
        self._cell = None if self._terminal else _Cell.here()
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
        if self._cell is not None:
            self._cell.end(f"{self._done} {self._unit.strip()}s in {clock(self._seconds())}")

    def advance(self, units: int = 1) -> None:
        """Says that some units are done."""
        self._done += units
        self._bar.update(units)

    def say(self, line: str) -> None:
        """Prints a line on standard output, above the bar where there is one."""
        if self._cell is not None:
            self._cell.show(f"{line}  {self.time_left()}".rstrip())
        else:
            self._print(line if self._terminal else f"{line}  {self.time_left()}".rstrip())

    def _print(self, line: str) -> None:
        """A line on standard output as it is, above the bar where there is one."""
        if self._terminal:
            with tqdm.external_write_mode(file=sys.stdout):
                print(line, flush=True)
        else:
            print(line, flush=True)

    def time_left(self) -> str:
        """What is left at the mean pace so far: `left 0:01:30`, or nothing where unknown."""
        if not 0 < self._done < self._total:
            return ""
        return f"left {clock(self._seconds() / self._done * (self._total - self._done))}"

    def _seconds(self) -> float:
        return time.monotonic() - self._start

    def _redraw(self) -> None:
        while not self._stop.wait(0.5):
            self._bar.refresh()


class _Cell:
    """One line below a notebook's cell, written over and over; none before the first."""

    def __init__(self, display: Callable[..., Any]) -> None:
        self._display = display
        self._handle: Any = None

    @classmethod
    def here(cls) -> Self | None:
        """The line of the cell that is running, or None where there is no notebook."""
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        # A shell in a terminal has no kernel.
        if getattr(shell, "kernel", None) is None:
            return None
        return cls(importlib.import_module("IPython.display").display)

    def show(self, line: str) -> None:
        """Puts a line in the place of the last one."""
        content = {"text/plain": line}
        if self._handle is None:
            self._handle = self._display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)

    def end(self, line: str) -> None:
        """Puts the last line, where there was one before."""
        if self._handle is not None:
            self.show(line)
