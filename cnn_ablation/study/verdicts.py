"""A study's results as the table that claims are judged on, and the verdicts."""

from collections.abc import Hashable

from cnn_ablation.claims import Setting, Verdict, judge
from cnn_ablation.design.summary import summarize
from cnn_ablation.errors import as_typed
from cnn_ablation.options import FIRST_VERSION
from cnn_ablation.study.declaration import Question, Variant
from cnn_ablation.study.metrics import TIME_METRICS, TRIAL_METRICS
from cnn_ablation.study.plan import Plan
from cnn_ablation.study.results import StudyResults
from cnn_ablation.training.records import EpochRecord

Values = dict[Hashable, float | None]


def judge_results(results: StudyResults, level: float = 0.05) -> list[Verdict]:
    """Judges every claim of a study, each question's on that question's variants.

    Args:
        results: what the study has found so far.
        level: significance level that the contrasts of a family share.

    Returns:
        One verdict a claim, in the order of the questions and of their claims.

    Raises:
        InputError: two claims of a question share a name.
    """
    setting = setting_of(results.plan)
    verdicts = []
    for question in results.study.questions:
        verdicts += judge(question.claims, metrics_table(results, question), setting, level)
    return verdicts


def setting_of(plan: Plan) -> Setting:
    """The setting that every verdict carries."""
    training, data = plan.training, plan.data
    usual_splits = (data.train_split, data.test_split) == ("train", "test")
    return Setting(
        dataset=data.title,
        epochs=min((spec.training.epochs for spec in plan.designs), default=training.epochs),
        optimizer=training.optimizer.title,
        learning_rate=training.learning_rate,
        device=plan.environment.get("device"),
        batch_size=training.batch_size,
        splits="" if usual_splits else f"{data.train_split} to train, {data.test_split} to test",
        others=tuple(_others(plan)),
    )


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
        if its.absent is not FIRST_VERSION and not its.is_absent(images[name])
    ]
    return lines + _set_by_variants(plan)


def _set_by_variants(plan: Plan) -> list[str]:
    """The fields of training and data that variants set, with all of their values."""
    own = dict.fromkeys(name for v in plan.study.variants for name in (*v.training, *v.data))
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
