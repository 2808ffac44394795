"""A study's claims and times in the forms that `judge` reads: its verdicts are then the study's."""

import csv
import io
from collections.abc import Sequence

from cnn_ablation.claims.declared import DeclaredClaim, DeclaredClaims
from cnn_ablation.report.parts import Section
from cnn_ablation.report.setting import labels_of
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.verdicts import schedule_of, setting_of

_TIMES = ("variants", "round", "train_seconds", "eval_seconds")


def claims_toml(results: StudyResults, sections: Sequence[Section]) -> str:
    """The claims with their setting and looks, as `claims.toml`."""
    declared = []
    for question, section in zip(results.study.questions, sections, strict=True):
        arms = {
            found.verdict.claim.name: (arm.differences, found.verdict)
            for arm in section.arms
            for found in arm.findings
        }
        for claim in question.claims:
            chart, verdict = arms[claim.name]
            figure = chart.name if chart else ""
            declared.append(DeclaredClaim(claim, question.name, figure, verdict.exploratory))
    if not declared:
        return ""
    return DeclaredClaims(
        tuple(declared),
        setting_of(results.plan),
        results.study.title,
        results.study.level,
        schedule_of(results.plan),
    ).to_toml()


def timings_csv(results: StudyResults) -> str:
    """The rounds of the timing pass: a row a design and round."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_TIMES)
    for timing in results.timings:
        names = labels_of(results, timing.spec)
        writer.writerow((names, timing.round, timing.train_seconds, timing.eval_seconds))
    return file.getvalue()
