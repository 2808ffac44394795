"""One task, trained where it is called: the part that all executors share."""

from collections.abc import Sequence

from cnn_ablation.data import Dataset, load_data
from cnn_ablation.design.spec import NetworkSpec
from cnn_ablation.execution.executors.interface import Began, Ended, EpochEnded, Job, OnEvent, Task
from cnn_ablation.system.compilation import keep_compiled_programs
from cnn_ablation.training.mesh import choose_devices
from cnn_ablation.training.records import EpochRecord
from cnn_ablation.training.trainer import Trainer


def load_for(job: Job) -> Dataset:
    """What a worker elsewhere does before its first task: keeps programs, loads the images.

    Raises:
        InputError: the images cannot be had here.
    """
    keep_compiled_programs(job.compilation_cache_dir)
    return load_data(job.data, data_dir=job.data_dir, manual_dir=job.manual_dir)


def train_block(task: Task, dataset: Dataset, job: Job, on_event: OnEvent) -> None:
    """Trains a task's seeds in order and tells of each; whatever a trial raises is its own end."""
    network, seeds = task.spec.network, list(task.seeds)
    _begin(network, seeds[:1], on_event)
    try:
        trainer = Trainer(
            task.spec,
            dataset,
            conv=job.conv,
            devices=choose_devices(job.devices, len(seeds), job.seeds_per_device),
            num_seeds=len(seeds),
            seeds_per_device=job.seeds_per_device,
        )
    except Exception as error:
        _fail(network, seeds, error, on_event)
        return
    for start in range(0, len(seeds), trainer.seeds_at_once):
        together = seeds[start : start + trainer.seeds_at_once]
        _begin(network, together if start else together[1:], on_event)
        _train(trainer, together, on_event)


def _train(trainer: Trainer, seeds: Sequence[int], on_event: OnEvent) -> None:
    network = trainer.spec.network

    def on_epoch(seed: int, record: EpochRecord) -> None:
        on_event(EpochEnded(network, seed, record))

    try:
        trials = trainer.train_together(seeds, on_epoch)
    except BrokenPipeError:
        raise
    except Exception as error:
        _fail(network, seeds, error, on_event)
        return
    for trial in trials:
        record = trial.record
        on_event(Ended(network, record.seed, record.status, record.epochs))


def _begin(network: NetworkSpec, seeds: Sequence[int], on_event: OnEvent) -> None:
    for seed in seeds:
        on_event(Began(network, seed))


def _fail(network: NetworkSpec, seeds: Sequence[int], error: Exception, on_event: OnEvent) -> None:
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}"[:500] if lines else type(error).__name__
    for seed in seeds:
        on_event(Ended(network, seed, "failed", error=text))
