"""TensorBoard's event files, written by TensorBoard's own code and without TensorFlow.

tensorboard/                  what it runs on; of a study, the verdicts in the end
tensorboard/LABEL/            a design's layers and options; of a single design these are above
tensorboard/LABEL/seed_SEED/  one trial: scalars by epoch, and a row of the table of HPARAMS

TensorBoard's `EventFileWriter` imports TensorFlow where there is one (tensorboard/compat), which
takes seconds and, beside JAX, a GPU's memory. What it is made of does not: `RecordWriter` and the
protocol buffers, put to work here. Each event is one write, so what a kill leaves can be read.
"""

import itertools
import os
import re
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.hparams.api_pb2 import Status
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.record_writer import RecordWriter

from cnn_ablation.design.words import short_name
from cnn_ablation.errors import InputError
from cnn_ablation.trackers.description import (
    bullet_list,
    flat,
    layer_table,
    options_of,
    value_table,
)
from cnn_ablation.trackers.files import EVENT_FILES, TENSORBOARD
from cnn_ablation.trackers.interface import Run, TrackedTrial
from cnn_ablation.training.records import EpochRecord

# TensorBoard makes a section of its page of all tags with the same first part.
TAGS = {
    "accuracy/test": "test_accuracy",
    "accuracy/train": "train_accuracy",
    "loss/test": "test_loss",
    "loss/train": "train_loss",
    "seconds/eval": "eval_seconds",
    "seconds/train": "train_seconds",
}
_NO_FILE_NAME = re.compile(r'[/\\:*?"<>|%\x00-\x1f]|^\.')


class TensorBoardTracker:
    """Writes a run's event files into its workdir; `tensorboard --logdir WORKDIR` shows them."""

    flag = "--tensorboard"

    def __init__(self) -> None:
        self._root = Path()
        self._described: set[str] = set()
        self._open: dict[str, _EventFile] = {}

    def start(self, run: Run) -> None:
        """Makes the folder and writes down what the run runs on.

        Raises:
            InputError: the folder cannot be written.
        """
        self._root = run.files / TENSORBOARD
        try:
            _clear(self._root)
            environment = value_table("environment", flat(run.environment))
            _write_texts(self._root, {"run": run.title, "environment": environment})
        except OSError as error:
            raise InputError(f"{self._root}: cannot be written ({error.strerror})") from None

    def holds(self, trial: TrackedTrial) -> bool:
        """Whether a trial's event file has its end."""
        end = hparams_metadata.SESSION_END_INFO_TAG.encode()
        return any(end in file.read_bytes() for file in _event_files(self._folder(trial)))

    def begin(self, trial: TrackedTrial) -> None:
        """Opens a trial's event file in the place of any that is there."""
        self._describe(trial)
        self._leave(trial)
        _clear(self._folder(trial))
        events = self._open[trial.trial_id] = _EventFile(self._folder(trial))
        # Trials of one group are shown as one row, their figures averaged: a row is a design.
        group = trial.label or short_name(trial.spec)
        events.add(hparams_pb(options_of(trial.spec), trial_id=group))

    def log_epoch(self, trial: TrackedTrial, record: EpochRecord) -> None:
        """Writes an epoch's figures, which TensorBoard keeps as float32."""
        values = [
            Summary.Value(tag=tag, simple_value=getattr(record, name)) for tag, name in TAGS.items()
        ]
        self._open[trial.trial_id].add(Summary(value=values), step=record.epoch)

    def end(self, trial: TrackedTrial, status: str, error: str | None) -> None:
        """Writes how a trial ended; one that failed has no end, since it may run again."""
        events = self._open[trial.trial_id]
        if status == "failed":
            events.add(text_pb("error", str(error)))
        else:
            events.add(_session_end(completed=status == "completed"))
        self._leave(trial)

    def conclude(self, verdicts: Sequence[str], documents: Sequence[Path]) -> None:
        """Writes the verdicts."""
        if verdicts:
            _write_texts(self._root, {"verdicts": bullet_list(verdicts)})

    def close(self, *, completed: bool) -> None:
        """Closes what is open."""
        for events in self._open.values():
            events.close()

    def _describe(self, trial: TrackedTrial) -> None:
        if trial.label in self._described:
            return
        self._described.add(trial.label)
        folder = self._folder(trial).parent
        if folder != self._root:
            _clear(folder)
        options = value_table("option", options_of(trial.spec))
        _write_texts(folder, {"layers": layer_table(trial.spec.network), "options": options})

    def _folder(self, trial: TrackedTrial) -> Path:
        return self._root / _file_name(trial.label) / f"seed_{trial.seed}"

    def _leave(self, trial: TrackedTrial) -> None:
        if trial.trial_id in self._open:
            self._open.pop(trial.trial_id).close()


class _EventFile:
    """A new event file; each event is with the operating system once `add` returns."""

    _numbers = itertools.count()

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads a folder's files in the order of their names.
        origin = f"{socket.gethostname()}.{os.getpid()}.{next(self._numbers):06d}"
        path = folder / f"{EVENT_FILES}{int(time.time()):010d}.{origin}"
        self._records = RecordWriter(path.open("xb", buffering=0))
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))

    def add(self, summary: Summary, step: int = 0) -> None:
        self._write(Event(wall_time=time.time(), step=step, summary=summary))

    def close(self) -> None:
        self._records.close()

    def _write(self, event: Event) -> None:
        self._records.write(event.SerializeToString())


def _write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    events = _EventFile(folder)
    for tag, text in texts.items():
        events.add(text_pb(tag, text))
    events.close()


def _session_end(*, completed: bool) -> Summary:
    """The event that ends a trial for the HPARAMS page."""
    status = Status.Value("STATUS_SUCCESS" if completed else "STATUS_FAILURE")
    end = SessionEndInfo(status=status, end_time_secs=time.time())
    value = Summary.Value(
        tag=hparams_metadata.SESSION_END_INFO_TAG,
        metadata=hparams_metadata.create_summary_metadata(HParamsPluginData(session_end_info=end)),
        tensor=hparams_metadata.NULL_TENSOR,
    )
    return Summary(value=[value])


def _event_files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{EVENT_FILES}*"))


def _clear(folder: Path) -> None:
    """Removes a folder's own event files, not those of the folders in it."""
    for file in _event_files(folder):
        file.unlink()


def _file_name(label: str) -> str:
    """A label as a folder's name; different labels have different names."""
    return _NO_FILE_NAME.sub(lambda found: f"%{ord(found[0]):02x}", label)
