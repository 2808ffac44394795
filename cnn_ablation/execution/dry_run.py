"""What a study would do: trials, time, disk and what its claims can decide; nothing is written.

What is compiled to see how long an epoch takes is kept, so the run itself need not compile it.
"""

import contextlib
import dataclasses
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from cnn_ablation.claims.words import plural
from cnn_ablation.design import TrialSpec
from cnn_ablation.display.text import clock, wrap
from cnn_ablation.errors import InputError
from cnn_ablation.execution import hosts
from cnn_ablation.execution.blocks import blocks_of, together
from cnn_ablation.execution.calibration import Calibration
from cnn_ablation.execution.executors import Executor
from cnn_ablation.execution.forecast import (
    BYTES_A_QUESTION,
    SECONDS_A_QUESTION,
    Forecast,
    stored_bytes,
    timing_seconds,
    training_seconds,
)
from cnn_ablation.execution.introduction import introduction
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.execution.preparing import Prepared, folder_of, make_executor_of, prepare
from cnn_ablation.execution.timing import describe_machine
from cnn_ablation.study import Study
from cnn_ablation.study.ledger import JUDGEMENTS, LEDGER
from cnn_ablation.study.sequence import expected_trials, foreseen_trials, missing_evaluations
from cnn_ablation.study.store import STUDY, TIMINGS, TRIALS, Store
from cnn_ablation.system.clock import seconds_since_start

Trials = Sequence[tuple[TrialSpec, int]]


def dry_run(
    study: Study, options: StudyOptions, folder: Path | None = None, *, report: bool = True
) -> Forecast:
    """Prints what a study's command would do, and does nothing of it.

    Args:
        study: the declaration.
        options: how it would be run.
        folder: where it would be kept; None is what the options say.
        report: whether the command ends with a report.

    Returns:
        What it will take.

    Raises:
        InputError: the command would be refused.
    """
    if hosts.host_count() > 1:
        raise InputError("--dry_run: must be given to one host alone, without --coordinator")
    prepared = prepare(study, options)
    executor = make_executor_of(prepared)
    folder = folder or folder_of(study, options)
    plan = prepared.plan
    with _copy_of(folder, prepared) as store:
        results = store.results()
        missing = foreseen_trials(results, retry_failed=options.retry_failed)
        evaluations = missing_evaluations(results, retry_failed=options.retry_failed)
        shown = introduction(store, len(evaluations), results.plan, options)
        print(shown.replace(str(store.folder), str(folder)), flush=True)
        machine = describe_machine(plan.environment, plan.lowering)
        rounds = max(0, options.timing_rounds - store.rounds(machine))
    startup = seconds_since_start()
    calibration = Calibration(prepared, executor, results)
    own = (spec for spec in results.plan.designs if results.plan.labels(spec))
    timed = tuple(dict.fromkeys((*own, *results.plan.untuned)))
    wanted = [spec for spec, _ in missing]
    calibration.measure([*wanted, *(timed if rounds else ())], alone=bool(rounds))
    questions = len(plan.study.questions) if report else 0
    training = _training(prepared, executor, calibration, missing)
    forecast = _forecast(prepared, calibration, missing, timed, rounds, questions)
    forecast = dataclasses.replace(forecast, startup=startup, training=training)
    if results.plan.open_variants:
        print(wrap("a grid that is extended in tuning adds to what is foreseen", "forecast "))
    for line in (*_lines(forecast, calibration), *_later(prepared, executor, calibration, missing)):
        print(wrap(line, "forecast "))
    print("\nnothing was written; the same command without --dry_run runs it")
    return forecast


@contextlib.contextmanager
def _copy_of(folder: Path, prepared: Prepared) -> Iterator[Store]:
    """The study's folder as its command would find it; what is there stays as it is."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "study"
        copy.mkdir()
        for file in (STUDY, TRIALS, TIMINGS, LEDGER, JUDGEMENTS):
            try:
                shutil.copyfile(folder / file, copy / file)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise InputError(f"{folder / file}: cannot be read ({error.strerror})") from None
        with Store(copy, prepared.plan, rounds=prepared.options.timing_rounds) as store:
            yield store


def _forecast(
    prepared: Prepared,
    calibration: Calibration,
    missing: Trials,
    designs: Sequence[TrialSpec],
    rounds: int,
    questions: int,
) -> Forecast:
    """Times and bytes of all but the start and the training."""
    every = dict.fromkeys((*designs, *(spec for spec, _ in missing)))
    tests = {spec: len(prepared.datasets.get(spec.data).test.labels_N) for spec in every}
    return Forecast(
        timing=timing_seconds(calibration.paces, designs, rounds, calibration.alone_share),
        report=SECONDS_A_QUESTION * questions,
        size=stored_bytes(missing, tests, rounds) + BYTES_A_QUESTION * questions,
    )


def _training(
    prepared: Prepared, executor: Executor, calibration: Calibration, missing: Trials
) -> float:
    tasks = blocks_of(missing, executor.workers, together(prepared.job.compute))
    return training_seconds(tasks, executor.workers, calibration.paces, calibration.start_seconds)


def _lines(forecast: Forecast, calibration: Calibration) -> Iterator[str]:
    """The forecast in words."""
    parts = {
        "start-up": forecast.startup,
        "training": forecast.training,
        "timing": forecast.timing,
        "report": forecast.report,
    }
    told = ", ".join(f"{name} {clock(value)}" for name, value in parts.items() if value >= 0.5)
    yield f"time {clock(forecast.seconds)}: {told}"
    yield f"disk {_size(forecast.size)}"
    known, measured = len(calibration.paces) - calibration.measured, calibration.measured
    sources = [
        f"{plural(known, 'design')} from the trials that are there" if known else "",
        f"{plural(measured, 'design')} from an epoch that was just trained" if measured else "",
    ]
    yield f"times are of {' and '.join(filter(None, sources)) or 'nothing: all is there'}"


def _later(
    prepared: Prepared, executor: Executor, calibration: Calibration, missing: Trials
) -> Iterator[str]:
    """What a sequential study may come to beyond its next look."""
    plan = prepared.plan
    if plan.schedule is None:
        return
    every = list(plan.trials())
    whole = _training(prepared, executor, calibration, every)
    share = expected_trials(plan) / len(every)
    yield (
        f"that is to the next look, {plural(len(missing), 'trial')}; all "
        f"{len(every)} would train for {clock(whole)}, and the number to be expected where every "
        f"difference lies 1 SD from its margin for some {clock(share * whole)}"
    )


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{-(-count // 1000)} kB"
