"""A study from its declaration to its last trial: what is missing is trained, timed and kept."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cnn_ablation.claims.words import plural
from cnn_ablation.data import Dataset, use_dataset
from cnn_ablation.design import TrialSpec
from cnn_ablation.display.text import wrap
from cnn_ablation.errors import InputError, PeerLostError
from cnn_ablation.execution import extensions, hosts
from cnn_ablation.execution.executors import Ended, Event, Executor, Task
from cnn_ablation.execution.executors.several_hosts import follow_tasks
from cnn_ablation.execution.introduction import introduction
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.execution.preparing import Prepared, folder_of, make_executor_of, prepare
from cnn_ablation.execution.progress import StudyProgress
from cnn_ablation.execution.shared_rounds import SharedRounds
from cnn_ablation.execution.timing import describe_machine, timing_pass
from cnn_ablation.execution.tracking import TrialTracking
from cnn_ablation.study import Study
from cnn_ablation.study.plan import Plan
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.sequence import look_line, missing_evaluations, missing_trials
from cnn_ablation.study.store import Store, load_results
from cnn_ablation.study.tuning_words import tuning_line
from cnn_ablation.study.verdicts import judge_results
from cnn_ablation.trackers import make_tracking

Listener = Callable[[Event], None]


@dataclasses.dataclass(frozen=True)
class Session:
    """A study's folder, held by this process, and what is needed to fill it.

    Attributes:
        prepared: the plan, the images and the job.
        store: the folder.
        executor: trains.
        tracking: tells the trackers.
    """

    prepared: Prepared
    store: Store
    executor: Executor
    tracking: TrialTracking

    @property
    def options(self) -> StudyOptions:
        """How the study is run."""
        return self.prepared.options

    def missing(self) -> list[tuple[TrialSpec, int]]:
        """The trials that are needed and not there; with `retry_failed` those that failed too."""
        return missing_trials(self.store.results(), retry_failed=self.options.retry_failed)

    def train(
        self, missing: Sequence[tuple[TrialSpec, int]], listeners: Sequence[Listener] = ()
    ) -> None:
        """Trains trials; each is kept before anybody hears of its end."""
        # What is trained again for its model alone stays what it was.
        there = {(t.spec, t.seed) for t in self.store.results().trials if t.finished}

        def on_event(event: Event) -> None:
            if isinstance(event, Ended) and (event.spec, event.seed) not in there:
                self.store.add_trial(event.record)
            self.tracking.on_event(event)
            for listener in listeners:
                listener(event)

        if missing:
            self.executor.run(blocks_of(missing, self.executor.workers), on_event)


@contextlib.contextmanager
def open_session(
    study: Study,
    options: StudyOptions,
    *,
    facts: dict[str, object] | None = None,
    choose_folder: Callable[[], Path] | None = None,
    going_on: Callable[[], str] = lambda: "the same command goes on",
) -> Iterator[Session]:
    """Prepares a study and holds its folder; Ctrl-C then says what is kept.

    Args:
        study: the declaration.
        options: how it is run.
        facts: what must be the same on all hosts of a run, by the names of flags.
        choose_folder: chooses the folder before anything slow, and holds it for this process; None
            is what the options say.
        going_on: says, when the user has stopped it, how to go on.

    Raises:
        InputError: an option is not allowed, or a file in the folder is damaged.
        KeyboardInterrupt: the user stopped it; the message says how to go on.
    """
    if extensions.is_loading():
        raise extensions.ExtensionLoaded
    trackers = make_tracking(options.trackers)
    folder = folder_of(study, options)

    def choose() -> None:
        nonlocal folder
        if choose_folder is not None:
            folder = choose_folder()

    prepared = prepare(study, options, facts, before_loading=choose)
    if options.save_params:
        job = dataclasses.replace(prepared.job, models=str(folder.resolve()))
        prepared = dataclasses.replace(prepared, job=job)
    executor = make_executor_of(prepared)
    held = choose_folder is not None
    store = Store(folder, prepared.plan, held=held, rounds=options.timing_rounds)
    with store, trackers:
        _require_hardware(store, prepared)
        hosts.recording_in(folder)
        tracking = TrialTracking(trackers, store)
        try:
            yield Session(prepared, store, executor, tracking)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"{_kept(folder, prepared.plan)}; {going_on()}") from None
        except PeerLostError as lost:
            raise PeerLostError(f"{lost}; {_kept(folder, prepared.plan)}; {going_on()}") from None


def _require_hardware(store: Store, prepared: Prepared) -> None:
    """Says, or refuses where that was asked for, that trials of other hardware are there.

    Raises:
        InputError: `--same_hardware`, and trials are missing.
    """
    now = prepared.plan.environment["hardware"]
    others = store.other_hardware(now)
    if not others or not missing_trials(store.results()):
        return
    found = "; ".join(f"{count} with {what}" for what, count in others.items())
    mixed = f"{plural(sum(others.values()), 'trial')} were trained on other hardware ({found})"
    if prepared.options.compute.same_hardware:
        raise InputError(f"--same_hardware: {mixed}; name another --workdir, or leave it out")
    if hosts.is_lead():
        print(wrap(f"{mixed}: last bits of these and the new ones differ", "mixed    "))


@contextlib.contextmanager
def trained_session(study: Study, options: StudyOptions) -> Iterator[Session]:
    """A session in which nothing is missing any more: trials are trained, designs timed.

    Raises:
        InputError: an option is not allowed, or a file in the folder is damaged.
        KeyboardInterrupt: the user stopped it; the message says how to go on.
    """
    with open_session(study, options) as session:
        store, plan = session.store, session.prepared.plan
        missing, results = session.missing(), store.results()
        evaluations = missing_evaluations(results, retry_failed=options.retry_failed)
        print(introduction(store, len(evaluations), results.plan, options), flush=True)
        to_time = store.rounds() < options.timing_rounds
        if missing or to_time:
            store.record_environment(plan.environment)
        session.tracking.start(store)
        while missing:
            with StudyProgress(blocks_of(missing, 1), store.resolved) as progress:
                session.train(missing, [progress.on_event])
            # Trials that have failed again are not retried within a run.
            is_tuning = missing[0][0] in store.resolved.tried
            results = store.results()
            missing = missing_trials(results)
            if is_tuning:
                print(wrap(tuning_line(results), "tuning   "), flush=True)
            elif plan.schedule is not None:
                print(f"look     {look_line(results)}", flush=True)
                store.record_judgement(judge_results(results, intervals=False))
        hosts.dismiss()
        if to_time:
            machine = describe_machine(plan.environment, plan.lowering)
            shared = _shared_rounds(machine, plan, options)
            timing_pass(store, session.prepared.datasets, options.timing_rounds, machine, shared)
        yield session


def _shared_rounds(
    machine: Mapping[str, Any], plan: Plan, options: StudyOptions
) -> SharedRounds | None:
    """The rounds of all studies on this machine, if they are wanted and can be had."""
    if not options.share_timings:
        return None
    with contextlib.suppress(InputError):
        return SharedRounds(machine, plan.environment.get("git_revision"))
    return None


def train_study(
    study: Study, options: StudyOptions | None = None, *, dataset: Dataset | None = None
) -> StudyResults:
    """Runs what is missing of a study and returns all that it has found; judges nothing.

    For Python and notebooks: `study.verdicts.judge_results` and `report.answers` take what this
    returns. Called again it goes on where it was stopped, as the command does.

    Args:
        study: the declaration.
        options: how it is run.
        dataset: images of your own to train and test on, in the place of those that the options
            name; every executor gives them to its workers.

    Raises:
        InputError: an option is not allowed, or a file in the folder is damaged.
        KeyboardInterrupt: the user stopped it; the message says how to go on.
    """
    options = options or StudyOptions()
    if dataset is not None:
        data = options.data.replace(dataset=use_dataset(dataset))
        options = dataclasses.replace(options, data=data)
    with trained_session(study, options) as session:
        return session.store.results()


def follow_study(
    study: Study, options: StudyOptions, facts: dict[str, object] | None = None
) -> None:
    """On all hosts but host 0: trains this host's part of what host 0 finds missing.

    Raises:
        InputError: an option is not allowed, or is not what host 0 was given.
    """
    prepared = prepare(study, options, facts)
    follow_tasks(prepared.job, prepared.datasets, prepared.facts)


def blocks_of(missing: Sequence[tuple[TrialSpec, int]], workers: int) -> list[Task]:
    """Blocks of one design's seeds: all of them for one worker, smaller ones for several."""
    seeds_of: dict[TrialSpec, list[int]] = {}
    for spec, seed in missing:
        seeds_of.setdefault(spec, []).append(seed)
    tasks = []
    for spec, seeds in seeds_of.items():
        # Two blocks a worker even out what compiling once a block costs and idle workers do.
        size = len(seeds) if workers == 1 else -(-len(seeds) // (2 * workers))
        tasks += [Task(spec, tuple(seeds[i : i + size])) for i in range(0, len(seeds), size)]
    return tasks


def _kept(folder: Path, plan: Plan) -> str:
    # From the file: the stop may have come between a line's writing and its keeping in memory.
    results = load_results(folder)
    tuning = results.tuning
    done = sum(trial.finished for trial in results.trials)
    most, count = "" if plan.schedule is None else "at most ", len(list(results.plan.trials()))
    if tuning is not None:
        done += sum(trial.finished for trial in tuning.trials)
        most = most or ("at least " if results.plan.open_variants else "")
        count += len(tuning.needed)
    total = f"{most}{count}"
    return f"{done} of {total} trials are kept in {folder}"
