"""What searching tests have tried: kinds, counts and outcomes, printed at the end of a session."""

import collections
from collections.abc import Iterable

Row = tuple[str, str, str]
_TRIED: collections.Counter[Row] = collections.Counter()


def note(what: str, kind: str, outcome: str) -> None:
    """Counts one thing tried.

    Args:
        what: the file, command or moment that was tried.
        kind: what was done to it.
        outcome: what came of it.
    """
    _TRIED[what, kind, outcome] += 1


def rows() -> list[list[object]]:
    """All that was tried, as plain data that travels between processes."""
    return [[*row, count] for row, count in sorted(_TRIED.items())]


def add(counted: Iterable[Iterable[object]]) -> None:
    """Adds what another process has counted."""
    for what, kind, outcome, count in counted:
        _TRIED[str(what), str(kind), str(outcome)] += int(str(count))


def table() -> list[str]:
    """The lines of the table; none where nothing was tried."""
    if not _TRIED:
        return []
    cells = [("tried", "how", "outcome", "times")]
    cells += [(*row, f"{count:,}") for row, count in sorted(_TRIED.items())]
    cells.append(("in all", "", "", f"{_TRIED.total():,}"))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join([*(f"{c:<{w}}" for c, w in zip(row[:3], widths, strict=False)), f"{row[3]:>6}"])
        for row in cells
    ]
