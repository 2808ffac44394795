"""How a study was run and on what, in words, and the command that runs it again."""

import dataclasses
import importlib.util
import shlex
from collections.abc import Mapping
from typing import Any

from cnn_ablation.claims.words import plural
from cnn_ablation.design import DataSpec, TrainingSpec, TrialSpec
from cnn_ablation.errors import as_typed
from cnn_ablation.report.measures import STATUSES, count_statuses
from cnn_ablation.study.arms import arm_names
from cnn_ablation.study.controls import PARAMS
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.sequence import saved_line
from cnn_ablation.study.tuning import OPTIONS
from cnn_ablation.study.verdicts import setting_of
from cnn_ablation.training.records import TrialRecord

Fact = tuple[str, str]
_PASS = "one pass in new order each epoch, no image left out"


def setting_sentence(results: StudyResults) -> str:
    """What was trained on what, for how long and how often."""
    training, plan = results.training, results.plan
    rounds = len({timing.round for timing in results.timings})
    timed = f"timed alone on the device in {plural(rounds, 'round')}" if rounds else "not timed yet"
    setting = setting_of(plan)
    dataset = f"{setting.dataset} {plan.dataset_version}"
    if setting.splits:
        dataset += f" ({setting.splits})"
    others = "".join(f", {other}" for other in setting.others)
    seeds = f"{plural(len(results.seeds), 'seed')} each"
    if plan.schedule is not None:
        looks = ", ".join(map(str, plan.schedule.looks))
        seeds = f"up to {seeds} (as many as decide the claims; looks at {looks})"
    return (
        f"{plural(len(plan.designs), 'design')}, {seeds}, "
        f"on {dataset}: {plural(training.epochs, 'epoch')} of "
        f"{setting.optimizer} at learning rate {training.learning_rate:g} in batches of "
        f"{training.batch_size}{others}; {timed}."
    )


def date_of(results: StudyResults) -> str:
    """The day on which the study was declared, before its first trial; empty where not known."""
    return "" if results.ledger is None else results.ledger.time.partition("T")[0]


def warnings_of(results: StudyResults) -> list[str]:
    """What keeps these results from being whole, a sentence each."""
    counts = count_statuses(results)
    total = sum(counts.values())
    lost = [f"{counts[status]} {status}" for status in STATUSES[1:] if counts[status]]
    lines = []
    if results.plan.schedule is not None:
        lines.append(f"{saved_line(results)[:1].upper()}{saved_line(results)[1:]}.")
    if lost:
        text = f"Of {plural(total, 'trial')} {', '.join(lost)}"
        lines.append(f"{text}: figures and verdicts are of the {counts['completed']} completed.")
    if len(results.seeds) == 1:
        lines.append("One seed shows no spread: there are no intervals and nothing is decided.")
    if not results.timings:
        lines.append("There is no timing pass: claims about time are not judged.")
    return lines


def lost_trials(results: StudyResults) -> list[tuple[str, TrialRecord]]:
    """Trials that ran and did not complete, each with what its design is called."""
    return [
        (names_of(results, trial), trial) for trial in results.trials if trial.status != "completed"
    ]


def names_of(results: StudyResults, trial: TrialRecord) -> str:
    """All that a trial's design is called: `kernel_size: k3,3; stride: s1`."""
    return results.plan.all_labels(trial.spec, trial.seed)


def labels_of(results: StudyResults, spec: TrialSpec) -> str:
    """All that a design is called: `kernel_size: k3,3; stride: s1`."""
    return results.plan.all_labels(spec)


def facts_of(results: StudyResults) -> list[Fact]:
    """Settings and environment, as terms and what they are."""
    counts = count_statuses(results)
    training = [
        f"{name} {as_typed(value) or 'none'}"
        for name, value in results.training.values().items()
        if value is not None
    ]
    rounds = len({timing.round for timing in results.timings})
    return [
        ("dataset", f"{results.data.title} {results.plan.dataset_version}"),
        ("splits", _splits(results.data)),
        ("training", ", ".join(training)),
        ("optimiser", f"{results.training.optimizer.title}, {_PASS}"),
        ("seeds", ", ".join(map(str, results.seeds))),
        ("trials", ", ".join(f"{count} {status}" for status, count in counts.items())),
        ("timing rounds", str(rounds)),
        ("declared", "not kept" if results.ledger is None else f"{results.ledger.time} (UTC)"),
        *_environment_facts(results.environment),
    ]


def command_of(results: StudyResults) -> str:
    """The command that runs the study again with the same settings.

    Epochs, learning rate and the control arm are always said: their defaults differ by study.
    """
    seeds, training, study = results.seeds, results.training, results.study
    first = min(seeds, default=0)
    arms, plan = arm_names(study), results.plan
    given = {"controls": str(PARAMS in arms).lower()}
    if set(arms) - {PARAMS}:
        given = {"arms": ",".join(arms)}
    if plan.tuning is not None:
        tuning = plan.tuning
        given["tune"] = f"{tuning.field}:{as_typed(tuning.values)}"
        usual = {field.name: field.default for field in dataclasses.fields(tuning)}
        for name in OPTIONS:
            if getattr(tuning, name) != usual[name]:
                given[f"tune_{name}"] = as_typed(getattr(tuning, name))
    if arms and not any(claim.against for q in study.questions for claim in q.claims):
        given["interactions"] = "false"
    schedule = plan.schedule
    looks = {} if schedule is None else {"looks": schedule.looks, "spending": schedule.spending}
    flags = {
        "seed": first,
        **({} if looks else {"num_seeds": max(seeds, default=first) - first + 1}),
        **looks,
        "epochs": training.epochs,
        "learning_rate": training.learning_rate,
        **_unusual(training.values(), _usual(training)),
        **_unusual(results.data.values(), DataSpec().values()),
        **given,
        "timing_rounds": len({timing.round for timing in results.timings}),
    }
    program = shlex.split(results.environment.get("program", "")) or _program(study.name)
    words = [f"--{name}={as_typed(value)}" for name, value in flags.items()]
    return shlex.join(["python", *program, *words])


def _program(study: str) -> list[str]:
    """Of a checkout's own studies the module; any other study is a user's own file."""
    try:
        ours = study.isidentifier() and importlib.util.find_spec(f"experiments.{study}")
    except ModuleNotFoundError:
        ours = None
    return ["-m", f"experiments.{study}"] if ours else [f"{study}.py"]


def _usual(training: TrainingSpec) -> dict[str, Any]:
    """What flags leave as it is: the defaults, and those of the options of chosen entries."""
    chosen = {name: training.values()[name] for name in ("optimizer", "schedule", "augment")}
    return TrainingSpec(**chosen).values() | TrainingSpec().values()


def _unusual(values: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not as usual."""
    return {name: value for name, value in values.items() if value != usual[name]}


def _splits(data: DataSpec) -> str:
    evaluated = f"{data.test_split} for tests"
    if data.validation:
        evaluated = f"{100 * data.validation:g} % of it held out for validation, none for tests"
    return f"{data.train_split} for training, {evaluated}"


def _environment_facts(environment: Mapping[str, Any]) -> list[Fact]:
    facts = []
    for name, value in environment.items():
        if isinstance(value, Mapping):
            text = ", ".join(f"{key} {inner}" for key, inner in value.items() if inner is not None)
        else:
            text = "unknown" if value is None else as_typed(value)
        facts.append((name.replace("_", " "), text))
    return facts
