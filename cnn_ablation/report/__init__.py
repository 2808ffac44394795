"""What a study found, for people: a report in HTML and Markdown, its figures, and tidy tables.

report.html            one page that needs nothing else
report.md, figures/    the same for a repository, each figure as SVG and PNG
results.csv, .parquet  one row per trial and epoch
verdicts.csv           one row per contrast of a claim
tuning.csv             one row per trial of tuning, which are none of the trials in results.csv
claims.toml, timings.csv   with results.csv what `cnn_ablation.judge` needs for the same verdicts

`write_comparison` puts several studies on one page, `write_effects` their choices in one picture.

Everything is made from a `StudyResults` alone, and equal results give equal files. A notebook takes
the same apart: `answers(results)` are tables, verdicts and figures that its cells show.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from cnn_ablation.claims import evaluated_on
from cnn_ablation.claims.rows import verdicts_csv
from cnn_ablation.data import LabeledImages
from cnn_ablation.errors import InputError
from cnn_ablation.report.answers import Answer, Figure, Markdown, answers
from cnn_ablation.report.charts import Chart
from cnn_ablation.report.comparison import compare_studies
from cnn_ablation.report.content import compose
from cnn_ablation.report.effects_figure import effects_chart
from cnn_ablation.report.export import claims_toml, timings_csv
from cnn_ablation.report.pages import comparison_page, html_page, markdown_page
from cnn_ablation.report.rendering import chart_files, image_form
from cnn_ablation.report.tuning import tuning_csv
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.rows import rows_of, to_csv, to_parquet
from cnn_ablation.system.files import write_bytes, write_text

__all__ = [
    "Answer",
    "Figure",
    "Markdown",
    "answers",
    "write_comparison",
    "write_effects",
    "write_report",
]


def write_report(results: StudyResults, folder: Path, tests: LabeledImages | None = None) -> Path:
    """Writes the whole report, each file atomically and the page last.

    Args:
        results: what the study has found so far; it need not be finished.
        folder: where the files go; made if need be.
        tests: the images that it was tested on, for pictures of those that designs differ on and
            accuracy by class; None leaves these out.

    Returns:
        The path of `report.html`.

    Raises:
        OSError: the folder cannot be written.
    """
    with evaluated_on(results.data.evaluated):
        content = compose(results, tests)
        _write_figures(content.charts(), folder)
        pages = markdown_page(content), html_page(content)
    rows = rows_of(results)
    write_text(folder / "results.csv", to_csv(rows))
    write_text(folder / "verdicts.csv", verdicts_csv(content.verdicts))
    if content.verdicts:
        write_text(folder / "claims.toml", claims_toml(results, content.sections))
    if results.timings:
        write_text(folder / "timings.csv", timings_csv(results))
    if results.tuning is not None:
        write_text(folder / "tuning.csv", tuning_csv(results.tuning))
    table = to_parquet(rows)
    if table is not None:
        write_bytes(folder / "results.parquet", table)
    write_text(folder / "report.md", pages[0])
    page = folder / "report.html"
    write_text(page, pages[1])
    return page


def _write_figures(charts: Iterable[Chart], folder: Path) -> None:
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    for chart in charts:
        for form, image in chart_files(chart).items():
            write_bytes(figures / f"{chart.name}.{form}", image)


def write_comparison(studies: Mapping[str, StudyResults], folder: Path) -> Path:
    """Writes one page about several studies, and its figures.

    Args:
        studies: by the name that the page calls them.
        folder: where the files go; made if need be.

    Returns:
        The path of `comparison.html`.

    Raises:
        OSError: the folder cannot be written.
    """
    page = folder / "comparison.html"
    with _evaluated(studies.values()):
        content = compare_studies(studies)
        _write_figures(content.charts, folder)
        write_text(page, comparison_page(content))
    return page


def write_effects(
    studies: Sequence[StudyResults], path: Path, *, tuned_alone: bool = False
) -> None:
    """Draws every choice of one or more studies in one picture, `.png` or `.svg`.

    Studies of one dataset share a column, those of another stand beside it. All intervals cover
    together. Where variants are tuned, `tuned_alone` leaves out those as given.

    Raises:
        InputError: the file's name ends otherwise, or no choice has data.
        OSError: the file cannot be written.
    """
    form = image_form(path)
    with _evaluated(studies):
        chart = effects_chart(studies, tuned_alone=tuned_alone)
        if chart is None:
            raise InputError(f"{path}: no study has a choice to draw against a base")
        write_bytes(path, chart_files(chart, (form,))[form])


def _evaluated(studies: Iterable[StudyResults]) -> AbstractContextManager[None]:
    return evaluated_on(*(results.data.evaluated for results in studies))
