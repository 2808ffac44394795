"""The end of a study: tables and verdicts for the terminal, the report, and the exit code."""

from collections.abc import Sequence
from pathlib import Path

from cnn_ablation.claims import Verdict, check, evaluated_on
from cnn_ablation.commands.tables import question_table
from cnn_ablation.data import LabeledImages
from cnn_ablation.display.text import wrap
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.execution.session import trained_session
from cnn_ablation.study import Study
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.sequence import saved_line
from cnn_ablation.study.tuning_words import chosen_words
from cnn_ablation.study.verdicts import judge_results
from cnn_ablation.system.files import unwritable
from cnn_ablation.training.records import TrialRecord

UNEXPECTED_VERDICT, FAILED_TRIALS = 1, 3


def finish_study(study: Study, options: StudyOptions) -> int:
    """Runs what is missing of a study, judges its claims, writes its report and tells of all.

    Returns:
        The exit code: 0; 3 where trials failed; 1 where `check` found an unexpected verdict.

    Raises:
        InputError: an option is not allowed, or a file in the folder is damaged.
        KeyboardInterrupt: the user stopped it; the message says how to go on.
    """
    with trained_session(study, options) as session:
        store = session.store
        results = store.results()
        tests = session.prepared.datasets.get(results.data).test
        code = conclude(results, store.folder, expecting=options.check, tests=tests)
        store.record_judgement(judge_results(results, intervals=False))
        session.tracking.conclude(store.results(), store.folder / "report")
        return code


def conclude(
    results: StudyResults,
    folder: Path,
    *,
    expecting: bool,
    tests: LabeledImages | None = None,
) -> int:
    """Judges a study's claims, prints tables and verdicts, and writes the report.

    Args:
        results: what the study has found.
        folder: the study's folder; the report goes into `report/` there.
        expecting: whether verdicts other than their claims expect make the exit code 1.
        tests: the images that were tested on, for the report.

    Returns:
        The exit code: 0; 3 where trials failed; 1 where verdicts were unexpected.

    Raises:
        InputError: the folder cannot be written.
    """
    # Imported late: drawing takes a second to import, and who is stopped before needs none of it.
    from cnn_ablation.report import write_report

    verdicts = judge_results(results)
    for question in results.study.questions:
        print(f"\n{question_table(results, question)}")
    if verdicts:
        with evaluated_on(results.data.evaluated):
            sentences = "\n".join(wrap(verdict.sentence(), "* ") for verdict in verdicts)
        print(f"\n{sentences}", flush=True)
    if results.tuning is not None:
        print("\n" + wrap(chosen_words(results.tuning), "tuned    "))
    if results.plan.schedule is not None:
        print(f"\nseeds    {saved_line(results)}")
    try:
        page = write_report(results, folder / "report", tests)
    except OSError as error:
        raise unwritable(folder / "report", error) from None
    tried = results.tuning.trials if results.tuning else ()
    failed = [trial for trial in (*tried, *results.trials) if trial.status == "failed"]
    surprises = check(verdicts) if expecting else []
    for line in (*_of_surprises(surprises), *_of_failures(results, failed)):
        print(line)
    print(f"\nreport   {page}")
    if failed:
        return FAILED_TRIALS
    return UNEXPECTED_VERDICT if surprises else 0


def _of_surprises(verdicts: Sequence[Verdict]) -> list[str]:
    return [
        f"unexpected: {verdict.claim.name} is {verdict.outcome!r} where {verdict.claim.expected!r} "
        "was expected"
        for verdict in verdicts
    ]


def _of_failures(results: StudyResults, failed: Sequence[TrialRecord]) -> list[str]:
    label = results.plan.label
    lines = [f"failed: {label(trial.spec)} seed {trial.seed}: {trial.error}" for trial in failed]
    if failed:
        lines.append("the same command with --retry_failed runs these again")
    return lines
