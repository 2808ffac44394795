"""What a study will take: wall time by part, and bytes on the disk, from what one epoch took.

Pure arithmetic: `dry_run` takes the measurements.
"""

import dataclasses
import heapq
import json
from collections.abc import Mapping, Sequence

import numpy as np

from cnn_ablation.design import TrialSpec
from cnn_ablation.execution.executors.interface import Task
from cnn_ablation.execution.executors.pools import costliest_first
from cnn_ablation.system.correctness import Correctness
from cnn_ablation.training.records import EpochRecord, TrialRecord

# Judging and drawing of a question's page, seconds and bytes: measured on the notebook's four.
SECONDS_A_QUESTION = 1.6
BYTES_A_QUESTION = 700_000
# Bytes of a design's times in a line of a timing round, beside its spec.
_BYTES_A_TIME = 90
# Bytes of what a trial's line says beside its record: ids, labels, hardware, checksum.
_BYTES_BESIDE = 380


@dataclasses.dataclass(frozen=True)
class Pace:
    """What one design takes where trials run.

    Attributes:
        epoch_seconds: one epoch of training with its evaluation.
        load_seconds: making its programs ready, compiled before.
    """

    epoch_seconds: float
    load_seconds: float


@dataclasses.dataclass(frozen=True)
class Forecast:
    """Wall times of a study's parts in seconds, and bytes that it will write.

    Attributes:
        timing: the rounds of the timing pass that are missing.
        report: judging and drawing.
        size: bytes of trials, times and report.
        startup: from the command to the first task.
        training: all trials that are missing.
    """

    timing: float
    report: float
    size: int
    startup: float = 0.0
    training: float = 0.0

    @property
    def seconds(self) -> float:
        """The whole wall time."""
        return self.startup + self.training + self.timing + self.report


def training_seconds(
    tasks: Sequence[Task], workers: int, paces: Mapping[TrialSpec, Pace], start_seconds: float
) -> float:
    """Wall time of tasks on so many workers that each take the next when they are free.

    Args:
        tasks: what is trained.
        workers: how many work side by side.
        paces: what each design takes there.
        start_seconds: what a worker needs before its first task; 0 for one that is there.
    """
    if not tasks:
        return 0.0
    free_at = [start_seconds] * min(workers, len(tasks))
    for task in costliest_first(tasks):
        pace, epochs = paces[task.spec], task.spec.training.epochs
        seconds = pace.load_seconds + len(task.seeds) * epochs * pace.epoch_seconds
        heapq.heapreplace(free_at, free_at[0] + seconds)
    return max(free_at)


def timing_seconds(
    paces: Mapping[TrialSpec, Pace], designs: Sequence[TrialSpec], rounds: int, share: float
) -> float:
    """Wall time of rounds of the timing pass and their warm-up.

    Args:
        paces: what each design takes where trials run.
        designs: those that are timed.
        rounds: rounds that are missing.
        share: what an epoch takes alone on the device, as a share of that where trials run.
    """
    if not rounds:
        return 0.0
    warm_up = sum(paces[spec].load_seconds for spec in designs)
    return warm_up + (rounds + 1) * share * sum(paces[spec].epoch_seconds for spec in designs)


def stored_bytes(
    missing: Sequence[tuple[TrialSpec, int]], tests: Mapping[TrialSpec, int], rounds: int
) -> int:
    """Bytes that trials and times will take as lines of JSON.

    Args:
        missing: the trials.
        tests: test images of each design.
        rounds: rounds of the timing pass that are missing; each times the designs of `tests`.
    """
    lines = {spec: _line_bytes(spec, images) for spec, images in tests.items()}
    times = sum(len(json.dumps(spec.to_json())) + _BYTES_A_TIME for spec in tests)
    return sum(lines[spec] for spec, _ in missing) + rounds * times


def _line_bytes(spec: TrialSpec, images: int) -> int:
    """Bytes of a trial's line: that of a made-up trial with figures of the usual length."""
    digits = 0.123456789012345
    epochs = [EpochRecord(n, *[digits] * 6) for n in range(1, min(spec.training.epochs, 2) + 1)]
    correct = Correctness.of(np.zeros(images, np.bool_))
    record = TrialRecord(spec, 0, "completed", tuple(epochs), test_correct=correct)
    an_epoch = len(json.dumps(vars(epochs[0])))
    more = (spec.training.epochs - len(epochs)) * an_epoch
    return len(json.dumps(record.to_json())) + more + _BYTES_BESIDE
