"""The parts of a report, before they are written in Markdown or HTML."""

import dataclasses

from cnn_ablation.claims import Verdict
from cnn_ablation.report.charts import Chart, Panel
from cnn_ablation.report.headlines import Headline
from cnn_ablation.report.looks import OUTCOME_SYMBOLS
from cnn_ablation.report.setting import Fact
from cnn_ablation.report.tables import Table
from cnn_ablation.report.tuning import TuningSection
from cnn_ablation.study.arms import ARMS
from cnn_ablation.study.controls import PARAMS


@dataclasses.dataclass(frozen=True)
class Finding:
    """One claim and its verdict.

    Attributes:
        anchor: identifier in the page.
        verdict: the verdict.
        headline: the comparison that tells most, in numbers.
        contrasts: what it was judged by, or None.
        panel: its paired differences, or None.
    """

    anchor: str
    verdict: Verdict
    headline: Headline
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
        over_epochs: the same contrasts after each epoch, or None.
        images: where their differences come from, as pictures; None where it is not known which
            images each trial got right.
        classes: their accuracy by class, likewise.
    """

    name: str
    findings: tuple[Finding, ...]
    table: Table
    charts: tuple[Chart, ...]
    differences: Chart | None
    over_epochs: Chart | None = None
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
        return (*self.charts, *(c for c in (self.differences, self.over_epochs, self.images) if c))


@dataclasses.dataclass(frozen=True)
class Section:
    """One question.

    Attributes:
        anchor: identifier in the page and start of its charts' file names.
        title: heading.
        answer: what its variants reach and cost, in a sentence.
        method: how its verdicts were reached; empty without statistics.
        main: the variants.
        others: the other arms in which the variants are compared.
        layers: the layer table of each variant and control.
    """

    anchor: str
    title: str
    answer: str
    method: str
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
        date: when it was declared, or empty where that is not known.
        score: outcomes and how many claims have each.
        words: the terms that its verdicts use, and what they mean.
        effects: what each choice does and costs, or None.
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
    date: str
    score: tuple[tuple[str, str, int], ...]
    words: tuple[tuple[str, str], ...]
    effects: Chart | None
    sections: tuple[Section, ...]
    lost: Table | None
    facts: tuple[Fact, ...]
    command: str
    verdicts: tuple[Verdict, ...]
    tuning: TuningSection | None = None

    def charts(self) -> tuple[Chart, ...]:
        """Every chart that is written as files of its own."""
        own = (chart for section in self.sections for arm in section.arms for chart in arm.files())
        beside = (self.effects, self.tuning.chart if self.tuning else None)
        return (*(chart for chart in beside if chart), *own)
