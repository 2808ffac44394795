"""What a study and its options come to, on every host alike: the plan, the images, the job."""

import dataclasses

import jax

from cnn_ablation.data import Dataset, describe_dataset, load_data
from cnn_ablation.execution import hosts
from cnn_ablation.execution.executors import Job
from cnn_ablation.execution.executors.cores import available_cores
from cnn_ablation.execution.executors.pooling import share_accelerator
from cnn_ablation.execution.options import AUTO, StudyOptions
from cnn_ablation.network.lowerings import resolve_form
from cnn_ablation.study import Study, add_controls, for_images
from cnn_ablation.study.plan import StudyPlan
from cnn_ablation.system.compilation import keep_compiled_programs
from cnn_ablation.system.environment import describe_device, describe_environment


def settled(options: StudyOptions) -> StudyOptions:
    """The same options, with the executor that `auto` stands for by its name."""
    if options.executor != AUTO:
        return options
    return dataclasses.replace(options, executor=_quickest_executor(options))


def _quickest_executor(options: StudyOptions) -> str:
    """What trains most trials a minute here; README.md has the figures.

    On a CPU of several cores that is a worker on each, for a small design does not fill two cores.
    An accelerator, and a mesh of devices, are best left to one process; who asks for several
    workers gets them.
    """
    if hosts.host_count() > 1 or options.workers == 1:
        return "inline"
    if options.workers is not None:
        return "processes"
    one_cpu = jax.default_backend() == "cpu" and jax.device_count() == 1
    several_cores = one_cpu and options.devices in (None, 1) and len(available_cores()) > 1
    return "processes" if several_cores else "inline"


def prepare(study: Study, options: StudyOptions) -> tuple[StudyPlan, Dataset]:
    """The plan that the options make of a study, and its images.

    Raises:
        InputError: an option is not allowed.
    """
    study = for_images(study, *describe_dataset(options.data.dataset, options.data_dir))
    if options.controls:
        study = add_controls(study)
    if options.executor != "inline":
        share_accelerator()
    keep_compiled_programs(options.compilation_cache_dir)
    dataset = load_data(
        options.data,
        data_dir=options.data_dir,
        manual_dir=options.manual_dir,
        progress=hosts.is_lead(),
    )
    return _plan(study, options, dataset), dataset


def job_of(declared: StudyPlan, options: StudyOptions) -> Job:
    """What all tasks of a plan share."""
    return Job(
        data=options.data,
        conv=declared.convolution,
        # Workers side by side must not each take every device.
        devices=options.devices or (None if options.executor == "inline" else 1),
        seeds_per_device=options.seeds_per_device,
        data_dir=options.data_dir,
        manual_dir=options.manual_dir,
        compilation_cache_dir=options.compilation_cache_dir,
    )


def _plan(study: Study, options: StudyOptions, dataset: Dataset) -> StudyPlan:
    environment = describe_environment()
    form = resolve_form(options.conv, environment["backend"])
    environment["device"] = describe_device(environment)
    environment["convolution"] = form
    environment["executor"] = options.executor
    return StudyPlan(
        study=study,
        training=options.training,
        data=options.data,
        dataset_version=dataset.version,
        fingerprint=dataset.fingerprint,
        convolution=form,
        seeds=tuple(options.seeds),
        environment=environment,
    )
