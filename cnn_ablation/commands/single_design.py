"""One design trained for several seeds: a study of one variant, with an output of its own."""

import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnn_ablation.commands.conclusion import FAILED_TRIALS
from cnn_ablation.commands.replacing import METRICS
from cnn_ablation.commands.workdir import (
    EPOCHS,
    Workdir,
    keep_unfinished_epochs,
    open_workdir,
)
from cnn_ablation.data import Dataset
from cnn_ablation.design import TrialSpec
from cnn_ablation.design.summary import format_summary, summarize
from cnn_ablation.design.words import describe
from cnn_ablation.display.progress import Progress
from cnn_ablation.display.text import format_table
from cnn_ablation.execution import hosts
from cnn_ablation.execution.dry_run import dry_run
from cnn_ablation.execution.executors import Compiled, Ended, EpochEnded, Event
from cnn_ablation.execution.memory import require_memory
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.execution.session import Session, follow_study, open_session
from cnn_ablation.models.names import model_path
from cnn_ablation.study.single import study_of
from cnn_ablation.study.store import load_results
from cnn_ablation.system.clock import seconds_since_start
from cnn_ablation.system.environment import describe_device, describe_environment
from cnn_ablation.system.files import append_json_line, unwritable, write_json
from cnn_ablation.system.stored import seal
from cnn_ablation.training.records import EpochRecord, TrialRecord

SCHEMA_VERSION = 1


def train_design(spec: TrialSpec, options: StudyOptions, *, overwrite: bool) -> int:
    """Trains every seed, prints what happens and writes `metrics.jsonl` and `metrics.json`.

    Returns:
        The exit code: 0, or 3 where a trial failed.

    Raises:
        InputError: an option is not allowed, or a file that it names is damaged.
        KeyboardInterrupt: the user stopped it; the message says how to go on.
    """
    # Before a list of all seeds is made.
    require_memory([], options.seeds)
    with contextlib.ExitStack() as stack:
        opened: list[Workdir] = []

        def choose() -> Path:
            held = open_workdir(options.workdir, spec, overwrite=overwrite)
            opened.append(stack.enter_context(held))
            _introduce(spec, options, opened[0].folder)
            return opened[0].files

        facts = facts_of(spec, options)
        with open_session(
            study_of(spec),
            options,
            facts=facts,
            choose_folder=choose,
            going_on=lambda: _going_on(options, opened[0]),
        ) as session:
            code = _train(session, spec, opened[0].folder)
        if code == 0:
            print(f"\nwritten  {opened[0].publish()}")
        return code


def _going_on(options: StudyOptions, held: Workdir) -> str:
    """What becomes of a seed that was cut off, and which command goes on."""
    finished = {trial.seed for trial in load_results(held.files).trials if trial.finished}
    begun = dict.fromkeys(seed for seed in _seeds_of(held.files / EPOCHS) if seed not in finished)
    cut = ""
    if begun:
        seeds = f"seed {', '.join(map(str, begun))}"
        cut = f"{seeds} was cut off and begins anew, what it reached stands in {EPOCHS}; "
    if options.workdir:
        return f"{cut}the same command goes on"
    return f"{cut}the same command with --workdir={held.folder} goes on"


def _seeds_of(path: Path) -> list[int]:
    """The seed of each whole line of a file of epochs."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError):
        return []
    found = []
    for line in lines:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            found.append(int(json.loads(line)["seed"]))
    return found


def _train(session: Session, spec: TrialSpec, folder: Path) -> int:
    """Trains what is missing and writes the run's files; returns the exit code."""
    store = session.store
    missing = [*session.missing(), *_without_model(session)]
    for line in store.repairs:
        print(f"repair   {line}")
    store.record_environment(session.prepared.plan.environment)
    _keep_finished_epochs(session, missing)
    session.tracking.start(store, title=describe(spec), single=True, folder=folder)
    ready = _Ready(session)
    with Progress(len(missing) * spec.training.epochs, "epoch") as progress:
        say = _EpochLines(spec, store.folder / EPOCHS, progress)
        session.train(missing, [ready.on_event, say.on_event], progress.say)
        hosts.dismiss()
    return _conclude(session, spec, ready.seconds)


def foretell_design(spec: TrialSpec, options: StudyOptions) -> None:
    """Prints what would be trained and what it would take; writes nothing.

    Raises:
        InputError: the command would be refused.
    """
    print(f"{format_summary(summarize(spec.network))}\n", flush=True)
    folder = Path("a new folder under runs/") if options.workdir is None else None
    dry_run(study_of(spec), options, folder, report=False)


def _without_model(session: Session) -> list[tuple[TrialSpec, int]]:
    """Completed trials whose model is asked for and not there: they are trained again."""
    if not session.options.save_params:
        return []
    folder, trials = session.store.folder, session.store.results().trials
    return [
        (trial.spec, trial.seed)
        for trial in trials
        if trial.status == "completed" and not model_path(folder, trial.seed).is_file()
    ]


def follow_design(spec: TrialSpec, options: StudyOptions) -> None:
    """On all hosts but host 0: the same training, told to nobody.

    Raises:
        InputError: an option is not allowed, or is not what host 0 was given.
    """
    follow_study(study_of(spec), options, facts_of(spec, options))


def facts_of(spec: TrialSpec, options: StudyOptions) -> dict[str, object]:
    """What must be the same on all hosts of a run, by the names of flags."""
    return {**spec.values(), "seeds": list(options.seeds)}


def _introduce(spec: TrialSpec, options: StudyOptions, folder: Path) -> None:
    """Prints what is about to be trained."""
    print(f"device   {describe_device(describe_environment())}")
    print(f"spec     {describe(spec)}")
    print(f"seeds    {', '.join(map(str, options.seeds))}\nworkdir  {folder}\n")
    print(format_summary(summarize(spec.network)), flush=True)


def _keep_finished_epochs(session: Session, missing: Sequence[tuple[TrialSpec, int]]) -> None:
    """Of a run that goes on: leaves the lines of trials that need not be trained again."""
    again = {seed for _, seed in missing}
    trials = [
        trial
        for trial in session.store.results().trials
        if trial.finished and trial.seed not in again
    ]
    if trials:
        seeds = ", ".join(str(trial.seed) for trial in trials)
        print(f"\nthere already: seed {seeds}")
    lines = [
        json.dumps({"seed": trial.seed, **vars(epoch)}) + "\n"
        for trial in trials
        for epoch in trial.epochs
    ]
    keep_unfinished_epochs(session.store.folder, "".join(lines))


class _Ready:
    """Says once when training begins, and what the time until then was spent on.

    Attributes:
        seconds: wall times by part: they add up to `ready`.
    """

    def __init__(self, session: Session) -> None:
        self.seconds: dict[str, float] = {**session.prepared.seconds, "compile": 0.0}
        self._lowering = session.prepared.plan.lowering

    def on_event(self, event: Event) -> None:
        """Takes the first design's compilation as the end of getting ready."""
        if not isinstance(event, Compiled) or "ready" in self.seconds:
            return
        ready = seconds_since_start()
        before = sum(self.seconds.values())
        # Placing the images and opening the folder are counted with compiling.
        self.seconds |= {"compile": ready - before, "ready": ready}
        parts = self.seconds
        kernels = f", kernels {parts['kernels']:.1f}" if parts["kernels"] >= 0.05 else ""
        print(
            f"\nready after {ready:.1f} s: start-up {parts['startup']:.1f}, data "
            f"{parts['data']:.1f}{kernels}, compiling {parts['compile']:.1f}; convolutions: "
            f"{event.lowering}",
            flush=True,
        )


class _EpochLines:
    """Writes and prints a line for every epoch."""

    def __init__(self, spec: TrialSpec, path: Path, progress: Progress) -> None:
        self._epochs, self._path, self._progress = spec.training.epochs, path, progress

    def on_event(self, event: Event) -> None:
        """Hears of one event."""
        if isinstance(event, EpochEnded):
            try:
                append_json_line(self._path, {"seed": event.seed, **vars(event.record)})
            except OSError as error:
                raise unwritable(self._path, error) from None
            self._progress.advance()
            evaluated = event.spec.data.evaluated
            line = _epoch_line(event.seed, event.record, self._epochs, evaluated)
            self._progress.say(line)
        elif isinstance(event, Ended) and event.record.status != "completed":
            self._progress.advance(self._epochs - len(event.record.epochs))
            print(_warning(event.record), file=sys.stderr, flush=True)


def _conclude(session: Session, spec: TrialSpec, seconds: dict[str, float]) -> int:
    """Prints the closing table and writes the metrics, unless a trial failed."""
    records = session.store.results().trials
    folder = session.store.folder
    print(f"\n{_closing_table(records, spec.data.evaluated)}")
    if any(record.status == "failed" for record in records):
        print("error: a seed failed; the same command runs it again", file=sys.stderr)
        return FAILED_TRIALS
    epochs = [epoch for record in records for epoch in record.epochs]
    times = {
        **{f"{part}_seconds": value for part, value in seconds.items()},
        "train_seconds": sum(epoch.train_seconds for epoch in epochs),
        "eval_seconds": sum(epoch.eval_seconds for epoch in epochs),
        "total_seconds": seconds_since_start(),
    }
    dataset = session.prepared.datasets.get(spec.data)
    environment = dict(session.store.plan.environment)
    document = _document(spec, dataset, records, times, environment)
    try:
        write_json(folder / METRICS, seal(document))
    except OSError as error:
        raise unwritable(folder / METRICS, error) from None
    return 0


def _epoch_line(seed: int, record: EpochRecord, epochs: int, evaluated: str) -> str:
    return (
        f"seed {seed}  epoch {record.epoch}/{epochs}  "
        f"train loss {record.train_loss:.4f} accuracy {record.train_accuracy:.2%}  "
        f"{evaluated} loss {record.test_loss:.4f} accuracy {record.test_accuracy:.2%}  "
        f"{record.train_seconds:.2f} s + {record.eval_seconds:.2f} s"
    )


def _warning(record: TrialRecord) -> str:
    if record.status == "failed":
        return f"warning: seed {record.seed} failed: {record.error}"
    return (
        f"warning: seed {record.seed} diverged: a loss of epoch {len(record.epochs) + 1} is not "
        "finite; what came before it is kept"
    )


def _document(
    spec: TrialSpec,
    dataset: Dataset,
    records: Sequence[TrialRecord],
    times: dict[str, float],
    environment: dict[str, Any],
) -> dict[str, Any]:
    summary = summarize(spec.network)
    return {
        "schema_version": SCHEMA_VERSION,
        "spec": spec.to_json(),
        "dataset": {
            "name": dataset.name,
            "version": dataset.version,
            "fingerprint": dataset.fingerprint,
            "train_examples": spec.data.train_examples(len(dataset.train.labels_N)),
            f"{spec.data.evaluated}_examples": len(dataset.test.labels_N),
        },
        "params": summary.params,
        "macs": summary.macs,
        "runs": [record.run_json() for record in records],
        "times": times,
        "environment": environment,
    }


def _closing_table(records: Sequence[TrialRecord], evaluated: str) -> str:
    figures = (f"{evaluated} loss", f"{evaluated} acc")
    rows = [("seed", "status", "epochs", "train loss", "train acc", *figures)]
    for record in records:
        head = (str(record.seed), record.status, str(len(record.epochs)))
        last = record.epochs[-1] if record.epochs else None
        rows.append((*head, *(_figures(last) if last else ("-",) * 4)))
    return format_table(rows)


def _figures(epoch: EpochRecord) -> tuple[str, str, str, str]:
    return (
        f"{epoch.train_loss:.4f}",
        f"{epoch.train_accuracy:.2%}",
        f"{epoch.test_loss:.4f}",
        f"{epoch.test_accuracy:.2%}",
    )
