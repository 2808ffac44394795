"""A study's figures as plain text, one table a question."""

import statistics
from collections.abc import Sequence

from cnn_ablation.design.summary import summarize
from cnn_ablation.display.text import format_table
from cnn_ablation.study import Question, Variant
from cnn_ablation.study.results import StudyResults

_HEADINGS = ("", "parameters", "MACs", "seeds", "test accuracy", "sd", "seconds per epoch")


def question_table(results: StudyResults, question: Question) -> str:
    """Every variant's size, its mean accuracy after the last epoch, and its median time.

    Accuracies are in percent, over the trials that were completed; times are of training, from the
    timing pass.
    """
    evaluated = results.data.evaluated
    headings = (question.title, *(h.replace("test", evaluated) for h in _HEADINGS[1:]))
    return format_table([headings, *(_row(results, variant) for variant in question.variants)])


def _row(results: StudyResults, variant: Variant) -> Sequence[str]:
    summary = summarize(variant.network)
    accuracies = [
        100 * trial.epochs[-1].test_accuracy
        for trial in results.trials_of(variant)
        if trial.status == "completed"
    ]
    seconds = [timing.train_seconds for timing in results.timings_of(variant)]
    return (
        variant.label,
        f"{summary.params:,}",
        f"{summary.macs:,}",
        str(len(accuracies)),
        f"{statistics.fmean(accuracies):.2f}" if accuracies else "-",
        f"{statistics.stdev(accuracies):.2f}" if len(accuracies) > 1 else "-",
        f"{statistics.median(seconds):.3g}" if seconds else "-",
    )
