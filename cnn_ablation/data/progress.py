"""Telling the user what takes seconds: a bar on a terminal, plain lines elsewhere."""

import contextlib
import sys
from collections.abc import Callable, Iterator

Notify = Callable[[str], None]
Advance = Callable[[int], object]


def notify(message: str) -> None:
    """Prints one line to standard error."""
    print(message, file=sys.stderr, flush=True)


@contextlib.contextmanager
def progress_bar(text: str, total: int, *, enabled: bool) -> Iterator[Advance]:
    """Yields a function that is told how many more of `total` images are done.

    Args:
        text: what is being done.
        total: how many images there are.
        enabled: whether to show anything at all.
    """
    if not enabled:
        yield lambda count: None
    elif not sys.stderr.isatty():
        notify(text)
        yield lambda count: None
    else:
        from tqdm import tqdm

        with tqdm(total=total, desc=text, unit=" images", leave=False) as bar:
            yield bar.update
