"""A study from its declaration to its report: what is missing is trained and timed, then judged."""

import dataclasses
import os
import textwrap
from collections.abc import Sequence
from pathlib import Path

from cnn_ablation.claims import check, plan
from cnn_ablation.compilation import keep_compiled_programs
from cnn_ablation.controls import add_controls
from cnn_ablation.convolution import resolve_form
from cnn_ablation.data import Dataset, describe_dataset, load_dataset
from cnn_ablation.environment import describe_device, describe_environment
from cnn_ablation.errors import FieldError, InputError
from cnn_ablation.executors import Ended, Event, Executor, Job, Task, make_executor
from cnn_ablation.results import StudyResults, TrialResult
from cnn_ablation.spec import DataSpec, NetworkSpec, TrainingSpec
from cnn_ablation.store import FINISHED, Store
from cnn_ablation.study import Question, Study, Variant
from cnn_ablation.study_plan import StudyPlan, default_folder
from cnn_ablation.study_progress import StudyProgress
from cnn_ablation.study_tables import question_table
from cnn_ablation.timing import describe_machine, timing_pass
from cnn_ablation.verdicts import judge_results, setting_of

FAILED_TRIALS, UNEXPECTED_VERDICT = 3, 1


@dataclasses.dataclass(frozen=True)
class StudyOptions:
    """How a study is run.

    Attributes:
        training: the procedure that every design goes through.
        data: the images.
        seeds: one trial a design each.
        controls: whether to add the control arm.
        timing_rounds: rounds of the timing pass, 0 for none.
        workdir: the study's folder, None for one under `runs/` named by study and settings.
        conv: lowering of convolutions: auto, native, xla or banded.
        executor: `inline` or `processes`.
        workers: how many trials at a time, None for what suits the executor.
        retry_failed: whether trials that failed before run again.
        check: whether a claim that is not as expected makes the exit code 1.
        data_dir: folder of prepared datasets, None for TFDS's own.
        manual_dir: folder with a dataset's original archives, or None.
        compilation_cache_dir: folder of compiled programs, as the flag of that name says.
    """

    training: TrainingSpec
    data: DataSpec
    seeds: Sequence[int]
    controls: bool = True
    timing_rounds: int = 10
    workdir: str | None = None
    conv: str = "auto"
    executor: str = "inline"
    workers: int | None = None
    retry_failed: bool = False
    check: bool = False
    data_dir: str | None = None
    manual_dir: str | None = None
    compilation_cache_dir: str | None = None


def run_study(study: Study, options: StudyOptions) -> int:
    """Runs what is missing of a study, judges its claims, writes its report and tells of all.

    Returns:
        The exit code: 0; 3 where trials failed; 1 where `check` found an unexpected verdict.

    Raises:
        InputError: an option is not allowed, or a file in the folder is damaged.
        KeyboardInterrupt: the user stopped it; the message says how to go on.
    """
    if options.timing_rounds < 0:
        raise InputError(f"--timing_rounds={options.timing_rounds}: must be 0 or more")
    study = _for_dataset(study, *describe_dataset(options.data.dataset, options.data_dir))
    if options.controls:
        study = add_controls(study)
    # Several processes can only share a GPU if none takes all of its memory at once.
    if options.executor != "inline":
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    keep_compiled_programs(options.compilation_cache_dir)
    dataset = _load(options)
    declared = _plan(study, options, dataset)
    executor = _executor(declared, options, dataset)
    name = default_folder(study.name, options.training, options.data)
    folder = Path(options.workdir).expanduser() if options.workdir else Path("runs") / name
    with Store(folder, declared) as store:
        try:
            _run(store, declared, executor, dataset, options)
        except KeyboardInterrupt:
            done, total = len(_finished(store)), len(list(declared.trials()))
            raise KeyboardInterrupt(
                f"{done} of {total} trials are kept in {folder}; the same command goes on"
            ) from None
        return _conclude(store.results(), folder, options)


def _run(
    store: Store,
    declared: StudyPlan,
    executor: Executor,
    dataset: Dataset,
    options: StudyOptions,
) -> None:
    missing = _missing(store, retry_failed=options.retry_failed)
    print(_introduction(store, declared, missing, options), flush=True)
    to_time = store.rounds() < options.timing_rounds
    if missing or to_time:
        store.record_environment(declared.environment)
    if missing:
        _train(store, missing, executor)
    if to_time:
        machine = describe_machine(declared.environment, declared.convolution)
        timing_pass(store, dataset, options.timing_rounds, machine)


def _for_dataset(study: Study, image_shape: tuple[int, int, int], classes: int) -> Study:
    """The study with networks for a dataset's images."""

    def fit(network: NetworkSpec, name: str) -> NetworkSpec:
        try:
            return dataclasses.replace(network, image_shape=image_shape, classes=classes)
        except FieldError as error:
            raise InputError(f"{name}: {error}") from None

    def fit_variant(variant: Variant) -> Variant:
        network = fit(variant.network, f"variant {variant.label}")
        return dataclasses.replace(variant, network=network)

    def fit_question(question: Question) -> Question:
        variants = tuple(fit_variant(variant) for variant in question.variants)
        reference = question.reference and fit(question.reference, "the control arm's reference")
        return dataclasses.replace(question, variants=variants, reference=reference)

    return dataclasses.replace(study, questions=tuple(map(fit_question, study.questions)))


def _load(options: StudyOptions) -> Dataset:
    return load_dataset(
        options.data.dataset,
        train_split=options.data.train_split,
        test_split=options.data.test_split,
        data_dir=options.data_dir,
        manual_dir=options.manual_dir,
        progress=True,
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


def _executor(declared: StudyPlan, options: StudyOptions, dataset: Dataset) -> Executor:
    job = Job(
        data=options.data,
        conv=declared.convolution,
        data_dir=options.data_dir,
        manual_dir=options.manual_dir,
        compilation_cache_dir=options.compilation_cache_dir,
    )
    return make_executor(options.executor, options.workers, job, dataset)


def _finished(store: Store) -> list[TrialResult]:
    return [trial for trial in store.results().trials if trial.status in FINISHED]


def _missing(store: Store, *, retry_failed: bool) -> list[tuple[NetworkSpec, int]]:
    trials = _finished(store) if retry_failed else store.results().trials
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
        lines.append(_wrap(prospect.sentence(), head))
    return "\n".join(lines) + "\n"


def _train(store: Store, missing: Sequence[tuple[NetworkSpec, int]], executor: Executor) -> None:
    tasks = _tasks(store.plan, missing, executor.workers)
    with StudyProgress(tasks, _labels(store.plan.study)) as progress:

        def on_event(event: Event) -> None:
            if isinstance(event, Ended):
                store.add_trial(_result(store.plan, event))
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


def _labels(study: Study) -> dict[NetworkSpec, str]:
    """One name a design: that under which the study shows it first."""
    variants = [variant for question in study.questions for variant in question.variants]
    return {variant.network: variant.label for variant in reversed(variants)}


def _result(declared: StudyPlan, end: Ended) -> TrialResult:
    trial_id = declared.spec(end.network).trial_id(end.seed, declared.dataset_version)
    return TrialResult(trial_id, end.network, end.seed, end.status, end.epochs, end.error)


def _conclude(results: StudyResults, folder: Path, options: StudyOptions) -> int:
    """Prints tables and verdicts, writes the report, and finds the exit code."""
    # Imported late: drawing takes a second to import, and who is stopped before needs none of it.
    from cnn_ablation.report import write_report

    verdicts = judge_results(results)
    for question in results.study.questions:
        print(f"\n{question_table(results, question)}")
    print("\n" + "\n".join(_wrap(verdict.sentence(), "* ") for verdict in verdicts), flush=True)
    try:
        page = write_report(results, folder / "report")
    except OSError as error:
        raise InputError(f"{folder / 'report'}: cannot be written ({error.strerror})") from None
    surprises = check(verdicts) if options.check else []
    for verdict in surprises:
        expected = verdict.claim.expected
        print(f"unexpected: {verdict.claim.name} {verdict.outcome}, where it should be {expected}")
    failed = [trial for trial in results.trials if trial.status == "failed"]
    labels = _labels(results.study)
    for trial in failed:
        print(f"failed: {labels[trial.network]} seed {trial.seed}: {trial.error}")
    if failed:
        print("the same command with --retry_failed runs these again")
    print(f"\nreport   {page}")
    if failed:
        return FAILED_TRIALS
    return UNEXPECTED_VERDICT if surprises else 0


def _wrap(text: str, head: str) -> str:
    return textwrap.fill(text, 100, initial_indent=head, subsequent_indent=" " * len(head))
