"""The command that rebuilds a study's report from its trials."""

import sys

from cnn_ablation.commands import entry
from cnn_ablation.data import DataLocation, LabeledImages, load_data
from cnn_ablation.errors import InputError
from cnn_ablation.report import write_report
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.store import load_results
from cnn_ablation.system.paths import user_path

_DESCRIPTION = """{program} WORKDIR

Writes WORKDIR/report/ anew from the study in WORKDIR: report.html, report.md, figures, tables.
Nothing is trained and nothing else in WORKDIR is touched; a study may still be running."""


def run() -> None:
    """Rebuilds the report of the folder that the command line names, and exits."""
    given = entry.take_words()
    entry.run(lambda: _rebuild(given), _DESCRIPTION.format(program=entry.called_as("report")))


def _rebuild(folders: list[str]) -> None:
    if len(folders) != 1:
        raise InputError(f"WORKDIR={' '.join(folders)}: must be the folder of one study")
    workdir = user_path("workdir", folders[0])
    results = load_results(workdir)
    try:
        print(write_report(results, workdir / "report", _tests_of(results)))
    except OSError as error:
        raise InputError(
            f"{workdir / 'report'}: must be a folder to write to ({error.strerror})"
        ) from None


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
