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
from cnn_ablation.report.measures import Measured, control_arm, main_arm, measure
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
from cnn_ablation.report.tuning import TuningSection, tuning_section
from cnn_ablation.study import Question
from cnn_ablation.study.arms import ARMS, INTERACTIONS
from cnn_ablation.study.controls import PARAMS
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
        return set(self.verdict.claim.labels)


@dataclasses.dataclass(frozen=True)
class Arm:
    """Variants that are compared with each other: a question's own, or those of another arm.

    Attributes:
        name: a key of `study.arms.ARMS`; empty for the variants as given.
        findings: the claims about them.
        table: their figures.
        charts: their figures drawn.
        differences: all their paired differences in one chart, or None.
        images: where their differences come from, as pictures; None where it is not known which
            images each trial got right.
        classes: their accuracy by class, likewise.
    """

    name: str
    findings: tuple[Finding, ...]
    table: Table
    charts: tuple[Chart, ...]
    differences: Chart | None
    images: Chart | None = None
    classes: Table | None = None

    @property
    def title(self) -> str:
        """What it is called, and what begins the names of its files: `control arm`."""
        return ARMS[self.name].title

    @property
    def note(self) -> str:
        """What was done to make it fair, and what follows from that."""
        return ARMS[self.name].note

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
        others: the other arms in which the variants are compared.
        layers: the layer table of each variant and control.
    """

    anchor: str
    title: str
    main: Arm
    others: tuple[Arm, ...]
    layers: tuple[Table, ...]

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The variants as given, and the other arms."""
        return (self.main, *self.others)

    @property
    def control(self) -> Arm | None:
        """The arm at equal parameters, or None."""
        return next((arm for arm in self.others if arm.name == PARAMS), None)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The claims about all arms."""
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
        tuning: how variants were tuned, or None.
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
    tuning: TuningSection | None = None


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
    findings = _findings(name, verdicts)
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
        main=given,
        others=tuple(
            _other_arm(
                arm, question, name, measured, [f for f in findings if shown_in[id(f)] == arm]
            )
            for arm in arms
        ),
        layers=tuple(layer_table(m.label, m.summary) for m in measured),
    )


def _other_arm(
    arm: str,
    question: Question,
    name: str,
    measured: Sequence[Measured],
    findings: Sequence[Finding],
) -> Arm:
    """The variants of an arm with the claims about them."""
    members = control_arm(measured, arm)
    looks = looks_of(question.variants)
    start = f"{name}-{file_prefix(arm)}"
    title = ARMS[arm].title
    curves = learning_chart(f"{start}learning", f"Learning curves, {title}", members, looks)
    caption = "the control arm" if arm == PARAMS else title
    table = variant_table(f"{question.title}: {caption}", members)
    return _arm(arm, table, (curves,), findings, f"{start}differences")


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
