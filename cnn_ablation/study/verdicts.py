"""A study's results as the table that claims are judged on, and the verdicts."""

from collections.abc import Hashable

from cnn_ablation.claims import Setting, Verdict, judge
from cnn_ablation.design.spec import NetworkSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.study.declaration import Question
from cnn_ablation.study.results import StudyResults
from cnn_ablation.training.records import EpochRecord

ACCURACIES_AND_LOSSES = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
TIMES = ("train_seconds", "eval_seconds")
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
    setting = setting_of(results)
    verdicts = []
    for question in results.study.questions:
        verdicts += judge(question.claims, metrics_table(results, question), setting, level)
    return verdicts


def setting_of(results: StudyResults) -> Setting:
    """The setting that every verdict carries."""
    return Setting(
        dataset=results.data.dataset,
        epochs=results.training.epochs,
        optimizer="Adadelta",
        learning_rate=results.training.learning_rate,
        device=results.environment.get("device"),
    )


def metrics_table(results: StudyResults, question: Question) -> dict[str, dict[str, Values]]:
    """Metric -> variant's label -> unit -> value, for one question.

    Units are seeds for what is taken at the last epoch, where None stands for a trial that
    diverged or failed; rounds for the times of the timing pass; and 0 for exact figures.
    """
    table: dict[str, dict[str, Values]] = {}
    for variant in question.variants:
        for metric, values in _metrics(results, variant.network).items():
            table.setdefault(metric, {})[variant.label] = values
    return table


def _metrics(results: StudyResults, network: NetworkSpec) -> dict[str, Values]:
    summary = summarize(network)
    found: dict[str, Values] = {"params": {0: summary.params}, "macs": {0: summary.macs}}
    trials = [trial for trial in results.trials if trial.network == network]
    timings = [timing for timing in results.timings if timing.network == network]
    for name in ACCURACIES_AND_LOSSES if trials else ():
        found[name] = {
            trial.seed: _figure(trial.epochs[-1], name) if trial.status == "completed" else None
            for trial in trials
        }
    for name in TIMES if timings else ():
        found[name] = {timing.round: float(getattr(timing, name)) for timing in timings}
    return found


def _figure(epoch: EpochRecord, name: str) -> float:
    return float(getattr(epoch, name))
