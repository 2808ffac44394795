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
from cnn_ablation.report.measures import control_arm, main_arm, measure
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
from cnn_ablation.report.tuning import tuning_section
from cnn_ablation.study import Question
from cnn_ablation.study.arms import ARMS, INTERACTIONS
from cnn_ablation.study.controls import PARAMS
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
        tuning=tuning_section(results),
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
    main = main_arm(measured)
    arms = [arm for arm in ARMS if any(m.variant.arm == arm for m in measured)]
    shown_in = {id(found): _arm_of(found, question, arms) for found in findings}
    charts = (
        learning_chart(f"{name}-learning", "Learning curves", main, looks),
        outcome_chart(f"{name}-outcomes", measured, looks),
        tradeoff_chart(f"{name}-tradeoff", measured, looks),
    )
    own = [found for found in findings if not shown_in[id(found)]]
    table = variant_table(f"{question.title}: the variants", main)
    given = _arm("", table, charts, own, f"{name}-differences")
    given = dataclasses.replace(
        given, over_epochs=_over_epochs(f"{name}-epochs", results, question, own)
    )
    answered = Answered.of(results, question, tests)
    if answered is not None:
        labels, caption = [m.label for m in main], f"{question.title}: accuracy by class"
        given = dataclasses.replace(
            given,
            images=image_chart(f"{name}-images", [found.verdict for found in own], answered),
            classes=class_table(caption, answered, labels),
        )
    return Section(
        anchor=name,
        title=question.title,
        answer=range_sentence(main),
        method=method_sentence(verdicts),
        main=given,
        others=tuple(
            _other_arm(
                arm, results, question, name, [f for f in findings if shown_in[id(f)] == arm]
            )
            for arm in arms
        ),
        layers=tuple(layer_table(m.label, m.summary) for m in measured),
    )


def _other_arm(
    arm: str,
    results: StudyResults,
    question: Question,
    name: str,
    findings: Sequence[Finding],
) -> Arm:
    """The variants of an arm with the claims about them."""
    members = control_arm(measure(results, question), arm)
    looks = looks_of(question.variants)
    start = f"{name}-{file_prefix(arm)}"
    title = ARMS[arm].title
    curves = learning_chart(f"{start}learning", f"Learning curves, {title}", members, looks)
    caption = "the control arm" if arm == PARAMS else title
    table = variant_table(f"{question.title}: {caption}", members)
    over_epochs = _over_epochs(f"{start}epochs", results, question, findings)
    made = _arm(arm, table, (curves,), findings, f"{start}differences")
    return dataclasses.replace(made, over_epochs=over_epochs)


def _arm_of(found: Finding, question: Question, arms: Sequence[str]) -> str:
    """The arm that a claim is about: by its family, else by its variants; empty for none."""
    for arm in arms:
        family = f"{question.name} {ARMS[arm].family}"
        if found.verdict.claim.question in (family, f"{family}{INTERACTIONS}"):
            return arm
    labels = {variant.label: variant.arm for variant in question.variants}
    named = [labels.get(label) for label in found.verdict.claim.labels]
    return next((arm for arm in named if arm), "")


def file_prefix(arm: str) -> str:
    """What begins the names of an arm's files, behind the question's: `control_`."""
    if not arm:
        return ""
    return "control_" if arm == PARAMS else f"{arm}_"


def _over_epochs(
    name: str, results: StudyResults, question: Question, findings: Sequence[Finding]
) -> Chart | None:
    return over_epochs_chart(name, results, question, [found.verdict for found in findings])


def _arm(
    name: str,
    table: Table,
    charts: Sequence[Chart | None],
    findings: Sequence[Finding],
    differences: str,
) -> Arm:
    return Arm(
        name=name,
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
