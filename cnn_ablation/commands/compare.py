"""The command that puts runs and studies side by side."""

from collections.abc import Sequence

from absl import flags

from cnn_ablation.claims import Verdict
from cnn_ablation.claims.words import plural
from cnn_ablation.commands import entry
from cnn_ablation.commands.comparing import (
    AFTERWARDS,
    Entry,
    differences,
    entries_of,
    figures,
    matches,
    settings_that_differ,
    verdicts_of,
)
from cnn_ablation.commands.runs import read_runs
from cnn_ablation.display.text import format_table, wrap
from cnn_ablation.errors import InputError
from cnn_ablation.study.metrics import FACTS, TRIAL_METRICS

_PAGE = """{program} RUN RUN [RUN ...] [--metric=test_accuracy]

Puts runs and studies side by side: the settings in which they differ, their figures, and how far
they are apart, seed by seed. RUN is a folder with a study.json or a metrics.json; it may still be
running. Runs of one design each are compared with one another; of studies, the designs that have
the same label. Each is compared with the first run that has it.

Where two share seeds, the difference is judged as a study judges a claim: by an interval and an
exact test over all that is compared, against a margin of 0.1 points of accuracy. Such verdicts are
marked exploratory: to claim something, declare a study and train it.

{program} runs/stride-2 runs/stride-3
{program} runs/two_epochs runs/twenty_epochs --metric=test_loss"""
_METRICS = (*TRIAL_METRICS, *FACTS)
FLAGS = flags.FLAGS


def run() -> None:
    """Compares what the command line names, and exits."""
    text = f"what is compared: {', '.join(_METRICS)}"
    module = "cnn_ablation: the comparison"
    flags.DEFINE_string("metric", "test_accuracy", text, module_name=module)
    given = entry.take_words()
    entry.run(lambda: _compare(given), _PAGE.format(program=entry.called_as("compare")))


def _compare(given: Sequence[str]) -> None:
    metric = FLAGS.metric
    if metric not in _METRICS:
        raise InputError(f"--metric={metric}: must be {', '.join(_METRICS)}")
    if len(given) < 2:
        raise InputError("RUN: name the folders of two runs or studies, or more")
    runs = read_runs(given)
    settings = settings_that_differ(runs)
    print(format_table(settings) if len(settings) > 1 else "settings: all the same")
    groups = matches(runs)
    shown = groups or [entries_of(run) for run in runs]
    print(f"\n{format_table(figures([entry for group in shown for entry in group], metric))}")
    verdicts = verdicts_of(groups, metric)
    if not verdicts:
        print(f"\n{_why_none(groups)}")
        return
    print(f"\n{format_table(differences(verdicts, metric))}\n")
    print(wrap(_how(verdicts), "note     "))


def _how(verdicts: Sequence[Verdict]) -> str:
    """What the figures of the comparisons are, and what they are not."""
    family = verdicts[0].family_size
    if verdicts[0].claim.kind == "exact":
        return "These are facts of the designs, no statistics."
    images = {one.scope for verdict in verdicts for one in verdict.contrasts}
    speaks = "new seeds and new images" if images == {"population"} else "new seeds on these images"
    return (
        f"Paired by seed; they speak for {speaks}. Intervals are simultaneous (Bonferroni) and "
        f"sign-flip p adjusted (Holm) over {plural(family, 'comparison')}. Exploratory: "
        f"{AFTERWARDS}; to claim something, declare a study and train it."
    )


def _why_none(groups: Sequence[Sequence[Entry]]) -> str:
    if not groups:
        return "nothing is judged: no design has the same label in two of them"
    return "nothing is judged: no two of them have two seeds in common, or their figures are equal"
