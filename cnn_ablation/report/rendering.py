"""Charts drawn: as files of their own, and as the SVG of one panel or of one key's swatch.

Drawn with the object interface alone, under one style whatever the user's settings, so that equal
charts are equal bytes and nothing of the process's other figures is touched.
"""

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cnn_ablation.errors import InputError
from cnn_ablation.report.axes import fitted
from cnn_ablation.report.charts import WIDE, Chart, Panel
from cnn_ablation.report.looks import PAPER, STYLE, Look
from cnn_ablation.report.tips import marked

Format = Literal["svg", "png"]

_PNG_DPI = 144
# A key's row in inches; its line and marker take the room of so many letters; letters a row.
_KEY_ROW, _KEY_HANDLE, _KEY_LETTERS = 0.2, 9, 115
_TITLE_HEIGHT = 0.25


def chart_files(chart: Chart, formats: Sequence[Format] = get_args(Format)) -> dict[Format, bytes]:
    """A chart as one image in each format, on opaque paper."""
    with _styled():
        figure = _chart_figure(chart)
        # The layout is worked out once; each file would else do it again.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        return {form: _save(figure, form, PAPER) for form in formats}


def image_form(path: Path) -> Format:
    """The format that a file's name asks for.

    Raises:
        InputError: it ends in neither `.png` nor `.svg`.
    """
    form = path.suffix.removeprefix(".")
    if form == "png":
        return "png"
    if form == "svg":
        return "svg"
    raise InputError(f"{path}: must end in .png or .svg")


def _chart_figure(chart: Chart) -> Figure:
    """Panels in columns, the key below."""
    columns = min(chart.columns, len(chart.panels))
    rows = [chart.panels[i : i + columns] for i in range(0, len(chart.panels), columns)]
    heights = [max(_height(panel) for panel in row) for row in rows]
    key_rows = -(-len(chart.key) // _key_columns(chart))
    height = sum(heights) + _KEY_ROW * key_rows + (0.1 if key_rows else 0)
    figure = Figure(figsize=(WIDE, height), facecolor=PAPER)
    grid = figure.subplots(len(rows), columns, squeeze=False, height_ratios=heights)
    for row, row_of_axes in zip(rows, grid, strict=True):
        for panel, axes in zip(row, row_of_axes, strict=False):
            panel.draw(axes)
            if panel.title:
                axes.set_title(panel.title, loc="left")
        for axes in row_of_axes[len(row) :]:
            axes.set_axis_off()
    _add_key(figure, chart)
    return figure


def panel_svg(panel: Panel) -> tuple[str, Mapping[str, tuple[str, ...]]]:
    """One panel on transparent paper, for a page, and the texts of its points by their ids."""
    with _styled():
        figure = Figure(figsize=(panel.width, panel.height))
        panel.draw(figure.subplots())
        tips = marked(figure)
        return _save(figure, "svg", "none").decode(), tips


def swatch_svg(look: Look) -> str:
    """A line and marker, for the key of a page."""
    with _styled():
        figure = Figure(figsize=(0.42, 0.16))
        figure.set_layout_engine("none")
        axes: Axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, 2)
        axes.plot([0, 1, 2], [0, 0, 0], **look.strokes(), markevery=[1])
        return _save(figure, "svg", "none").decode()


@contextlib.contextmanager
def _styled() -> Iterator[None]:
    with style.context(["default", dict(STYLE)], after_reset=True):
        yield


def _height(panel: Panel) -> float:
    return panel.height + (_TITLE_HEIGHT if panel.title else 0)


def _add_key(figure: Figure, chart: Chart) -> None:
    if not chart.key:
        return
    key = figure.legend(
        handles=[Line2D([], [], label="label", **look.strokes()) for _, look in chart.key],
        loc="outside lower center",
        ncols=_key_columns(chart),
        handlelength=3,
    )
    # Put in afterwards, because matplotlib leaves out labels that begin with an underscore.
    for text, (label, _) in zip(key.get_texts(), chart.key, strict=True):
        text.set_text(fitted(label, lines=1, width=_KEY_LETTERS - _KEY_HANDLE))


def _key_columns(chart: Chart) -> int:
    """As many columns as the longest label leaves room for."""
    longest = max((len(label) for label, _ in chart.key), default=0)
    return max(1, min(len(chart.key), _KEY_LETTERS // (longest + _KEY_HANDLE)))


def _save(figure: Figure, form: Format, paper: str) -> bytes:
    file = io.BytesIO()
    # Neither the time nor the version of matplotlib: equal charts are equal files.
    metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
    figure.savefig(file, format=form, dpi=_PNG_DPI, facecolor=paper, metadata=metadata)
    return file.getvalue()
