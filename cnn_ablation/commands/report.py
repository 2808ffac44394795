"""The command that rebuilds a study's report from its trials, and compares studies."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from absl import flags

from cnn_ablation.commands import entry
from cnn_ablation.data import DataLocation, LabeledImages, load_data
from cnn_ablation.errors import InputError
from cnn_ablation.report import write_comparison, write_effects, write_report
from cnn_ablation.report.comparison import names_of_folders
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.store import load_results
from cnn_ablation.system.paths import user_path

_DESCRIPTION = """{program} WORKDIR
{program} WORKDIR WORKDIR ... --out=FOLDER
{program} WORKDIR ... --effects=effects.png

Of one study: writes WORKDIR/report/ anew, with report.html, report.md, figures, tables.
Of several: writes one page that has their verdicts side by side, comparison.html.
With --effects: draws what every choice does and costs, and writes that picture alone.
Nothing is trained and nothing else in WORKDIR is touched; a study may still be running."""
_MODULE = "cnn_ablation: reporting"
_COMPARISON = "comparison"
FLAGS = flags.FLAGS


def run() -> None:
    """Reports on the folders that the command line names, and exits."""
    flags.DEFINE_string(
        "out",
        None,
        "folder for what is written (default: WORKDIR/report, or comparison/ of several studies)",
        module_name=_MODULE,
    )
    flags.DEFINE_string(
        "effects",
        None,
        "file, .png or .svg, for the picture of what every choice does and costs",
        module_name=_MODULE,
    )
    flags.DEFINE_bool(
        "tuned_alone",
        False,
        "with --effects: of studies whose variants are tuned, draw the tuned ones alone",
        module_name=_MODULE,
    )
    given = entry.take_words()
    entry.run(lambda: _report(given), _DESCRIPTION.format(program=entry.called_as("report")))


def _report(given: Sequence[str]) -> None:
    if not given:
        raise InputError("WORKDIR=: must be the folder of a study, or of several")
    if len(set(given)) < len(given):
        raise InputError(f"WORKDIR={' '.join(given)}: names a folder twice")
    folders = [user_path("workdir", folder) for folder in given]
    studies = [load_results(folder) for folder in folders]
    if FLAGS.effects:
        path = user_path("effects", FLAGS.effects)
        alone = FLAGS.tuned_alone
        _written(path, lambda: write_effects(studies, path, tuned_alone=alone))
    elif len(studies) == 1:
        out = user_path("out", FLAGS.out) if FLAGS.out else folders[0] / "report"
        tests = _tests_of(studies[0])
        _written(out, lambda: write_report(studies[0], out, tests))
    else:
        out = user_path("out", FLAGS.out or _COMPARISON)
        named = dict(zip(names_of_folders(list(map(str, folders))), studies, strict=True))
        _written(out, lambda: write_comparison(named, out))


def _written(place: Path, write: Callable[[], Path | None]) -> None:
    try:
        print(write() or place)
    except OSError as error:
        what = "a file" if place.suffix in (".png", ".svg") else "a folder"
        raise InputError(f"{place}: must be {what} to write to ({error.strerror})") from None


def _tests_of(results: StudyResults) -> LabeledImages | None:
    """The images that a study was tested on, where it is known which ones its trials got right."""
    if not any(trial.test_correct for trial in results.trials):
        return None
    try:
        dataset = load_data(results.data, DataLocation())
    except InputError as error:
        print(f"note: pictures and classes are left out: {error}", file=sys.stderr)
        return None
    if dataset.fingerprint != results.plan.fingerprint:
        print("note: pictures and classes are left out: the images are others", file=sys.stderr)
        return None
    return dataset.test
