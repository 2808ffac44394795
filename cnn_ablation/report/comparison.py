"""Several studies on one page: their verdicts side by side, which agree, settings that differ."""

import dataclasses
from collections.abc import Mapping, Sequence

from cnn_ablation.claims import Verdict
from cnn_ablation.claims.words import plural
from cnn_ablation.errors import as_typed
from cnn_ablation.report.anchors import anchors
from cnn_ablation.report.charts import Chart
from cnn_ablation.report.effects_figure import effects_chart
from cnn_ablation.report.headlines import Headline, headline_of, words_of
from cnn_ablation.report.looks import OUTCOME_SYMBOLS
from cnn_ablation.report.map_figure import map_chart
from cnn_ablation.report.map_files import map_cells
from cnn_ablation.report.tables import NONE, Cell, Table
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.verdicts import judge_results

AGREE, DIFFER, ALONE = "agree", "differ", "judged in one"


@dataclasses.dataclass(frozen=True)
class Judged:
    """One claim in one study.

    Attributes:
        verdict: its verdict.
        headline: its most telling numbers.
    """

    verdict: Verdict
    headline: Headline

    @property
    def symbol(self) -> str:
        """A sign for the outcome."""
        return OUTCOME_SYMBOLS[self.verdict.outcome]


@dataclasses.dataclass(frozen=True)
class Row:
    """One claim in all studies.

    Attributes:
        question: heading of its question.
        text: the claim.
        judged: what came of it in each study; None where the study does not make the claim.
        agreement: whether all studies that judged it came to one outcome.
    """

    question: str
    text: str
    judged: tuple[Judged | None, ...]
    agreement: str


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The page.

    Attributes:
        title: heading.
        names: what the studies are called, one each.
        score: how many claims agree, in a sentence.
        rows: one a claim.
        settings: what differs between the studies, or None.
        charts: effects and map, as far as there are any.
        words: the terms that the verdicts use, and what they mean.
    """

    title: str
    names: tuple[str, ...]
    score: str
    rows: tuple[Row, ...]
    settings: Table | None
    charts: tuple[Chart, ...]
    words: tuple[tuple[str, str], ...]


def compare_studies(studies: Mapping[str, StudyResults]) -> Comparison:
    """Judges each study by itself and puts the verdicts side by side.

    Claims are the same where question and name are. Each study's verdicts keep the level that they
    have alone: that two of them agree is an observation and no test.

    Args:
        studies: by the name that the page calls them.
    """
    judged = {name: judge_results(study) for name, study in studies.items()}
    rows = _rows(studies, judged)
    titles = dict.fromkeys(study.study.title for study in studies.values())
    charts = (effects_chart(list(studies.values())), _map(judged))
    return Comparison(
        title=" / ".join(titles) if len(titles) < 3 else f"{len(studies)} studies compared",
        names=tuple(studies),
        score=_score(rows, len(studies)),
        rows=rows,
        settings=settings_table(studies),
        charts=tuple(chart for chart in charts if chart is not None),
        words=words_of([verdict for its in judged.values() for verdict in its]),
    )


def settings_table(studies: Mapping[str, StudyResults]) -> Table | None:
    """The settings in which not all studies agree, a row each; None where there are none."""
    every = [_settings(study) for study in studies.values()]
    names = dict.fromkeys(name for its in every for name in its)
    rows = [
        (Cell(name), *(Cell(its.get(name, NONE)) for its in every))
        for name in names
        if len({its.get(name, NONE) for its in every}) > 1
    ]
    headings = (Cell("setting"), *map(Cell, studies))
    return Table("Settings that differ", headings, tuple(rows)) if rows else None


def _settings(study: StudyResults) -> dict[str, str]:
    plan = study.plan
    found = {name: as_typed(value) or "none" for name, value in plan.settings().items()}
    found["dataset fingerprint"] = plan.fingerprint[:8] or NONE
    found["seeds"] = f"{len(plan.seeds)}"
    found["looks"] = NONE if plan.schedule is None else ", ".join(map(str, plan.schedule.looks))
    for name in ("cnn_ablation", "git_revision", "device"):
        found[name.replace("_", " ")] = as_typed(plan.environment.get(name)) or NONE
    found["git revision"] = found["git revision"][:8]
    return found


def _rows(
    studies: Mapping[str, StudyResults], judged: Mapping[str, Sequence[Verdict]]
) -> tuple[Row, ...]:
    titles = {q.name: q.title for study in studies.values() for q in study.study.questions}
    found: dict[tuple[str, str], dict[str, Verdict]] = {}
    for name, verdicts in judged.items():
        for verdict in verdicts:
            found.setdefault((verdict.claim.question, verdict.claim.name), {})[name] = verdict
    rows = []
    for (question, _), verdicts_by_study in found.items():
        cells = tuple(
            Judged(own, headline_of(own)) if (own := verdicts_by_study.get(name)) else None
            for name in studies
        )
        text = next(iter(verdicts_by_study.values())).claim.text
        agreement = _agreement([verdict.outcome for verdict in verdicts_by_study.values()])
        rows.append(Row(titles.get(question, question), text, cells, agreement))
    return tuple(rows)


def _agreement(outcomes: Sequence[str]) -> str:
    judged = [outcome for outcome in outcomes if outcome != "not judged"]
    if len(judged) < 2:
        return ALONE if judged else NONE
    return AGREE if len(set(judged)) == 1 else DIFFER


def _score(rows: Sequence[Row], studies: int) -> str:
    counts = {word: sum(row.agreement == word for row in rows) for word in (AGREE, DIFFER, ALONE)}
    return (
        f"{plural(studies, 'study').replace('studys', 'studies')}, {plural(len(rows), 'claim')}: "
        f"{counts[AGREE]} come out alike wherever they are judged, {counts[DIFFER]} do not, "
        f"{counts[ALONE]} are judged in one study alone."
    )


def _map(judged: Mapping[str, Sequence[Verdict]]) -> Chart | None:
    """The accuracy contrasts of all studies; None where there are none."""
    accuracies = {
        name: [verdict for verdict in verdicts if verdict.claim.metric == "test_accuracy"]
        for name, verdicts in judged.items()
    }
    cells = [cell for cell in map_cells(accuracies) if cell.difference is not None]
    return map_chart("map", cells, "Every contrast in every study") if cells else None


def names_of_folders(folders: Sequence[str]) -> list[str]:
    """What studies are called: the last part of their folders, made unique."""
    return anchors([folder.rstrip("/").rpartition("/")[2] or folder for folder in folders])
