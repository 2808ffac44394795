"""A line for each trial that ended, under headings, no wider than the terminal."""

import shutil
from collections.abc import Sequence

from cnn_ablation.training.records import TrialRecord

_HEADINGS = ("trial", "design", "seed", "test accuracy", "seconds", "left")
# Where a file or a pipe has no width.
_WIDTH, _NARROWEST = 100, 8


class TrialLines:
    """Makes the lines.

    Attributes:
        headings: the names of the columns, or empty once they have been taken.
    """

    def __init__(self, labels: Sequence[str], total: int, *, live: bool) -> None:
        """Fixes the columns.

        Args:
            labels: what the designs are called.
            total: how many trials there are.
            live: whether the lines are for a terminal: cut to its width, and without the time left,
                which a bar below them tells.
        """
        self._total, self._live = total, live
        self._count = max(len(_HEADINGS[0]), 2 * len(str(total)) + 1)
        self._width = shutil.get_terminal_size((_WIDTH, 24)).columns if live else None
        longest = max([len(_HEADINGS[1]), *map(len, labels)])
        self._design = longest if self._width is None else self._room(longest, self._width)
        titles = _HEADINGS[2:5] if live else _HEADINGS[2:]
        self.headings = self._line(*_HEADINGS[:2], "  ".join(titles))

    def take_headings(self) -> str:
        """The headings, which are then no longer there."""
        taken, self.headings = self.headings, ""
        return taken

    def row(self, number: int, label: str, record: TrialRecord, left: str) -> str:
        """The line of one trial.

        Args:
            number: how many trials have ended.
            label: what its design is called.
            record: the trial.
            left: the time left, in words.
        """
        seed = f"{record.seed:>{len(_HEADINGS[2])}}"
        if record.status == "completed":
            seconds = sum(epoch.train_seconds + epoch.eval_seconds for epoch in record.epochs)
            accuracy = f"{record.epochs[-1].test_accuracy:.2%}"
            figures = f"{accuracy:>{len(_HEADINGS[3])}}  {seconds:>{len(_HEADINGS[4])}.3g}"
        else:
            figures = result_of(record)
        time_left = "" if self._live else f"  {left.removeprefix('left ')}"
        return self._line(f"{number}/{self._total}", label, f"{seed}  {figures}{time_left}")

    def _room(self, longest: int, width: int) -> int:
        """The width of the design's column."""
        others = self._count + sum(map(len, _HEADINGS[2:5])) + 2 * 4
        return max(_NARROWEST, min(longest, width - 1 - others))

    def _line(self, count: str, label: str, figures: str) -> str:
        if len(label) > self._design:
            label = f"{label[: self._design - 1]}…"
        line = f"{count:>{self._count}}  {label:<{self._design}}  {figures}".rstrip()
        return line if self._width is None else line[: self._width - 1]


def result_of(record: TrialRecord) -> str:
    """How a trial ended, in words."""
    if record.status == "failed":
        return f"FAILED: {record.error}"
    seconds = sum(epoch.train_seconds + epoch.eval_seconds for epoch in record.epochs)
    if record.status == "diverged":
        return f"diverged after {len(record.epochs)} epochs  {seconds:.3g} s"
    return f"test accuracy {record.epochs[-1].test_accuracy:.2%}  {seconds:.3g} s"
