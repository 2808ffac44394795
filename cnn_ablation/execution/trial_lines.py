"""A line for each trial that ended, under headings, no wider than the terminal."""

import shutil
from collections.abc import Sequence

from cnn_ablation.training.records import TrialRecord

_TRIAL, _DESIGN, _SEED, _SECONDS, _LEFT = "trial", "design", "seed", "seconds", "left"
# The accuracy may be that of validation images, which tuning looks at.
_ACCURACY = len("validation accuracy")
# Where a file or a pipe has no width.
_WIDTH, _NARROWEST = 100, 8


class TrialLines:
    """Makes the lines."""

    def __init__(self, labels: Sequence[str], total: int, *, live: bool) -> None:
        """Fixes the columns.

        Args:
            labels: what the designs are called.
            total: how many trials there are.
            live: whether the lines are for a terminal: cut to its width, and without the time left,
                which a bar below them tells.
        """
        self._total, self._live = total, live
        self._headings = ""
        self._count = max(len(_TRIAL), 2 * len(str(total)) + 1)
        self._width = shutil.get_terminal_size((_WIDTH, 24)).columns if live else None
        longest = max([len(_DESIGN), *map(len, labels)])
        self._design = longest if self._width is None else self._room(longest, self._width)

    def headings_for(self, record: TrialRecord) -> str:
        """The names of the columns of a trial's line; empty where they stand above already."""
        titles = [_SEED, _accuracy_title(record), _SECONDS, *([] if self._live else [_LEFT])]
        headings = self._line(_TRIAL, _DESIGN, "  ".join(titles))
        if headings == self._headings:
            return ""
        self._headings = headings
        return headings

    def row(self, number: int, label: str, record: TrialRecord, left: str) -> str:
        """The line of one trial.

        Args:
            number: how many trials have ended.
            label: what its design is called.
            record: the trial.
            left: the time left, in words.
        """
        seed = f"{record.seed:>{len(_SEED)}}"
        if record.status == "completed":
            seconds = sum(epoch.train_seconds + epoch.eval_seconds for epoch in record.epochs)
            accuracy = f"{record.epochs[-1].test_accuracy:.2%}"
            width = len(_accuracy_title(record))
            figures = f"{accuracy:>{width}}  {seconds:>{len(_SECONDS)}.3g}"
        else:
            figures = result_of(record)
        time_left = "" if self._live else f"  {left.removeprefix('left ')}"
        return self._line(f"{number}/{self._total}", label, f"{seed}  {figures}{time_left}")

    def _room(self, longest: int, width: int) -> int:
        """The width of the design's column."""
        others = self._count + len(_SEED) + _ACCURACY + len(_SECONDS) + 2 * 4
        return max(_NARROWEST, min(longest, width - 1 - others))

    def _line(self, count: str, label: str, figures: str) -> str:
        if len(label) > self._design:
            label = f"{label[: self._design - 1]}…"
        line = f"{count:>{self._count}}  {label:<{self._design}}  {figures}".rstrip()
        return line if self._width is None else line[: self._width - 1]


def _accuracy_title(record: TrialRecord) -> str:
    return f"{record.spec.data.evaluated} accuracy"


def result_of(record: TrialRecord) -> str:
    """How a trial ended, in words."""
    if record.status == "failed":
        return f"FAILED: {record.error}"
    seconds = sum(epoch.train_seconds + epoch.eval_seconds for epoch in record.epochs)
    if record.status == "diverged":
        return f"diverged after {len(record.epochs)} epochs  {seconds:.3g} s"
    accuracy = record.epochs[-1].test_accuracy
    return f"{_accuracy_title(record)} {accuracy:.2%}  {seconds:.3g} s"
