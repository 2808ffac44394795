"""The folder that a single design's run writes into: chosen, checked and made before any work.

metrics.json    the finished run
metrics.jsonl   a line an epoch, as it ends
study.json, trials.jsonl   the same as a study's: a stopped run goes on from them
"""

import contextlib
import datetime
import itertools
import shutil
import tempfile
from pathlib import Path

from cnn_ablation.design import TrialSpec
from cnn_ablation.design.words import short_name
from cnn_ablation.errors import InputError
from cnn_ablation.study.store import STUDY, TIMINGS, TRIALS, read_plan
from cnn_ablation.system.files import write_text
from cnn_ablation.system.paths import user_path
from cnn_ablation.system.stored import get, parse_object, unseal
from cnn_ablation.trackers.files import EVENT_FILES, TENSORBOARD

METRICS, EPOCHS = "metrics.json", "metrics.jsonl"
# All keys of a metrics.json from before there were checksums.
OLDER_METRICS = (
    *("schema_version", "spec", "dataset", "params", "macs", "runs", "times", "environment"),
)
_REPLACED = ".replaced"


def open_workdir(given: str | None, spec: TrialSpec, *, overwrite: bool) -> Path:
    """Makes a run's folder, or finds that a run may write into the one that is there.

    What a stopped run of another design or setting has left there is set aside; one of the same
    design goes on.

    Args:
        given: the folder, or None for a new one under `runs/` named by spec and time.
        spec: what is to be trained.
        overwrite: whether a finished run there may be replaced.

    Raises:
        InputError: the folder cannot be written, or holds a finished run.
    """
    folder = user_path("workdir", given) if given else _new_folder(Path("runs"), spec)
    try:
        finished = (folder / METRICS).exists()
        if finished and not overwrite:
            _require_whole(folder / METRICS)
            raise InputError(
                f"--workdir={folder}: holds a finished run; name another folder or add --overwrite"
            )
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        # A run that was stopped while it replaced a finished one goes on too.
        goes_on = _is_of(folder, spec) and (not finished or (folder / _REPLACED).exists())
        if finished and not goes_on:
            _set_aside(folder, folder / _REPLACED / _now())
        elif not goes_on:
            _keep_unfinished(folder)
    except OSError as error:
        raise InputError(
            f"--workdir={folder}: must be a folder to write to ({error.strerror})"
        ) from None
    return folder


def forget_replaced(folder: Path) -> None:
    """Removes what belonged to a finished run once the new one stands in its place."""
    shutil.rmtree(folder / _REPLACED, ignore_errors=True)


def keep_unfinished_epochs(folder: Path, lines: str) -> None:
    """Replaces the lines of epochs by those of finished trials; the old ones are kept beside."""
    path = folder / EPOCHS
    if path.exists() and path.read_bytes() != lines.encode():
        path.rename(folder / f"unfinished-{_now()}.jsonl")
        write_text(path, lines)


def _require_whole(metrics: Path) -> None:
    """Refuses a `metrics.json` that no run has left like this."""
    try:
        get(unseal(parse_object(metrics.read_bytes()), OLDER_METRICS), "runs", list)
    except InputError as error:
        raise InputError(
            f"{metrics}: is damaged ({error}); restore it, or delete it: the same command writes "
            "it again from the trials that are there"
        ) from None


def _is_of(folder: Path, spec: TrialSpec) -> bool:
    """Whether what is in a folder, if anything, is of this design in this setting."""
    plan = read_plan(folder)
    if plan is None:
        return _trained_in(folder) == {spec}
    return plan.designs == (spec,)


def _trained_in(folder: Path) -> set[TrialSpec]:
    """The designs of a folder's trials, for where nothing else says what they are of."""
    found = set()
    with contextlib.suppress(FileNotFoundError):
        for line in (folder / TRIALS).read_bytes().splitlines():
            with contextlib.suppress(InputError):
                found.add(TrialSpec.from_json(parse_object(line).get("spec")))
    return found


def _keep_unfinished(folder: Path) -> None:
    """Renames what a stopped run left; TensorBoard's event files go, they would be mixed."""
    _remove_events(folder)
    (folder / STUDY).unlink(missing_ok=True)
    for name, kept in ((EPOCHS, f"unfinished-{_now()}"), (TRIALS, f"unfinished-trials-{_now()}")):
        if (folder / name).exists():
            (folder / name).rename(folder / f"{kept}.jsonl")


def _set_aside(folder: Path, aside: Path) -> None:
    """Moves all of a finished run but its metrics, which stay until they are replaced."""
    _remove_events(folder)
    aside.mkdir(parents=True, exist_ok=True)
    for name in (STUDY, TRIALS, TIMINGS, EPOCHS):
        if (folder / name).exists():
            (folder / name).rename(aside / name)


def _remove_events(folder: Path) -> None:
    for file in (folder / TENSORBOARD).rglob(f"{EVENT_FILES}*"):
        file.unlink()


def _now() -> str:
    return datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")


def _new_folder(parent: Path, spec: TrialSpec) -> Path:
    name = f"{short_name(spec)}-{datetime.datetime.now().strftime('%Y%m%d-%H%M%S')}"
    numbers = itertools.count(2)
    folder = parent / name
    while folder.exists():
        folder = parent / f"{name}-{next(numbers)}"
    return folder
