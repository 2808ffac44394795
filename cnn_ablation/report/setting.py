"""How a study was run and on what, in words, and the command that runs it again."""

import dataclasses
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnn_ablation.claims.sentences import plural
from cnn_ablation.design.spec import DataSpec, TrainingSpec
from cnn_ablation.errors import as_typed
from cnn_ablation.report.measures import STATUSES, count_statuses
from cnn_ablation.study import labels_of
from cnn_ablation.study.results import StudyResults, TrialResult

Fact = tuple[str, str]

_EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"


def setting_sentence(results: StudyResults) -> str:
    """What was trained on what, for how long and how often."""
    training, data = results.training, results.data
    rounds = len({timing.round for timing in results.timings})
    timed = f"timed alone on the device in {plural(rounds, 'round')}" if rounds else "not timed yet"
    return (
        f"{plural(len(results.study.networks()), 'design')}, {plural(len(results.seeds), 'seed')} "
        f"each, on {data.dataset} {results.dataset_version}: {plural(training.epochs, 'epoch')} of "
        f"Adadelta at learning rate {training.learning_rate:g} in batches of "
        f"{training.batch_size}; {timed}."
    )


def warnings_of(results: StudyResults) -> list[str]:
    """What keeps these results from being whole, a sentence each."""
    counts = count_statuses(results)
    total = sum(counts.values())
    lost = [f"{counts[status]} {status}" for status in STATUSES[1:] if counts[status]]
    lines = []
    if lost:
        text = f"Of {plural(total, 'trial')} {', '.join(lost)}"
        lines.append(f"{text}: figures and verdicts are of the {counts['completed']} completed.")
    if len(results.seeds) == 1:
        lines.append("One seed shows no spread: there are no intervals and nothing is decided.")
    if not results.timings:
        lines.append("There is no timing pass: claims about time are not judged.")
    return lines


def lost_trials(results: StudyResults) -> list[tuple[str, TrialResult]]:
    """Trials that ran and did not complete, each with what its design is called."""
    return [
        (names_of(results, trial), trial) for trial in results.trials if trial.status != "completed"
    ]


def names_of(results: StudyResults, trial: TrialResult) -> str:
    """All that a trial's design is called: `kernel_size: k3,3; stride: s1`."""
    return "; ".join(f"{q}: {label}" for q, label in labels_of(results.study, trial.network))


def facts_of(results: StudyResults) -> list[Fact]:
    """Settings and environment, as terms and what they are."""
    counts = count_statuses(results)
    training = {f.name: getattr(results.training, f.name) for f in dataclasses.fields(TrainingSpec)}
    rounds = len({timing.round for timing in results.timings})
    return [
        ("dataset", f"{results.data.dataset} {results.dataset_version}"),
        ("splits", f"{results.data.train_split} for training, {results.data.test_split} for tests"),
        ("training", ", ".join(f"{name} {as_typed(value)}" for name, value in training.items())),
        ("optimiser", "Adadelta, one pass in new order each epoch, no image left out"),
        ("seeds", ", ".join(map(str, results.seeds))),
        ("trials", ", ".join(f"{count} {status}" for status, count in counts.items())),
        ("timing rounds", str(rounds)),
        *_environment_facts(results.environment),
    ]


def command_of(results: StudyResults) -> str:
    """The command that runs the study again with the same settings.

    Epochs, learning rate and the control arm are always said: their defaults differ by study.
    """
    seeds, training, study = results.seeds, results.training, results.study
    first = min(seeds, default=0)
    controlled = any(v.control_of for question in study.questions for v in question.variants)
    flags = {
        "seed": first,
        "num_seeds": max(seeds, default=first) - first + 1,
        "epochs": training.epochs,
        "learning_rate": training.learning_rate,
        **_unusual(training, TrainingSpec()),
        **_unusual(results.data, DataSpec()),
        "controls": str(controlled).lower(),
        "timing_rounds": len({timing.round for timing in results.timings}),
    }
    # Ours are modules beside this package; any other study is a user's own file.
    ours = study.name.isidentifier() and (_EXPERIMENTS / f"{study.name}.py").exists()
    program = ["-m", f"experiments.{study.name}"] if ours else [f"{study.name}.py"]
    words = [f"--{name}={as_typed(value)}" for name, value in flags.items()]
    return shlex.join(["python", *program, *words])


def _unusual(spec: TrainingSpec | DataSpec, usual: TrainingSpec | DataSpec) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(spec)]
    return {n: getattr(spec, n) for n in names if getattr(spec, n) != getattr(usual, n)}


def _environment_facts(environment: Mapping[str, Any]) -> list[Fact]:
    facts = []
    for name, value in environment.items():
        if isinstance(value, Mapping):
            text = ", ".join(f"{key} {inner}" for key, inner in value.items() if inner is not None)
        else:
            text = "unknown" if value is None else as_typed(value)
        facts.append((name.replace("_", " "), text))
    return facts
