"""Runs and studies that commands are given by their folders, read alike."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnn_ablation.commands.replacing import METRICS
from cnn_ablation.commands.workdir import OLDER_METRICS
from cnn_ablation.design import TrialSpec
from cnn_ablation.errors import InputError
from cnn_ablation.study.plan import Plan
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.single import study_of
from cnn_ablation.study.store import STUDY, load_results
from cnn_ablation.system.paths import user_path
from cnn_ablation.system.stored import get, parse_object, unseal
from cnn_ablation.training.records import TrialRecord


@dataclasses.dataclass(frozen=True)
class Run:
    """A run or study.

    Attributes:
        name: what the user called it, or as much of it as tells it from the others.
        folder: its folder.
        results: what is in it.
    """

    name: str
    folder: Path
    results: StudyResults


def read_runs(given: Sequence[str]) -> list[Run]:
    """Reads the folders that a command names; a file in one stands for its folder.

    Raises:
        InputError: one holds no run, or is damaged.
    """
    folders = [_folder(one) for one in given]
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [str(folder) for folder in folders]
    if len(set(names)) < len(names):
        raise InputError(f"RUN={given[0]}: is named twice")
    return [Run(n, f, read_run(f)) for n, f in zip(names, folders, strict=True)]


def read_run(folder: Path) -> StudyResults:
    """What a folder of a study, or of one design's run, holds.

    Raises:
        InputError: it holds none, or a file in it is damaged.
    """
    if (folder / STUDY).exists():
        return load_results(folder)
    if (folder / METRICS).exists():
        return _read_metrics(folder / METRICS)
    raise InputError(f"{folder}: holds no run: neither {STUDY} nor {METRICS} is there")


def _folder(given: str) -> Path:
    path = user_path("run", given)
    if path.is_file() and path.name in (STUDY, METRICS):
        return path.parent
    if not path.is_dir():
        raise InputError(f"{given}: must be the folder of a run or study")
    return path


def _read_metrics(path: Path) -> StudyResults:
    """A run of which only the metrics are there, as version 0.1 left it."""
    try:
        document = unseal(parse_object(path.read_bytes()), OLDER_METRICS)
        spec = TrialSpec.from_json(get(document, "spec", dict))
        trials = tuple(TrialRecord.from_json(run, spec) for run in get(document, "runs", list))
        dataset: Mapping[str, Any] = get(document, "dataset", dict)
        plan = Plan(
            study=study_of(spec),
            training=spec.training,
            data=spec.data,
            dataset_version=get(dataset, "version", str),
            fingerprint=get(dataset, "fingerprint", str),
            lowering=str(document.get("environment", {}).get("convolution", "")),
            seeds=tuple(trial.seed for trial in trials),
            environment=get(document, "environment", dict),
        )
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except InputError as error:
        raise InputError(f"{path}: is damaged ({error})") from None
    return StudyResults(plan, trials, ())
