"""A report piece by piece, for the cells of a notebook, which shows each piece by itself."""

import dataclasses
from collections.abc import Mapping

from cnn_ablation.claims import evaluated_on
from cnn_ablation.report.charts import Chart
from cnn_ablation.report.content import compose, file_prefix
from cnn_ablation.report.pages import markdown_findings, markdown_table
from cnn_ablation.report.parts import Arm, Section
from cnn_ablation.report.rendering import chart_files
from cnn_ablation.report.tables import NONE, Cell, Table
from cnn_ablation.study.results import StudyResults


class Markdown(str):
    """Text in Markdown; a notebook shows it as it is meant."""

    def _repr_markdown_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        return str(self)


@dataclasses.dataclass(frozen=True)
class Figure:
    """A chart; a notebook shows it drawn.

    Attributes:
        chart: what is drawn.
        evaluated: what the study is evaluated on: `test` or `validation` images.
    """

    chart: Chart
    evaluated: str = "test"

    @property
    def caption(self) -> Markdown:
        """What is shown and what dots, bars and bands stand for."""
        return Markdown(f"*{self.chart.title}.* {self.chart.caption}")

    def png(self) -> bytes:
        """The image."""
        with evaluated_on(self.evaluated):
            return chart_files(self.chart, ("png",))["png"]

    def _repr_png_(self) -> bytes:
        return self.png()

    def __repr__(self) -> str:
        return ". ".join(panel.alt for panel in self.chart.panels)


@dataclasses.dataclass(frozen=True)
class Answer:
    """What was found of one question, or of it in another arm.

    Attributes:
        title: heading.
        table: what each variant reaches, beside what was published of it, and its parameters.
        verdicts: every claim judged, a sentence each.
        figures: by name: `outcomes`, `tradeoff`, and where there is something to draw, `learning`
            (curves), `differences` (paired, one panel a claim) and `epochs` (they, over training).
    """

    title: str
    table: Markdown
    verdicts: Markdown
    figures: Mapping[str, Figure]


def answers(results: StudyResults) -> list[Answer]:
    """Judges a study's results and takes the report apart.

    Returns:
        An answer for each question, followed by those of its other arms.
    """
    found = []
    with evaluated_on(results.data.evaluated):
        for section in compose(results).sections:
            for arm in (section.main, *section.others):
                others = "" if arm is section.main else f": {arm.title}"
                title = f"{section.title}{others}"
                found.append(_answer(section, arm, title, results.data.evaluated))
    return found


def _brief(table: Table) -> Table:
    """As much of a report's table as a notebook has room for: no details, no empty columns."""
    rows = [[Cell(cell.text) for cell in row] for row in table.rows]
    shown = [
        number
        for number, heading in enumerate(table.headings)
        if any(row[number].text != NONE for row in rows)
    ]
    headings = [Cell(heading.text, heading.details[:1]) for heading in table.headings]
    return dataclasses.replace(
        table,
        headings=tuple(headings[number] for number in shown),
        rows=tuple(tuple(row[number] for number in shown) for row in rows),
    )


def _answer(section: Section, arm: Arm, title: str, evaluated: str) -> Answer:
    prefix = f"{section.anchor}-{file_prefix(arm.name)}"
    figures = {chart.name.removeprefix(prefix): Figure(chart, evaluated) for chart in arm.files()}
    return Answer(
        title=title,
        table=Markdown(markdown_table(_brief(arm.table))),
        verdicts=Markdown(markdown_findings(arm.findings)),
        figures=figures,
    )
