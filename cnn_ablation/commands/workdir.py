"""The folder that a single design's run writes into: chosen, checked and made before any work.

metrics.json    the finished run
metrics.jsonl   a line an epoch, as it ends
model-seed0.safetensors   the trained model of a seed, with --save_params
study.json, trials.jsonl   the same as a study's: a stopped run goes on from them
"""

import contextlib
import dataclasses
import datetime
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cnn_ablation.commands.replacing import METRICS, STAGE, complete, is_pending, publish
from cnn_ablation.design import TrialSpec
from cnn_ablation.design.words import short_name
from cnn_ablation.errors import InputError
from cnn_ablation.models.names import MODELS
from cnn_ablation.study.store import STUDY, TRIALS, read_plan
from cnn_ablation.system.files import write_text
from cnn_ablation.system.locks import sole_writer
from cnn_ablation.system.paths import user_path
from cnn_ablation.system.stored import get, parse_object, unseal
from cnn_ablation.trackers.files import EVENT_FILES, TENSORBOARD

EPOCHS = "metrics.jsonl"
# All keys of a metrics.json from before there were checksums.
OLDER_METRICS = (
    *("schema_version", "spec", "dataset", "params", "macs", "runs", "times", "environment"),
)


@dataclasses.dataclass(frozen=True)
class Workdir:
    """A run's folder, held by this process.

    Attributes:
        folder: the one that the user named.
        files: where the run writes: there, or beside a finished run that it will replace.
    """

    folder: Path
    files: Path

    def publish(self) -> Path:
        """Puts a run that is whole in its place; returns its metrics.

        Raises:
            OSError: the folder cannot be written.
        """
        if self.files != self.folder:
            publish(self.folder)
        return self.folder / METRICS


@contextlib.contextmanager
def open_workdir(given: str | None, spec: TrialSpec, *, overwrite: bool) -> Iterator[Workdir]:
    """Makes a run's folder, or finds that a run may write into the one that is there, and holds it.

    What a stopped run of another design or setting has left there is set aside; one of the same
    design goes on. A finished run stays as it is until `publish`.

    Args:
        given: the folder, or None for a new one under `runs/` named by spec and time.
        spec: what is to be trained.
        overwrite: whether a finished run there may be replaced.

    Raises:
        InputError: the folder cannot be written, holds a finished run, or another process is at
            work in it.
    """
    with contextlib.ExitStack() as stack:
        folder = user_path("workdir", given) if given else None
        try:
            folder = _new_folder(Path("runs"), spec) if folder is None else folder
            if not is_pending(folder):
                # Before there is a lock: what is refused is left as it is.
                _is_finished(folder, overwrite=overwrite)
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(sole_writer(folder))
            complete(folder)
            finished = _is_finished(folder, overwrite=overwrite)
            files = folder / STAGE if finished else folder
            files.mkdir(exist_ok=True)
            with tempfile.TemporaryFile(dir=files):
                pass
            if not _is_of(files, spec):
                _keep_unfinished(files)
        except OSError as error:
            raise InputError(
                f"--workdir={folder or given or 'runs'}: must be a folder to write to "
                f"({error.strerror})"
            ) from None
        yield Workdir(folder, files)


def keep_unfinished_epochs(folder: Path, lines: str) -> None:
    """Replaces the lines of epochs by those of finished trials; the old ones are kept beside."""
    path = folder / EPOCHS
    found = path.read_bytes() if path.exists() else b""
    if found != lines.encode():
        if found:
            path.rename(folder / f"unfinished-{_now()}.jsonl")
        write_text(path, lines)


def _is_finished(folder: Path, *, overwrite: bool) -> bool:
    """Whether a folder holds a finished run, which may be replaced."""
    finished = (folder / METRICS).exists()
    if finished and not overwrite:
        _require_whole(folder / METRICS)
        raise InputError(
            f"--workdir={folder}: holds a finished run; name another folder or add --overwrite"
        )
    return finished


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
    now = _now()
    for model in folder.glob(MODELS):
        model.rename(folder / f"unfinished-{now}-{model.name}")
    for name, kept in ((EPOCHS, f"unfinished-{_now()}"), (TRIALS, f"unfinished-trials-{_now()}")):
        if (folder / name).exists():
            (folder / name).rename(folder / f"{kept}.jsonl")


def _remove_events(folder: Path) -> None:
    for file in (folder / TENSORBOARD).rglob(f"{EVENT_FILES}*"):
        file.unlink()


def _now() -> str:
    return datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")


def _new_folder(parent: Path, spec: TrialSpec) -> Path:
    """Makes a folder that no other process has made."""
    name = f"{short_name(spec)}-{datetime.datetime.now().strftime('%Y%m%d-%H%M%S')}"
    parent.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        folder = parent / (name if number == 1 else f"{name}-{number}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise AssertionError("counting never ends")
