"""What a study found, for people: a report in HTML and Markdown, its figures, and tidy tables.

report.html            one page that needs nothing else
report.md, figures/    the same for a repository, each figure as SVG and PNG
results.csv, .parquet  one row per trial and epoch
verdicts.csv           one row per contrast of a claim
tuning.csv             one row per trial of tuning, which are none of the trials in results.csv
claims.toml, timings.csv   with results.csv what `cnn_ablation.judge` needs for the same verdicts

Everything is made from a `StudyResults` alone, and equal results give equal files. A notebook takes
the same apart: `answers(results)` are tables, verdicts and figures that its cells show.
"""

from pathlib import Path

from cnn_ablation.claims.rows import verdicts_csv
from cnn_ablation.data import LabeledImages
from cnn_ablation.report.answers import Answer, Figure, Markdown, answers
from cnn_ablation.report.content import compose
from cnn_ablation.report.export import claims_toml, timings_csv
from cnn_ablation.report.pages import html_page, markdown_page
from cnn_ablation.report.rendering import chart_files
from cnn_ablation.report.tuning import tuning_csv
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.rows import rows_of, to_csv, to_parquet
from cnn_ablation.system.files import write_bytes, write_text

__all__ = ["Answer", "Figure", "Markdown", "answers", "write_report"]


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
    content = compose(results, tests)
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    charts = [chart for s in content.sections for arm in s.arms for chart in arm.files()]
    if content.tuning is not None and content.tuning.chart is not None:
        charts.append(content.tuning.chart)
    for chart in charts:
        for form, image in chart_files(chart).items():
            write_bytes(figures / f"{chart.name}.{form}", image)
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
    write_text(folder / "report.md", markdown_page(content))
    page = folder / "report.html"
    write_text(page, html_page(content))
    return page
