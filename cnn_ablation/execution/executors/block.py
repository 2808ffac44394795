"""One task, trained where it is called: the part that all executors share."""

from collections.abc import Sequence
from pathlib import Path

from cnn_ablation.data import Dataset, use_dataset
from cnn_ablation.design import TrialSpec
from cnn_ablation.errors import InputError
from cnn_ablation.execution import extensions, hosts
from cnn_ablation.execution.datasets import Datasets
from cnn_ablation.execution.executors.interface import (
    Began,
    Compiled,
    Ended,
    EpochEnded,
    Job,
    OnEvent,
    Task,
)
from cnn_ablation.models.files import save
from cnn_ablation.models.names import model_path
from cnn_ablation.system import stopping
from cnn_ablation.system.compilation import keep_compiled_programs
from cnn_ablation.training.mesh import choose_devices
from cnn_ablation.training.records import EpochRecord, TrialRecord
from cnn_ablation.training.trainer import Trainer


def datasets_for(job: Job) -> Datasets:
    """What a worker elsewhere does before its first task: keeps programs, loads the images.

    Raises:
        InputError: the images cannot be had here, or are not those of the study.
    """
    for extension in job.extensions:
        extensions.load(extension)
    for dataset in job.datasets:
        use_dataset(dataset)
    keep_compiled_programs(job.compute.compilation_cache_dir)
    datasets = Datasets(job.location)
    for data, fingerprint in job.fingerprints:
        if datasets.get(data).fingerprint != fingerprint:
            raise InputError(f"its {data.dataset} differs from the study's")
    return datasets


def train_block(task: Task, datasets: Datasets, job: Job, on_event: OnEvent) -> None:
    """Trains a task's seeds in order and tells of each; whatever a trial raises is its own end."""
    spec, seeds = task.spec, list(task.seeds)
    _begin(spec, seeds[:1], on_event)
    try:
        trainer = Trainer(
            spec,
            datasets.get(spec.data),
            job.compute,
            devices=choose_devices(job.compute.devices, len(seeds), job.compute.seeds_per_device),
            num_seeds=len(seeds),
        )
    except Exception as error:
        # A stop that was raised in a callback of JAX's is no failure of the trial.
        stopping.check()
        _fail(spec, seeds, error, on_event)
        return
    on_event(Compiled(spec, seeds[0], trainer.lowering, trainer.compile_seconds))
    for start in range(0, len(seeds), trainer.seeds_at_once):
        together = seeds[start : start + trainer.seeds_at_once]
        _begin(spec, together if start else together[1:], on_event)
        _train(trainer, together, datasets.get(spec.data), job, on_event)


def _train(
    trainer: Trainer, seeds: Sequence[int], dataset: Dataset, job: Job, on_event: OnEvent
) -> None:
    spec = trainer.spec

    raised: list[Exception] = []

    def on_epoch(seed: int, record: EpochRecord) -> None:
        try:
            on_event(EpochEnded(spec, seed, record))
        except Exception as error:
            raised.append(error)
            raise

    try:
        trials = trainer.train_together(seeds, on_epoch)
    except Exception as error:
        # Who listens could not: a disk is full, say, or output is cut off. The trial is well.
        if raised:
            raise
        stopping.check()
        _fail(spec, seeds, error, on_event)
        return
    for trial in trials:
        if job.models is not None and hosts.is_lead() and trial.record.status == "completed":
            # Before anybody hears of its end: a trial that is there has its model.
            save(model_path(Path(job.models), trial.record.seed), trial, dataset)
        on_event(Ended(trial.record))


def _begin(spec: TrialSpec, seeds: Sequence[int], on_event: OnEvent) -> None:
    for seed in seeds:
        on_event(Began(spec, seed))


def _fail(spec: TrialSpec, seeds: Sequence[int], error: Exception, on_event: OnEvent) -> None:
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}"[:500] if lines else type(error).__name__
    for seed in seeds:
        on_event(Ended(TrialRecord(spec, seed, "failed", error=text)))
