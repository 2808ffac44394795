"""A finished run that is being replaced: it stands whole until the new one is, a kill or not.

.replacement        what the new run writes, until it is whole
.replacement-whole  the whole new run, while it is put in the old one's place
"""

import shutil
from pathlib import Path

from cnn_ablation.models.names import MODELS
from cnn_ablation.study.store import TIMINGS
from cnn_ablation.trackers.files import EVENT_FILES, TENSORBOARD

METRICS = "metrics.json"
STAGE = ".replacement"
_WHOLE, _OLD = ".replacement-whole", ".old"


def publish(folder: Path) -> None:
    """Puts the whole new run in the place of the finished one.

    Raises:
        OSError: the folder cannot be written; `complete` does what is left.
    """
    (folder / STAGE).rename(folder / _WHOLE)
    complete(folder)


def is_pending(folder: Path) -> bool:
    """Whether a process was killed while it put a new run in place."""
    return (folder / _WHOLE).is_dir()


def complete(folder: Path) -> None:
    """Does what is left of putting a new run in place; for the folder's sole writer.

    Raises:
        OSError: the folder cannot be written.
    """
    whole = folder / _WHOLE
    if not whole.is_dir():
        return
    # While the metrics are not in place, what lies in the folder is the old run's.
    if (whole / METRICS).exists():
        _set_aside(folder, whole / _OLD)
        (whole / METRICS).replace(folder / METRICS)
    for file in _files(whole):
        _move(file, folder / file.relative_to(whole))
    shutil.rmtree(whole, ignore_errors=True)


def _set_aside(folder: Path, aside: Path) -> None:
    """Moves what the new run may have no file of that name for."""
    events = (folder / TENSORBOARD).rglob(f"{EVENT_FILES}*")
    for file in (folder / TIMINGS, *events, *folder.glob(MODELS)):
        if file.exists():
            _move(file, aside / file.relative_to(folder))


def _files(whole: Path) -> list[Path]:
    old = whole / _OLD
    return [one for one in whole.rglob("*") if one.is_file() and old not in one.parents]


def _move(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    file.replace(target)
