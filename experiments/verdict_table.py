"""The verdicts of several runs of one study side by side, as a Markdown table: the README's.

python -m experiments.verdict_table                       the published runs
python -m experiments.verdict_table --runs=runs/A,runs/B  others
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from cnn_ablation.claims import Setting, Verdict
from cnn_ablation.commands import entry
from cnn_ablation.display.text import markdown_table
from cnn_ablation.errors import InputError
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.store import load_results
from cnn_ablation.study.verdicts import judge_results, setting_of

RESULTS = Path(__file__).parent / "results"
PUBLISHED = ("as_published", "epochs_20", "rate_1", "rate_1_epochs_20")

flags.DEFINE_list(
    "runs",
    [str(RESULTS / name) for name in PUBLISHED],
    "folders of runs of one study",
    module_name="cnn_ablation: the table",
)


def main() -> int:
    """Prints the table."""
    print(verdict_table([load_results(Path(folder)) for folder in flags.FLAGS.runs]))
    return 0


def verdict_table(runs: Sequence[StudyResults]) -> str:
    """A row a claim, a column a run.

    Raises:
        InputError: the runs are not of the same study.
    """
    judged = [{verdict.claim.name: verdict for verdict in judge_results(run)} for run in runs]
    if any(verdicts.keys() != judged[0].keys() for verdicts in judged):
        names = ", ".join(sorted({run.study.name for run in runs}))
        raise InputError(f"runs of {names}: must be of one study, with the same claims")
    settings = [setting_of(run.plan) for run in runs]
    what = "conclusion of the notebook" if runs[0].study.name == "notebook" else "claim"
    rows = [[what, *(_heading(run, _unshared(run, settings)) for run in runs)]]
    rows += [
        [verdict.claim.text, *(_cell(verdicts[name]) for verdicts in judged)]
        for name, verdict in judged[0].items()
    ]
    return markdown_table(rows, figures=False)


def _heading(run: StudyResults, unshared: Sequence[str]) -> str:
    training = run.training
    parts = [f"rate {training.learning_rate:g}", f"{training.epochs} epochs", *unshared]
    return ", ".join([*parts, f"{len(run.seeds)} seeds"])


def _unshared(run: StudyResults, settings: Sequence[Setting]) -> list[str]:
    """What of a run's setting, beside rate and epochs, is not the same in all runs."""
    own = setting_of(run.plan)
    parts = []
    for name in ("dataset", "splits", "optimizer", "batch_size", "others"):
        value = getattr(own, name)
        if any(getattr(setting, name) != value for setting in settings):
            text = ", ".join(value) if isinstance(value, tuple) else str(value)
            text = f"batches of {text}" if name == "batch_size" else text
            parts.append(text or ("whole splits" if name == "splits" else "as usual"))
    return parts


def _cell(verdict: Verdict) -> str:
    if verdict.outcome == "not judged":
        return "–"
    notes = f" ({', '.join(verdict.qualifiers)})" if verdict.qualifiers else ""
    return f"**{verdict.outcome}**{notes}"


if __name__ == "__main__":
    entry.run(main, __doc__ or "")
