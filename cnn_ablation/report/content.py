"""What a report says: a study's results judged, and put into the report's parts."""

import dataclasses
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

from cnn_ablation.claims import Verdict
from cnn_ablation.claims.sentences import method_sentence
from cnn_ablation.data import LabeledImages
from cnn_ablation.inference import pair
from cnn_ablation.report.anchors import anchors
from cnn_ablation.report.charts import Chart
from cnn_ablation.report.contrasts import contrast_table
from cnn_ablation.report.curves import learning_chart
from cnn_ablation.report.differences import difference_chart, difference_panel
from cnn_ablation.report.effects_figure import effects_chart
from cnn_ablation.report.headlines import headline_of, range_sentence, words_of
from cnn_ablation.report.images import Answered, class_table, image_chart
from cnn_ablation.report.looks import OUTCOME_SYMBOLS, looks_of
from cnn_ablation.report.measures import Measured, control_arm, main_arm, measure
from cnn_ablation.report.outcomes import outcome_chart
from cnn_ablation.report.over_epochs import over_epochs_chart
from cnn_ablation.report.parts import Arm, Content, Finding, Section
from cnn_ablation.report.setting import (
    command_of,
    date_of,
    facts_of,
    lost_trials,
    setting_sentence,
    warnings_of,
)
from cnn_ablation.report.tables import Cell, Table, layer_table, variant_table
from cnn_ablation.report.tradeoffs import tradeoff_chart
from cnn_ablation.study import Question
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.verdicts import Values, judge_results, metrics_table


def compose(results: StudyResults, tests: LabeledImages | None = None) -> Content:
    """Judges a study's results and says what a report is to say.

    Args:
        results: what the study has found.
        tests: the images that it was tested on; None leaves out what needs them.
    """
    verdicts = judge_results(results)
    questions = results.study.questions
    sections, done = [], 0
    for question, anchor in zip(questions, anchors([q.name for q in questions]), strict=True):
        own = verdicts[done : done + len(question.claims)]
        done += len(own)
        sections.append(_section(results, question, anchor, own, tests))
    counts = Counter[str](verdict.outcome for verdict in verdicts)
    return Content(
        title=results.study.title,
        setting=setting_sentence(results),
        warnings=tuple(warnings_of(results)),
        date=date_of(results),
        score=tuple((OUTCOME_SYMBOLS[o], o, counts[o]) for o in OUTCOME_SYMBOLS if counts[o]),
        words=words_of(verdicts),
        effects=effects_chart([results]),
        sections=tuple(sections),
        lost=_lost_table(results),
        facts=tuple(facts_of(results)),
        command=command_of(results),
        verdicts=tuple(verdicts),
    )


def _section(
    results: StudyResults,
    question: Question,
    name: str,
    verdicts: Sequence[Verdict],
    tests: LabeledImages | None,
) -> Section:
    measured, looks = measure(results, question), looks_of(question.variants)
    findings = _findings(name, verdicts, metrics_table(results, question))
    main, control = main_arm(measured), control_arm(measured)
    controls = {m.label for m in control} - {m.label for m in main}
    of_controls = [found for found in findings if found.labels & controls]
    charts = (
        learning_chart(f"{name}-learning", "Learning curves", main, looks),
        outcome_chart(f"{name}-outcomes", measured, looks),
        tradeoff_chart(f"{name}-tradeoff", measured, looks),
    )
    controlled = learning_chart(
        f"{name}-control_learning", "Learning curves, control arm", control, looks
    )
    own = [found for found in findings if found not in of_controls]
    arm = _arm(
        variant_table(f"{question.title}: the variants", main), charts, own, f"{name}-differences"
    )
    arm = dataclasses.replace(
        arm, over_epochs=_over_epochs(f"{name}-epochs", results, question, own)
    )
    answered = Answered.of(results, question, tests)
    if answered is not None:
        labels, caption = [m.label for m in main], f"{question.title}: accuracy by class"
        arm = dataclasses.replace(
            arm,
            images=image_chart(f"{name}-images", [found.verdict for found in own], answered),
            classes=class_table(caption, answered, labels),
        )
    return Section(
        anchor=name,
        title=question.title,
        answer=range_sentence(main),
        method=method_sentence(verdicts),
        main=arm,
        control=_control(results, question, name, control, controlled, of_controls),
        layers=tuple(layer_table(m.label, m.summary) for m in measured),
    )


def _control(
    results: StudyResults,
    question: Question,
    name: str,
    control: Sequence[Measured],
    learning: Chart | None,
    findings: Sequence[Finding],
) -> Arm | None:
    if not control:
        return None
    table = variant_table(f"{question.title}: the control arm", control)
    arm = _arm(table, (learning,), findings, f"{name}-control_differences")
    over_epochs = _over_epochs(f"{name}-control_epochs", results, question, findings)
    return dataclasses.replace(arm, over_epochs=over_epochs)


def _over_epochs(
    name: str, results: StudyResults, question: Question, findings: Sequence[Finding]
) -> Chart | None:
    return over_epochs_chart(name, results, question, [found.verdict for found in findings])


def _arm(
    table: Table, charts: Sequence[Chart | None], findings: Sequence[Finding], differences: str
) -> Arm:
    return Arm(
        findings=tuple(findings),
        table=table,
        charts=tuple(chart for chart in charts if chart),
        differences=difference_chart(differences, [found.panel for found in findings]),
    )


def _findings(
    section: str, verdicts: Sequence[Verdict], table: Mapping[str, Mapping[str, Values]]
) -> tuple[Finding, ...]:
    names = anchors([verdict.claim.name for verdict in verdicts])
    return tuple(
        Finding(
            # A section's name has no double dash: two sections cannot make the same anchor.
            anchor=f"{section}--{name}",
            verdict=verdict,
            headline=headline_of(verdict),
            contrasts=contrast_table(verdict),
            panel=difference_panel(verdict, _units(verdict, table.get(verdict.claim.metric, {}))),
        )
        for name, verdict in zip(names, verdicts, strict=True)
    )


def _units(
    verdict: Verdict, values: Mapping[str, Values]
) -> dict[tuple[str, str], tuple[Hashable, ...]]:
    """Of each contrast the seeds or rounds of its pairs, where they are those it was judged on."""
    found = {}
    for one in verdict.contrasts:
        units = pair(values.get(one.a, {}), values.get(one.b, {})).units
        if len(units) == one.n:
            found[one.contrast] = units
    return found


def _lost_table(results: StudyResults) -> Table | None:
    lost = lost_trials(results)
    if not lost:
        return None
    rows = [
        (
            Cell(name),
            Cell(str(trial.seed)),
            Cell(trial.status),
            Cell(str(len(trial.epochs))),
            Cell(trial.error or ""),
        )
        for name, trial in lost
    ]
    headings = map(Cell, ("design", "seed", "status", "finite epochs", "error"))
    return Table("Trials that did not complete", tuple(headings), tuple(rows))
