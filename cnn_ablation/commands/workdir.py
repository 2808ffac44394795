"""The folder that a run writes into: chosen, checked and made before any work is done."""

import datetime
import itertools
import tempfile
from pathlib import Path

from cnn_ablation.design.spec import BLOCK_FIELDS, TrialSpec
from cnn_ablation.errors import InputError

METRICS, EPOCHS = "metrics.json", "metrics.jsonl"
TENSORBOARD, EVENT_FILES = "tensorboard", "events.out.tfevents."


def open_workdir(given: str | None, spec: TrialSpec, *, overwrite: bool) -> Path:
    """Makes a run's folder, or finds that a run may write into the one that is there.

    Args:
        given: the folder, or None for a new one under `runs/` named by spec and time.
        spec: names the new folder.
        overwrite: whether a finished run there may be replaced.

    Raises:
        InputError: the folder cannot be written, or holds a finished run.
    """
    folder = Path(given).expanduser() if given else _new_folder(Path("runs"), spec)
    if (folder / METRICS).exists() and not overwrite:
        raise InputError(
            f"--workdir={folder}: holds a finished run; name another folder or add --overwrite"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"--workdir={folder}: must be a folder to write to ({error.strerror})"
        ) from None
    return folder


def clear_workdir(folder: Path) -> None:
    """Makes room for a run that now begins: a finished one goes, an unfinished one's lines stay.

    What an unfinished run left is kept under the name `unfinished-TIME.jsonl`. TensorBoard's event
    files of either go: it would mix them with those of the run that begins.
    """
    for file in (folder / TENSORBOARD).rglob(f"{EVENT_FILES}*"):
        file.unlink()
    if (folder / METRICS).exists():
        (folder / METRICS).unlink()
        (folder / EPOCHS).unlink(missing_ok=True)
    elif (folder / EPOCHS).exists():
        (folder / EPOCHS).rename(folder / f"unfinished-{_now()}.jsonl")


def _now() -> str:
    return datetime.datetime.now().strftime("%Y%m%d-%H%M%S")


def _new_folder(parent: Path, spec: TrialSpec) -> Path:
    name = f"{describe(spec)}-{_now()}"
    numbers = itertools.count(2)
    folder = parent / name
    while folder.exists():
        folder = parent / f"{name}-{next(numbers)}"
    return folder


def describe(spec: TrialSpec) -> str:
    """Short name of a design by what differs from the base model: `stride2`, `kernel_size7+9`."""
    base = TrialSpec()
    parts = [] if spec.data.dataset == base.data.dataset else [spec.data.dataset]
    for name in (*BLOCK_FIELDS, "hidden"):
        value = getattr(spec.network, name)
        if value != getattr(base.network, name):
            values = value if isinstance(value, tuple) else (value,)
            values = values[:1] if len(set(values)) == 1 else values
            parts.append(name + "+".join(map(str, values)))
    return "-".join(parts) or "base"
