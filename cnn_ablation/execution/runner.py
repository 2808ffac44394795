"""A study from its declaration to its report: what is missing is trained and timed, then judged."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from cnn_ablation.claims import plan
from cnn_ablation.commands.conclusion import conclude
from cnn_ablation.data import Dataset
from cnn_ablation.design.spec import NetworkSpec
from cnn_ablation.display.text import wrap
from cnn_ablation.errors import InputError
from cnn_ablation.execution import hosts
from cnn_ablation.execution.executors import Ended, Event, Executor, Task, make_executor
from cnn_ablation.execution.executors.several_hosts import HostsExecutor, require_inline
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.execution.preparing import job_of, prepare, settled
from cnn_ablation.execution.progress import StudyProgress
from cnn_ablation.execution.timing import describe_machine, timing_pass
from cnn_ablation.execution.tracking import StudyTracking
from cnn_ablation.study import Study, labels
from cnn_ablation.study.plan import StudyPlan, default_folder
from cnn_ablation.study.results import StudyResults, TrialResult
from cnn_ablation.study.store import FINISHED, Store, load_results
from cnn_ablation.study.verdicts import setting_of
from cnn_ablation.trackers import make_tracking
from cnn_ablation.training.mesh import choose_devices

__all__ = ["StudyOptions", "run_study", "train_study"]


def run_study(study: Study, options: StudyOptions) -> int:
    """Runs what is missing of a study, judges its claims, writes its report and tells of all.

    Returns:
        The exit code: 0; 3 where trials failed; 1 where `check` found an unexpected verdict.

    Raises:
        InputError: an option is not allowed, or a file in the folder is damaged.
        KeyboardInterrupt: the user stopped it; the message says how to go on.
    """
    with _trained(study, options) as (store, tracking):
        code = conclude(store.results(), store.folder, expecting=options.check)
        tracking.conclude(store.results(), store.folder / "report")
        return code


def train_study(study: Study, options: StudyOptions) -> StudyResults:
    """Runs what is missing of a study and returns all that it has found; judges nothing.

    For Python and notebooks: `study.verdicts.judge_results` and `report.answers` take what this
    returns. Called again it goes on where it was stopped, as the command does.

    Raises:
        InputError: an option is not allowed, or a file in the folder is damaged.
        KeyboardInterrupt: the user stopped it; the message says how to go on.
    """
    with _trained(study, options) as (store, _):
        return store.results()


@contextlib.contextmanager
def _trained(study: Study, options: StudyOptions) -> Iterator[tuple[Store, StudyTracking]]:
    """The study's folder, held by this process, once nothing is missing in it; and its trackers."""
    if options.timing_rounds < 0:
        raise InputError(f"--timing_rounds={options.timing_rounds}: must be 0 or more")
    trackers = make_tracking(options.tensorboard, options.mlflow)
    options = settled(options)
    declared, dataset = prepare(study, options)
    executor = _executor(declared, options, dataset)
    name = default_folder(study.name, options.training, options.data)
    folder = Path(options.workdir).expanduser() if options.workdir else Path("runs") / name
    with Store(folder, declared) as store, trackers:
        hosts.recording_in(folder)
        tracking = StudyTracking(trackers, store)
        try:
            _run(store, declared, executor, dataset, options, tracking)
        except KeyboardInterrupt:
            # From the file: the stop may have come between a line's writing and its keeping here.
            done, total = len(_finished(load_results(folder))), len(list(declared.trials()))
            raise KeyboardInterrupt(
                f"{done} of {total} trials are kept in {folder}; the same command goes on"
            ) from None
        yield store, tracking


def _run(
    store: Store,
    declared: StudyPlan,
    executor: Executor,
    dataset: Dataset,
    options: StudyOptions,
    tracking: StudyTracking,
) -> None:
    missing = _missing(store, retry_failed=options.retry_failed)
    print(_introduction(store, declared, missing, options), flush=True)
    to_time = store.rounds() < options.timing_rounds
    if missing or to_time:
        store.record_environment(declared.environment)
    tracking.start(store)
    if missing:
        _train(store, missing, executor, tracking)
    hosts.dismiss()
    if to_time:
        machine = describe_machine(declared.environment, declared.convolution)
        timing_pass(store, dataset, options.timing_rounds, machine)


def _executor(declared: StudyPlan, options: StudyOptions, dataset: Dataset) -> Executor:
    choose_devices(options.devices, len(options.seeds), options.seeds_per_device)
    job = job_of(declared, options)
    if hosts.host_count() > 1:
        require_inline(options.executor, options.workers)
        return HostsExecutor(job, dataset)
    return make_executor(options.executor, options.workers, job, dataset, options.ray_address)


def _finished(results: StudyResults) -> list[TrialResult]:
    return [trial for trial in results.trials if trial.status in FINISHED]


def _missing(store: Store, *, retry_failed: bool) -> list[tuple[NetworkSpec, int]]:
    trials = _finished(store.results()) if retry_failed else store.results().trials
    done = {(trial.network, trial.seed) for trial in trials}
    return [trial for trial in store.plan.trials() if trial not in done]


def _introduction(
    store: Store,
    declared: StudyPlan,
    missing: Sequence[tuple[NetworkSpec, int]],
    options: StudyOptions,
) -> str:
    study, seeds = declared.study, declared.seeds
    total = len(study.networks()) * len(seeds)
    setting = setting_of(store.results())
    lines = [
        f"study    {study.name}: {study.title}",
        f"device   {declared.environment['device']}; convolutions: {declared.convolution}",
        f"setting  {setting}",
        f"trials   {len(study.networks())} designs x {len(seeds)} seeds = {total}, of which "
        f"{total - len(missing)} are there",
        f"workdir  {store.folder}",
        *(f"repair   {line}" for line in store.repairs),
    ]
    claims = [claim for question in study.questions for claim in question.claims]
    for prospect in plan(claims, setting, len(seeds), options.timing_rounds or None):
        head = f"{'plan' if prospect.can_decide else 'warning':<9}"
        lines.append(wrap(prospect.sentence(), head))
    return "\n".join(lines) + "\n"


def _train(
    store: Store,
    missing: Sequence[tuple[NetworkSpec, int]],
    executor: Executor,
    tracking: StudyTracking,
) -> None:
    tasks = _tasks(store.plan, missing, executor.workers)
    with StudyProgress(tasks, labels(store.plan.study)) as progress:

        def on_event(event: Event) -> None:
            if isinstance(event, Ended):
                store.add_trial(_result(store.plan, event))
            tracking.hear(event)
            progress.hear(event)

        executor.run(tasks, on_event)


def _tasks(
    declared: StudyPlan, missing: Sequence[tuple[NetworkSpec, int]], workers: int
) -> list[Task]:
    """Blocks of one design's seeds: all of them for one worker, smaller ones for several."""
    seeds_of: dict[NetworkSpec, list[int]] = {}
    for network, seed in missing:
        seeds_of.setdefault(network, []).append(seed)
    tasks = []
    for network, seeds in seeds_of.items():
        # Two blocks a worker even out what compiling once a block costs and idle workers do.
        size = len(seeds) if workers == 1 else -(-len(seeds) // (2 * workers))
        blocks = [tuple(seeds[i : i + size]) for i in range(0, len(seeds), size)]
        tasks += [Task(declared.spec(network), block) for block in blocks]
    return tasks


def _result(declared: StudyPlan, end: Ended) -> TrialResult:
    trial_id = declared.spec(end.network).trial_id(end.seed, declared.dataset_version)
    return TrialResult(trial_id, end.network, end.seed, end.status, end.epochs, end.error)
