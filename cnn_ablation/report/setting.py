"""How a study was run and on what, in words, and the command that runs it again."""

import dataclasses
import shlex
from collections.abc import Mapping
from typing import Any

from cnn_ablation.claims.sentences import plural
from cnn_ablation.errors import as_typed
from cnn_ablation.report.measures import STATUSES, count_statuses
from cnn_ablation.results import StudyResults, TrialResult
from cnn_ablation.spec import DataSpec, TrainingSpec
from cnn_ablation.study import labels_of

Fact = tuple[str, str]


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
    """The command that runs the study again with the same settings."""
    seeds = results.seeds
    first, consecutive = min(seeds, default=0), range(min(seeds, default=0), max(seeds, default=0))
    flags = {"seed": first, "num_seeds": len(consecutive) + 1}
    for spec, default in ((results.training, TrainingSpec()), (results.data, DataSpec())):
        for field in dataclasses.fields(spec):
            value = getattr(spec, field.name)
            if value != getattr(default, field.name):
                flags[field.name] = value
    words = [f"--{name}={as_typed(value)}" for name, value in flags.items()]
    return shlex.join(["python", "-m", f"experiments.{results.study.name}", *words])


def _environment_facts(environment: Mapping[str, Any]) -> list[Fact]:
    facts = []
    for name, value in environment.items():
        if isinstance(value, Mapping):
            text = ", ".join(f"{key} {inner}" for key, inner in value.items() if inner is not None)
        else:
            text = "unknown" if value is None else as_typed(value)
        facts.append((name.replace("_", " "), text))
    return facts
