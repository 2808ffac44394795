"""All trackers of a run as one that never fails: an error ends a tracker, not the training."""

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from cnn_ablation.errors import InputError
from cnn_ablation.system.files import is_full, unwritable
from cnn_ablation.trackers.interface import Run, TrackedTrial, Tracker
from cnn_ablation.training.records import EpochRecord


class Tracking:
    """Tells every tracker; use it as a context. Without trackers it does nothing."""

    def __init__(self, trackers: Sequence[Tracker]) -> None:
        self._trackers = list(trackers)

    def __bool__(self) -> bool:
        return bool(self._trackers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tell(lambda tracker: tracker.close(completed=kind is None))

    def start(self, run: Run) -> None:
        """Opens all trackers.

        Raises:
            InputError: one of them cannot be written to.
        """
        self._tell(lambda tracker: tracker.start(run))

    def begin(self, trial: TrackedTrial) -> None:
        """A trial begins, maybe again."""
        self._tell(lambda tracker: tracker.begin(trial))

    def log_epoch(self, trial: TrackedTrial, record: EpochRecord) -> None:
        """A trial that has begun has one epoch more."""
        self._tell(lambda tracker: tracker.log_epoch(trial, record))

    def end(self, trial: TrackedTrial, status: str, error: str | None = None) -> None:
        """A trial that has begun is over."""
        self._tell(lambda tracker: tracker.end(trial, status, error))

    def catch_up(
        self,
        trial: TrackedTrial,
        epochs: Iterable[EpochRecord],
        status: str,
        error: str | None = None,
    ) -> None:
        """Tells of a trial that was recorded earlier those trackers that do not hold it."""
        kept = tuple(epochs)

        def tell(tracker: Tracker) -> None:
            if tracker.holds(trial):
                return
            tracker.begin(trial)
            for record in kept:
                tracker.log_epoch(trial, record)
            tracker.end(trial, status, error)

        self._tell(tell)

    def conclude(self, verdicts: Sequence[str], documents: Sequence[Path]) -> None:
        """A run is over."""
        self._tell(lambda tracker: tracker.conclude(verdicts, documents))

    def _tell(self, message: Callable[[Tracker], None]) -> None:
        for tracker in tuple(self._trackers):
            try:
                message(tracker)
            except InputError:
                raise
            except Exception as error:
                if isinstance(error, OSError) and is_full(error):
                    raise unwritable(Path(error.filename or tracker.flag), error) from None
                self._trackers.remove(tracker)
                print(_warning(tracker, error), file=sys.stderr, flush=True)


def _warning(tracker: Tracker, error: Exception) -> str:
    lines = str(error).strip().splitlines()
    reason = f"{type(error).__name__}: {lines[0]}"[:300] if lines else type(error).__name__
    return f"warning: {tracker.flag}: {reason}; it hears no more of this run, which goes on"
