"""What a report says, before it is written in Markdown or HTML."""

import dataclasses
from collections import Counter
from collections.abc import Sequence

from cnn_ablation.claims import Verdict
from cnn_ablation.data import LabeledImages
from cnn_ablation.report.anchors import anchors
from cnn_ablation.report.charts import Chart, Panel
from cnn_ablation.report.contrasts import contrast_table
from cnn_ablation.report.curves import learning_chart
from cnn_ablation.report.differences import difference_chart, difference_panel
from cnn_ablation.report.images import Answered, class_table, image_chart
from cnn_ablation.report.looks import OUTCOME_SYMBOLS, looks_of
from cnn_ablation.report.measures import control_arm, main_arm, measure
from cnn_ablation.report.outcomes import outcome_chart
from cnn_ablation.report.setting import (
    Fact,
    command_of,
    facts_of,
    lost_trials,
    setting_sentence,
    warnings_of,
)
from cnn_ablation.report.tables import Cell, Table, layer_table, variant_table
from cnn_ablation.report.tradeoffs import tradeoff_chart
from cnn_ablation.study import Question
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.verdicts import judge_results


@dataclasses.dataclass(frozen=True)
class Finding:
    """One claim and its verdict.

    Attributes:
        anchor: identifier in the page.
        verdict: the verdict.
        contrasts: what it was judged by, or None.
        panel: its paired differences, or None.
    """

    anchor: str
    verdict: Verdict
    contrasts: Table | None
    panel: Panel | None

    @property
    def symbol(self) -> str:
        """A sign for the outcome."""
        return OUTCOME_SYMBOLS[self.verdict.outcome]

    @property
    def labels(self) -> set[str]:
        """The variants that the claim compares."""
        return {label for contrast in self.verdict.claim.contrasts for label in contrast}


@dataclasses.dataclass(frozen=True)
class Arm:
    """Variants that are compared with each other: a question's own, or its control arm.

    Attributes:
        findings: the claims about them.
        table: their figures.
        charts: their figures drawn.
        differences: all their paired differences in one chart, or None.
        images: where their differences come from, as pictures; None where it is not known which
            images each trial got right.
        classes: their accuracy by class, likewise.
    """

    findings: tuple[Finding, ...]
    table: Table
    charts: tuple[Chart, ...]
    differences: Chart | None
    images: Chart | None = None
    classes: Table | None = None

    def files(self) -> tuple[Chart, ...]:
        """The charts that are written as files of their own."""
        return (*self.charts, *(c for c in (self.differences, self.images) if c is not None))


@dataclasses.dataclass(frozen=True)
class Section:
    """One question.

    Attributes:
        anchor: identifier in the page and start of its charts' file names.
        title: heading.
        main: the variants.
        control: the control arm, or None.
        layers: the layer table of each variant and control.
    """

    anchor: str
    title: str
    main: Arm
    control: Arm | None
    layers: tuple[Table, ...]

    @property
    def arms(self) -> tuple[Arm, ...]:
        """Both arms, or the only one."""
        return (self.main, self.control) if self.control else (self.main,)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The claims about either arm."""
        return tuple(found for arm in self.arms for found in arm.findings)


@dataclasses.dataclass(frozen=True)
class Content:
    """The whole report.

    Attributes:
        title: the study's question.
        setting: how it was run, in a sentence.
        warnings: what is missing or went wrong, a sentence each.
        score: outcomes and how many claims have each.
        sections: one a question.
        lost: trials that did not complete, or None.
        facts: how it was run and on what.
        command: how to run it again.
        verdicts: every claim's, in the order of the questions and of their claims.
    """

    title: str
    setting: str
    warnings: tuple[str, ...]
    score: tuple[tuple[str, str, int], ...]
    sections: tuple[Section, ...]
    lost: Table | None
    facts: tuple[Fact, ...]
    command: str
    verdicts: tuple[Verdict, ...]


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
        score=tuple((OUTCOME_SYMBOLS[o], o, counts[o]) for o in OUTCOME_SYMBOLS if counts[o]),
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
    findings = _findings(name, verdicts)
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
        main=arm,
        control=_arm(
            variant_table(f"{question.title}: the control arm", control),
            (controlled,),
            of_controls,
            f"{name}-control_differences",
        )
        if control
        else None,
        layers=tuple(layer_table(m.label, m.summary) for m in measured),
    )


def _arm(
    table: Table, charts: Sequence[Chart | None], findings: Sequence[Finding], differences: str
) -> Arm:
    return Arm(
        findings=tuple(findings),
        table=table,
        charts=tuple(chart for chart in charts if chart),
        differences=difference_chart(differences, [found.verdict for found in findings]),
    )


def _findings(section: str, verdicts: Sequence[Verdict]) -> tuple[Finding, ...]:
    names = anchors([verdict.claim.name for verdict in verdicts])
    return tuple(
        Finding(
            # A section's name has no double dash: two sections cannot make the same anchor.
            anchor=f"{section}--{name}",
            verdict=verdict,
            contrasts=contrast_table(verdict),
            panel=difference_panel(verdict),
        )
        for name, verdict in zip(names, verdicts, strict=True)
    )


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
