"""What a study and its options come to, on every host alike: the plan, the images, the job."""

import dataclasses
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax

from cnn_ablation.data import Dataset, describe_data, given_arrays
from cnn_ablation.design import DataSpec
from cnn_ablation.display.status import doing
from cnn_ablation.errors import InputError
from cnn_ablation.execution import extensions, hosts
from cnn_ablation.execution.arms import with_arms
from cnn_ablation.execution.datasets import Datasets
from cnn_ablation.execution.executors import Executor, ExecutorOptions, Job, make_executor
from cnn_ablation.execution.executors.cores import available_cores
from cnn_ablation.execution.executors.machine import own_machine
from cnn_ablation.execution.executors.options import AUTO
from cnn_ablation.execution.executors.pools import share_accelerator
from cnn_ablation.execution.executors.several_hosts import HostsExecutor, require_inline
from cnn_ablation.execution.memory import require_memory
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.execution.schedule import schedule_for, seeds_of
from cnn_ablation.network.lowerings import announce_fallbacks, choose_lowering
from cnn_ablation.study import Study, Variant, fit_images
from cnn_ablation.study.checks import check_study
from cnn_ablation.study.declaration import Images
from cnn_ablation.study.plan import DatasetFacts, Plan, default_folder
from cnn_ablation.study.resolving import require_tunable
from cnn_ablation.system import stopping
from cnn_ablation.system.clock import seconds_since_start
from cnn_ablation.system.compilation import keep_compiled_programs
from cnn_ablation.system.environment import describe_environment
from cnn_ablation.system.paths import user_path
from cnn_ablation.training.mesh import choose_devices


@dataclasses.dataclass(frozen=True)
class Prepared:
    """All that is needed before the first trial.

    Attributes:
        plan: what is declared.
        options: how it is run, the executor by its own name.
        datasets: the images, loaded.
        job: what all tasks share.
        facts: what must be the same on all hosts of a run, by the names of flags.
        seconds: wall times of the parts of preparing: `startup` of the process, `data`, and the
            `kernels`, as far as they were not built while the data were loaded.
    """

    plan: Plan
    options: StudyOptions
    datasets: Datasets
    job: Job
    facts: dict[str, object]
    seconds: dict[str, float]


def prepare(
    study: Study,
    options: StudyOptions,
    facts: dict[str, object] | None = None,
    before_loading: Callable[[], None] = lambda: None,
) -> Prepared:
    """Checks a study, loads its images, builds the kernels and fixes the plan.

    Args:
        study: the declaration.
        options: how it is run.
        facts: what must be the same on all hosts of a run, by the names of flags.
        before_loading: called once the options are known to be good, before anything slow.

    Raises:
        InputError: the declaration holds a mistake, an option is not allowed, or the images or the
            lowering cannot be had.
    """
    check_study(study)
    schedule = schedule_for(study, options)
    seeds = seeds_of(options, schedule)
    require_memory([], seeds)
    options = with_executor(options)
    study = fit_images(study, lambda variant: _images_of(variant, options))
    study, tuning = with_arms(study, options)
    if options.execution.executor != "inline":
        share_accelerator()
    compute = options.compute
    if elsewhere(options) is None:
        choose_devices(compute.devices, len(seeds), compute.seeds_per_device)
    keep_compiled_programs(compute.compilation_cache_dir)
    environment = describe_environment()
    designs = [variant.spec(options.training, options.data) for variant in study.variants]
    require_memory(designs, seeds)
    before_loading()
    stopping.check()
    datasets = Datasets(options.location, progress=hosts.is_lead())
    started = seconds_since_start()
    with ThreadPoolExecutor(1) as background:
        # The first time on a machine, kernels are built and data prepared: both at once.
        platform = elsewhere(options) or environment["backend"]
        building = background.submit(choose_lowering, compute.conv, platform)
        with doing(f"loading {options.data.title}"):
            facts_of = _load_all(study, options, datasets)
        stopping.check()
        loaded = seconds_since_start()
        with doing("building kernels"):
            lowering = building.result()
    stopping.check()
    seconds = {
        "startup": started,
        "data": loaded - started,
        "kernels": seconds_since_start() - loaded,
    }
    machine = own_machine(dataclasses.replace(compute, conv=lowering))
    environment |= {"device": machine.device, "hardware": machine.hardware}
    if elsewhere(options) is not None:
        environment |= {"device": f"{elsewhere(options)}: workers of a Ray cluster"}
    environment["convolution"] = lowering
    environment["executor"] = options.execution.executor
    if options.program:
        environment["program"] = options.program
    own = facts_of.pop(options.data)
    plan = Plan(
        study=study,
        training=options.training,
        data=options.data,
        dataset_version=own.version,
        fingerprint=own.fingerprint,
        lowering=lowering,
        seeds=tuple(seeds),
        environment=environment,
        other_datasets=facts_of,
        extensions=extensions.digests(),
        schedule=schedule,
        tuning=tuning,
    )
    require_tunable(plan)
    announce_fallbacks((spec.network for spec in plan.designs), lowering)
    return Prepared(plan, options, datasets, _job(plan, options), facts or {}, seconds)


def make_executor_of(prepared: Prepared) -> Executor:
    """The executor that the options name, on all hosts of the run where there are several.

    Raises:
        InputError: there is no such executor, or it cannot train here.
    """
    if hosts.host_count() > 1:
        require_inline(prepared.options.execution)
        return HostsExecutor(prepared.job, prepared.datasets, prepared.facts)
    return make_executor(prepared.options.execution, prepared.job, prepared.datasets)


def folder_of(study: Study, options: StudyOptions) -> Path:
    """The study's folder: the one that is named, or one under `runs/` by study and settings."""
    if options.workdir:
        return user_path("workdir", options.workdir)
    return Path("runs") / default_folder(study.name, options.training, options.data)


def with_executor(options: StudyOptions) -> StudyOptions:
    """The same options, with the executor that `auto` stands for by its name."""
    if options.execution.executor != AUTO:
        return options
    execution = dataclasses.replace(options.execution, executor=_quickest_executor(options))
    return dataclasses.replace(options, execution=execution)


def elsewhere(options: StudyOptions) -> str | None:
    """What workers compute on where that is not what this machine computes on; else None.

    Raises:
        InputError: designs are to be timed, which is done on this machine.
    """
    platform = options.execution.platform
    if platform is None or platform == jax.default_backend():
        return None
    if options.timing_rounds:
        raise InputError(
            f"--platform={platform}: needs --timing_rounds=0, for designs are timed on this "
            f"machine, which has no {platform}"
        )
    return platform


def _quickest_executor(options: StudyOptions) -> str:
    """What trains most trials a minute here; docs/speed.md has the figures.

    On a CPU of several cores that is a worker on each, for a small design does not fill two cores.
    An accelerator, and a mesh of devices, are best left to one process; who asks for several
    workers gets them. Choices that are defined in no file can be had in this process alone.
    """
    execution: ExecutorOptions = options.execution
    if hosts.host_count() > 1 or execution.workers == 1 or not extensions.are_in_files():
        return "inline"
    if execution.workers is not None:
        return "processes"
    one_cpu = jax.default_backend() == "cpu" and jax.device_count() == 1
    single = options.compute.devices in (None, 1)
    return "processes" if one_cpu and single and len(available_cores()) > 1 else "inline"


def _images_of(variant: Variant, options: StudyOptions) -> Images:
    data = options.data.replace(**variant.data) if variant.data else options.data
    return describe_data(data, options.location)


def _load_all(
    study: Study, options: StudyOptions, datasets: Datasets
) -> dict[DataSpec, DatasetFacts]:
    """Loads the images of every design; those that all share come first."""
    named = [options.data]
    named += [options.data.replace(**v.data) for v in study.variants if v.data]
    found = {}
    for data in dict.fromkeys(named):
        dataset = datasets.get(data)
        found[data] = DatasetFacts(dataset.version, dataset.fingerprint)
    return found


def _given(known: Iterable[DataSpec]) -> tuple[Dataset, ...]:
    """The datasets that workers cannot find by themselves, each once."""
    found = {data.dataset: given_arrays(data.dataset) for data in known}
    return tuple(dataset for dataset in found.values() if dataset is not None)


def _job(plan: Plan, options: StudyOptions) -> Job:
    inline = options.execution.executor == "inline"
    # Workers side by side must not each take every device.
    devices = options.compute.devices or (None if inline else 1)
    known = {plan.data: plan.fingerprint}
    known |= {data: facts.fingerprint for data, facts in plan.other_datasets.items()}
    return Job(
        compute=dataclasses.replace(options.compute, conv=plan.lowering, devices=devices),
        # A worker may be somewhere else, where a dataset's relative path means nothing.
        location=dataclasses.replace(options.location, folder=str(Path.cwd())),
        fingerprints=tuple(known.items()),
        extensions=() if inline else extensions.extensions(),
        datasets=() if inline else _given(known),
    )
