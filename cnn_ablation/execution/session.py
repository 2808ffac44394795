"""A study from its declaration to its last trial: what is missing is trained, timed and kept."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cnn_ablation.data import Dataset, use_dataset
from cnn_ablation.design import TrialSpec
from cnn_ablation.display.text import wrap
from cnn_ablation.errors import InputError, PeerLostError
from cnn_ablation.execution import extensions, hosts
from cnn_ablation.execution.blocks import blocks_of, together
from cnn_ablation.execution.executors import Compiled, Ended, Event, Executor
from cnn_ablation.execution.executors.several_hosts import follow_tasks
from cnn_ablation.execution.introduction import introduction
from cnn_ablation.execution.mixing import Mixing
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
        mixing: compares what trains with what has trained.
    """

    prepared: Prepared
    store: Store
    executor: Executor
    tracking: TrialTracking
    mixing: Mixing

    @property
    def options(self) -> StudyOptions:
        """How the study is run."""
        return self.prepared.options

    def missing(self) -> list[tuple[TrialSpec, int]]:
        """The trials that are needed and not there; with `retry_failed` those that failed too."""
        return missing_trials(self.store.results(), retry_failed=self.options.retry_failed)

    def train(
        self,
        missing: Sequence[tuple[TrialSpec, int]],
        listeners: Sequence[Listener] = (),
        say: Callable[[str], None] = print,
    ) -> None:
        """Trains trials; each is kept before anybody hears of its end.

        Args:
            missing: the trials.
            listeners: hear of everything.
            say: prints a line for people.

        Raises:
            InputError: `--same_hardware`, and a worker has other hardware.
        """
        # What is trained again for its model alone stays what it was.
        there = {(t.spec, t.seed) for t in self.store.results().trials if t.finished}

        def on_event(event: Event) -> None:
            if isinstance(event, Compiled):
                for machine in event.machines:
                    if line := self.mixing.meet(machine.hardware):
                        say(line)
            if isinstance(event, Ended) and (event.spec, event.seed) not in there:
                self.store.add_trial(event.record, event.machine)
            self.tracking.on_event(event)
            for listener in listeners:
                listener(event)

        if missing:
            at_once = together(self.prepared.job.compute)
            self.executor.run(blocks_of(missing, self.executor.workers, at_once), on_event)


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
        mixing = Mixing(store, is_refused=options.compute.same_hardware)
        _meet_own_hardware(mixing, store, prepared)
        hosts.recording_in(folder)
        tracking = TrialTracking(trackers, store)
        try:
            yield Session(prepared, store, executor, tracking, mixing)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"{_kept(folder, prepared.plan)}; {going_on()}") from None
        except PeerLostError as lost:
            raise PeerLostError(f"{lost}; {_kept(folder, prepared.plan)}; {going_on()}") from None


def _meet_own_hardware(mixing: Mixing, store: Store, prepared: Prepared) -> None:
    """Says at once what trials of this machine would be mixed with, where it trains any.

    Raises:
        InputError: `--same_hardware`, and trials of other hardware are there.
    """
    if prepared.options.execution.executor == "ray" or not missing_trials(store.results()):
        return
    line = mixing.meet(prepared.plan.environment["hardware"])
    if line and hosts.is_lead():
        print(line)


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
                session.train(missing, [progress.on_event], progress.say)
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
