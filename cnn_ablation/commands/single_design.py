"""One run: a spec trained for several seeds, told to the user and written into a folder."""

import dataclasses
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cnn_ablation.commands.workdir import EPOCHS, METRICS, clear_workdir, open_workdir
from cnn_ablation.data import Dataset, load_data
from cnn_ablation.design.spec import TrialSpec
from cnn_ablation.design.summary import format_summary, summarize
from cnn_ablation.display.progress import Progress
from cnn_ablation.display.text import format_table
from cnn_ablation.errors import as_typed
from cnn_ablation.execution import hosts
from cnn_ablation.network.lowerings import resolve_form
from cnn_ablation.system.clock import seconds_since_start
from cnn_ablation.system.environment import describe_device, describe_environment
from cnn_ablation.system.files import append_json_line, write_json
from cnn_ablation.trackers import Run, Tracking, Trial, make_tracking
from cnn_ablation.training.mesh import choose_devices
from cnn_ablation.training.records import EpochRecord, TrialRecord
from cnn_ablation.training.trainer import Trainer

SCHEMA_VERSION = 1


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """Where a run's files are and how it is lowered: nothing here changes what is trained.

    Attributes:
        workdir: folder for results, None for a new one.
        overwrite: whether a finished run in the workdir may be replaced.
        conv: lowering of convolutions: auto, native, xla or banded.
        devices: how many devices to train on, None for one per seed as far as there are any.
        seeds_per_device: how many seeds a device trains together.
        data_dir: folder of prepared datasets, None for TFDS's own.
        manual_dir: folder with a dataset's original archives, or None.
        tensorboard: whether to write TensorBoard's event files too.
        mlflow: URI of MLflow's store to log to, empty for none.
    """

    workdir: str | None = None
    overwrite: bool = False
    conv: str = "auto"
    devices: int | None = None
    seeds_per_device: int = 1
    data_dir: str | None = None
    manual_dir: str | None = None
    tensorboard: bool = False
    mlflow: str = ""


def run_trials(spec: TrialSpec, seeds: Sequence[int], options: RunOptions) -> list[TrialRecord]:
    """Trains every seed, prints what happens and writes `metrics.jsonl` and `metrics.json`.

    Raises:
        InputError: an option is not allowed, or a file that it names is damaged.
    """
    devices = choose_devices(options.devices, len(seeds), options.seeds_per_device)
    tracking = make_tracking(options.tensorboard, options.mlflow)
    folder = open_workdir(options.workdir, spec, overwrite=options.overwrite)
    hosts.recording_in(folder)
    environment = describe_environment()
    print(f"device   {describe_device(environment)}")
    print(f"spec     {_describe(spec)}")
    print(f"seeds    {', '.join(map(str, seeds))}\nworkdir  {folder}\n")
    print(format_summary(summarize(spec.network)), flush=True)
    started = seconds_since_start()
    with ThreadPoolExecutor(1) as background:
        # The first time on a machine, kernels are built and data prepared: both at once.
        building = background.submit(resolve_form, options.conv, devices[0].platform)
        dataset = load_data(
            spec.data, data_dir=options.data_dir, manual_dir=options.manual_dir, progress=True
        )
        loaded = seconds_since_start()
        form = building.result()
    hosts.require_same(run_facts(spec, seeds, options, dataset, form, len(devices)))
    trainer = Trainer(
        spec,
        dataset,
        conv=options.conv,
        devices=devices,
        num_seeds=len(seeds),
        seeds_per_device=options.seeds_per_device,
    )
    ready = seconds_since_start()
    print(
        f"\nready after {ready:.1f} s: start-up {started:.1f}, data {loaded - started:.1f}, "
        f"compiling {trainer.compile_seconds:.1f}; convolutions: {trainer.form}"
    )
    clear_workdir(folder)
    told = {"device": describe_device(environment), "convolution": trainer.form}
    run = Run("cnn_ablation", _describe(spec), folder, False, environment | told)
    trials = [
        Trial(spec.trial_id(seed, dataset.version), spec, seed, provenance=run.provenance())
        for seed in seeds
    ]
    with tracking:
        tracking.start(run)
        records = _train(trainer, trials, folder / EPOCHS, tracking)
    times = {
        "startup_seconds": started,
        "data_seconds": loaded - started,
        "compile_seconds": trainer.compile_seconds,
        "ready_seconds": ready,
        **_spent(records),
        "total_seconds": seconds_since_start(),
    }
    environment["convolution"] = trainer.form
    write_json(folder / METRICS, _document(spec, dataset, records, times, environment))
    print(f"\n{_closing_table(records)}\n\nwritten  {folder / METRICS}")
    return records


def run_facts(
    spec: TrialSpec,
    seeds: Sequence[int],
    options: RunOptions,
    dataset: Dataset,
    form: str,
    devices: int,
) -> dict[str, object]:
    """What must be the same on all hosts of a run, by the names of flags."""
    fields = {name: value for part in spec.to_json().values() for name, value in part.items()}
    return {
        **fields,
        "seeds": list(seeds),
        "devices": devices,
        "seeds_per_device": options.seeds_per_device,
        "conv": form,
        "images": dataset.fingerprint,
    }


def _train(
    trainer: Trainer, trials: Sequence[Trial], lines: Path, tracking: Tracking
) -> list[TrialRecord]:
    seeds, told = [trial.seed for trial in trials], {trial.seed: trial for trial in trials}
    epochs = trainer.spec.training.epochs
    records = []
    with Progress(len(seeds) * epochs, "epoch") as progress:

        def on_epoch(seed: int, record: EpochRecord) -> None:
            append_json_line(lines, {"seed": seed, **vars(record)})
            tracking.log_epoch(told[seed], record)
            progress.advance()
            progress.say(_epoch_line(seed, record, epochs))

        for first in range(0, len(seeds), trainer.seeds_at_once):
            together = seeds[first : first + trainer.seeds_at_once]
            for seed in together:
                tracking.begin(told[seed])
            for trial in trainer.train_together(together, on_epoch):
                records.append(trial.record)
                tracking.end(told[trial.record.seed], trial.record.status)
                if trial.record.status == "diverged":
                    progress.advance(epochs - len(trial.record.epochs))
                    print(_divergence(trial.record), file=sys.stderr)
    return records


def _epoch_line(seed: int, record: EpochRecord, epochs: int) -> str:
    return (
        f"seed {seed}  epoch {record.epoch}/{epochs}  "
        f"train loss {record.train_loss:.4f} accuracy {record.train_accuracy:.2%}  "
        f"test loss {record.test_loss:.4f} accuracy {record.test_accuracy:.2%}  "
        f"{record.train_seconds:.2f} s + {record.eval_seconds:.2f} s"
    )


def _divergence(record: TrialRecord) -> str:
    return (
        f"warning: seed {record.seed} diverged: a loss of epoch {len(record.epochs) + 1} is not "
        "finite; what came before it is kept"
    )


def _describe(spec: TrialSpec) -> str:
    """The spec's options as they would be written on the command line, without the dashes."""
    shown = []
    for part in (spec.network, spec.training, spec.data):
        for field in dataclasses.fields(part):
            if "help" in field.metadata:
                shown.append(f"{field.name}={as_typed(getattr(part, field.name))}")
    return " ".join(shown)


def _spent(records: Sequence[TrialRecord]) -> dict[str, float]:
    epochs = [epoch for record in records for epoch in record.epochs]
    return {
        "train_seconds": sum(epoch.train_seconds for epoch in epochs),
        "eval_seconds": sum(epoch.eval_seconds for epoch in epochs),
    }


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
            "train_examples": len(dataset.train.labels_N),
            "test_examples": len(dataset.test.labels_N),
        },
        "params": summary.params,
        "macs": summary.macs,
        "runs": [record.to_json() for record in records],
        "times": times,
        "environment": environment,
    }


def _closing_table(records: Sequence[TrialRecord]) -> str:
    rows = [("seed", "status", "epochs", "train loss", "train acc", "test loss", "test acc")]
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
