"""Telling the user what takes seconds."""

import contextlib
import sys
from collections.abc import Callable, Iterator

from cnn_ablation.display.status import clear

Advance = Callable[[int], object]


def notify(message: str) -> None:
    """Prints one line to standard error."""
    clear()
    print(message, file=sys.stderr, flush=True)


@contextlib.contextmanager
def progress_bar(text: str, total: int, *, enabled: bool) -> Iterator[Advance]:
    """Yields a function that is told how many more of `total` images are done.

    Args:
        text: what is being done, printed first.
        total: how many images there are.
        enabled: whether to show anything; the bar itself needs a terminal.
    """
    if not enabled:
        yield lambda count: None
        return
    from cnn_ablation.display.progress import Progress

    notify(text)
    with Progress(total, " images") as bar:
        yield bar.advance
