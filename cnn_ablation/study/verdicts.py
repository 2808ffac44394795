"""A study's results as the table that claims are judged on, and the verdicts."""

import dataclasses
from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

from cnn_ablation.claims import Claim, Schedule, Setting, Verdict, judge
from cnn_ablation.claims.units import COUNTED
from cnn_ablation.design import DataSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.errors import as_typed
from cnn_ablation.options import FIRST_VERSION
from cnn_ablation.study.arms import arm_of
from cnn_ablation.study.declaration import Question, Variant
from cnn_ablation.study.exploratory import exploratory_reasons
from cnn_ablation.study.ledger import Declaration
from cnn_ablation.study.metrics import TIME_METRICS, TRIAL_METRICS
from cnn_ablation.study.plan import Plan
from cnn_ablation.study.results import StudyResults
from cnn_ablation.training.records import EpochRecord

Values = dict[Hashable, float | None]


def judge_results(
    results: StudyResults, level: float | None = None, intervals: bool = True
) -> list[Verdict]:
    """Judges every claim of a study, each question's on that question's variants.

    Args:
        results: what the study has found so far.
        level: significance level that the contrasts of a family share; None is the study's own.
        intervals: whether a sequential study's intervals are wanted, which take most of its time.

    Returns:
        One verdict a claim, in the order of the questions and of their claims.

    Raises:
        InputError: two claims of a question share a name.
    """
    setting = setting_of(results.plan)
    level = results.study.level if level is None else level
    verdicts = []
    for question in results.study.questions:
        verdicts += judge(
            question.claims,
            metrics_table(results, question),
            setting,
            level,
            correct={COUNTED: correct_images(results, question)},
            schedule=schedule_of(results.plan, level),
            intervals=intervals,
        )
    return _labelled(results, verdicts, level)


def _labelled(results: StudyResults, verdicts: list[Verdict], level: float) -> list[Verdict]:
    """Marks as exploratory what is no test of what was declared before the first trial."""
    reasons = why_exploratory(results, level)
    return [
        dataclasses.replace(verdict, exploratory=own)
        for verdict, own in zip(verdicts, reasons, strict=True)
    ]


def why_exploratory(results: StudyResults, level: float | None = None) -> list[tuple[str, ...]]:
    """Of each claim why its verdict is no test of what was declared; empty where it is one."""
    claims = [(question, c) for question in results.study.questions for c in question.claims]
    if results.ledger is None:
        return [()] * len(claims)
    declared = results.ledger.declaration
    level = results.study.level if level is None else level
    rounds = len({timing.round for timing in results.timings})
    now = dataclasses.replace(Declaration.of(results.plan, rounds or None), level=level)
    return [
        exploratory_reasons(
            declared, now, question.name, claim, is_tuned=_is_tuned(question, claim)
        )
        for question, claim in claims
    ]


def _is_tuned(question: Question, claim: Claim) -> bool:
    """Whether a claim is about a variant of a tuned arm."""
    arms = [arm_of(variant) for variant in question.variants if variant.label in claim.labels]
    return any(arm.is_tuned for arm in arms if arm is not None)


def schedule_of(plan: Plan, level: float | None = None) -> Schedule | None:
    """The looks of a sequential study, with the level of a family; None for one of fixed size."""
    if plan.schedule is None:
        return None
    level = plan.study.level if level is None else level
    return Schedule(dataclasses.replace(plan.schedule, level=level), plan.seeds)


def correct_images(
    results: StudyResults, question: Question
) -> dict[str, dict[Hashable, NDArray[np.bool_]]]:
    """Variant's label -> seed -> which test images were right, for one question.

    Variants that are tested on other images than the study's are left out: image by image they can
    be compared with no other.
    """
    tested = _tested_on(results.data)
    found: dict[str, dict[Hashable, NDArray[np.bool_]]] = {}
    for variant in question.variants:
        data = results.plan.spec(variant).data
        if _tested_on(data) == tested:
            found[variant.label] = {
                trial.seed: trial.test_correct.bits()
                for trial in results.trials_of(variant)
                if trial.test_correct is not None
            }
    return found


def _tested_on(data: DataSpec) -> tuple[str, ...]:
    """What decides which images are evaluated."""
    if data.validation:
        return data.dataset, data.train_split, f"{data.validation}"
    return data.dataset, data.test_split


def setting_of(plan: Plan) -> Setting:
    """The setting that every verdict carries."""
    training, data = plan.training, plan.data
    return Setting(
        dataset=data.title,
        epochs=min((spec.training.epochs for spec in plan.designs), default=training.epochs),
        optimizer=training.optimizer.title,
        learning_rate=training.learning_rate,
        device=plan.environment.get("device"),
        batch_size=training.batch_size,
        splits=_splits(data),
        others=tuple(_others(plan)),
    )


def _splits(data: DataSpec) -> str:
    if data.validation:
        share = f"{100 * data.validation:g} % of {data.train_split}"
        return (
            f"{data.train_split} to train but for {share}, which is evaluated, not the test images"
        )
    if (data.train_split, data.test_split) == ("train", "test"):
        return ""
    return f"{data.train_split} to train, {data.test_split} to test"


def _others(plan: Plan) -> list[str]:
    """What else was not as usual, and what each variant sets for itself."""
    training = plan.training
    values, options = training.values(), training.options()
    chosen = {name: values[name] for name in ("optimizer", "schedule", "augment")}
    usual = type(training)(**chosen).values()
    said = ("epochs", "batch_size", "optimizer", "learning_rate")
    lines = [
        f"{name} {options[name].typed(value)}"
        for name, value in values.items()
        if name not in said
        and (not options[name].is_absent(value) if name in chosen else value != usual[name])
    ]
    images = plan.data.values()
    lines += [
        f"{name} {its.typed(images[name])}"
        for name, its in plan.data.options().items()
        if its.absent is not FIRST_VERSION
        and not its.is_absent(images[name])
        and name != "validation"
    ]
    if plan.tuning is not None:
        tuning = plan.tuning
        text = f"tuned arms choose {tuning.field} by validation {tuning.by}"
        speak = " and speak for the values that were chosen" if tuning.once else " for each seed"
        lines.append(text + speak)
    return lines + _set_by_variants(plan)


def _set_by_variants(plan: Plan) -> list[str]:
    """The fields of training and data that variants set, with all of their values."""
    own = dict.fromkeys(
        name
        for v in plan.study.variants
        for name in (*v.training, *v.data, *next(iter(v.at_seeds.values()), ()))
    )
    if "optimizer" in own:
        # Each has a learning rate of its own, which nobody may have given.
        own["learning_rate"] = None
    lines = []
    for name in own:
        values = dict.fromkeys(design.values().get(name) for design in plan.designs)
        shown = ", ".join(as_typed(value) or "none" for value in values if value is not None)
        lines.append(f"variants set {name}: {shown}")
    return lines


def metrics_table(results: StudyResults, question: Question) -> dict[str, dict[str, Values]]:
    """Metric -> variant's label -> unit -> value, for one question.

    Units are seeds for what is taken at the last epoch, where None stands for a trial that
    diverged or failed; rounds for the times of the timing pass; and 0 for exact figures.
    """
    table: dict[str, dict[str, Values]] = {}
    for variant in question.variants:
        for metric, values in _metrics(results, variant).items():
            table.setdefault(metric, {})[variant.label] = values
    return table


def _metrics(results: StudyResults, variant: Variant) -> dict[str, Values]:
    summary = summarize(variant.network)
    found: dict[str, Values] = {"params": {0: summary.params}, "macs": {0: summary.macs}}
    trials, timings = results.trials_of(variant), results.timings_of(variant)
    for name in TRIAL_METRICS if trials else ():
        found[name] = {
            trial.seed: _figure(trial.epochs[-1], name) if trial.status == "completed" else None
            for trial in trials
        }
    for name in TIME_METRICS if timings else ():
        found[name] = {timing.round: float(getattr(timing, name)) for timing in timings}
    return found


def _figure(epoch: EpochRecord, name: str) -> float:
    return float(getattr(epoch, name))
