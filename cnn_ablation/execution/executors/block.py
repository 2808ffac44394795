"""One task, trained where it is called: the part that all executors share."""

from collections.abc import Sequence
from pathlib import Path

from cnn_ablation.data import use_dataset
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
from cnn_ablation.execution.executors.machine import own_machine
from cnn_ablation.models.files import save
from cnn_ablation.models.names import model_path
from cnn_ablation.system import stopping
from cnn_ablation.system.compilation import keep_compiled_programs
from cnn_ablation.system.hardware import Machine
from cnn_ablation.training.mesh import choose_devices
from cnn_ablation.training.records import EpochRecord, TrialRecord
from cnn_ablation.training.trainer import TrainedTrial, Trainer


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


def train_block(
    task: Task,
    datasets: Datasets,
    job: Job,
    on_event: OnEvent,
    machines: Sequence[Machine] = (),
) -> None:
    """Trains a task's seeds in order and tells of each; whatever a trial raises is its own end.

    Args:
        task: what to train.
        datasets: the images.
        job: what all tasks share.
        on_event: hears of everything.
        machines: the machines of all hosts, by their numbers; none is this process alone.
    """
    spec, seeds = task.spec, list(task.seeds)
    machines = machines or (own_machine(job.compute),)
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
        _fail(spec, seeds, error, Machine.of_all(machines), on_event)
        return
    compiled = (spec, seeds[0], trainer.lowering, trainer.compile_seconds)
    on_event(Compiled(*compiled, tuple(machines)))
    for start in range(0, len(seeds), trainer.seeds_at_once):
        together = seeds[start : start + trainer.seeds_at_once]
        _begin(spec, together if start else together[1:], on_event)
        for trial in _train(trainer, together, machines, on_event):
            record, row = trial.record, together.index(trial.record.seed)
            if job.models is not None and hosts.is_lead() and record.status == "completed":
                # Before anybody hears of its end: a trial that is there has its model.
                path = model_path(Path(job.models), record.seed)
                save(path, trial, datasets.get(spec.data))
            on_event(Ended(record, _machine_of(row, trainer, machines)))


def _machine_of(row: int, trainer: Trainer, machines: Sequence[Machine]) -> Machine:
    """What one of the seeds that are trained together is trained on."""
    if len(machines) == 1:
        return machines[0]
    return Machine.of_all([machines[number] for number in trainer.processes_of(row)])


def _train(
    trainer: Trainer, seeds: Sequence[int], machines: Sequence[Machine], on_event: OnEvent
) -> Sequence[TrainedTrial]:
    """The trials of some seeds; none where they failed, which was told."""
    spec = trainer.spec
    raised: list[Exception] = []

    def on_epoch(seed: int, record: EpochRecord) -> None:
        try:
            on_event(EpochEnded(spec, seed, record))
        except Exception as error:
            raised.append(error)
            raise

    try:
        return trainer.train_together(seeds, on_epoch)
    except Exception as error:
        # Who listens could not: a disk is full, say, or output is cut off. The trial is well.
        if raised:
            raise
        stopping.check()
        _fail(spec, seeds, error, Machine.of_all(machines), on_event)
        return ()


def _begin(spec: TrialSpec, seeds: Sequence[int], on_event: OnEvent) -> None:
    for seed in seeds:
        on_event(Began(spec, seed))


def _fail(
    spec: TrialSpec, seeds: Sequence[int], error: Exception, machine: Machine, on_event: OnEvent
) -> None:
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}"[:500] if lines else type(error).__name__
    for seed in seeds:
        on_event(Ended(TrialRecord(spec, seed, "failed", error=text), machine))
