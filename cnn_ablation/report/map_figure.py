"""A map of verdicts: where a conclusion holds and where it turns.

One row a setting, one column a contrast; the colour is the difference, the sign the verdict.
"""

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, FuncNorm, Normalize
from numpy.typing import NDArray

from cnn_ablation.claims.verdict import Outcome
from cnn_ablation.errors import InputError
from cnn_ablation.report.axes import fitted
from cnn_ablation.report.charts import WIDE, Chart, Panel
from cnn_ablation.report.looks import FAINT, OUTCOME_SYMBOLS
from cnn_ablation.report.rendering import chart_files, image_form
from cnn_ablation.system.files import write_bytes

# Columns that leave room for a number in each cell at README width.
_MOST_COLUMNS = 14
_ROW, _HEADINGS, _SHADES = 0.27, 1.5, 21
# A few cells may lie far outside the others: the colour is full at this share of all.
_FULL_AT = 0.95
# Cells are light or dark whatever the page is, so their text does not follow the page's ink.
_DARK, _LIGHT = "#101112", "#f8f9fa"
_CAPTION = (
    "Colour and number are the mean difference, first minus second, orange where the first is "
    "higher and violet where it is lower. The sign is the verdict on the contrast there: "
    f"{OUTCOME_SYMBOLS['holds']} holds, {OUTCOME_SYMBOLS['fails']} fails, "
    f"{OUTCOME_SYMBOLS['inconclusive']} inconclusive, {OUTCOME_SYMBOLS['not judged']} not judged; "
    "a fainter number has zero in its interval."
)


@dataclasses.dataclass(frozen=True)
class MapCell:
    """What was found of one contrast in one setting.

    Attributes:
        setting: names the row, such as `rate 0.1, 5 epochs`.
        contrast: names the column, such as `k5 − k3`.
        difference: mean of first minus second, as a reader sees it: in points, in %; None where
            there are no data.
        low: lower bound of its interval, in the same unit; None where there is none.
        high: upper bound.
        outcome: a key of `OUTCOME_SYMBOLS`.
        measure: what differs, with its unit: cells of another measure stand in a map of their own.
    """

    setting: str
    contrast: str
    difference: float | None
    low: float | None = None
    high: float | None = None
    outcome: Outcome = "not judged"
    measure: str = "difference in test accuracy (points)"

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.low is not None and self.high is not None and not self.low <= 0.0 <= self.high


def draw_map(rows: Sequence[MapCell], path: Path) -> None:
    """Draws cells as a map and writes it, in the format that the file's name ends in.

    Args:
        rows: the cells in any number; settings and contrasts stand in the order of their first
            mention, and a cell that is not among them stays empty.
        path: a name that ends in `.png` or `.svg`.

    Raises:
        InputError: there is no cell, a cell is there twice, or the name ends otherwise.
        OSError: the file cannot be written.
    """
    form = image_form(path)
    write_bytes(path, chart_files(map_chart("map", rows), (form,))[form])


def map_chart(name: str, cells: Sequence[MapCell], title: str = "Where it holds") -> Chart:
    """The same map as a chart: a panel for each measure, and for each so many columns.

    Raises:
        InputError: there is no cell, or a cell is there twice.
    """
    if not cells:
        raise InputError("map: must have a cell at least")
    panels: list[Panel] = []
    for measure in dict.fromkeys(cell.measure for cell in cells):
        panels += _panels(measure, [cell for cell in cells if cell.measure == measure])
    return Chart(name, title, _CAPTION, tuple(panels), columns=1)


def _panels(measure: str, cells: Sequence[MapCell]) -> list[Panel]:
    table = {(cell.setting, cell.contrast): cell for cell in cells}
    if len(table) < len(cells):
        raise InputError("map: must have each contrast once in a setting and measure")
    settings = list(dict.fromkeys(cell.setting for cell in cells))
    contrasts = list(dict.fromkeys(cell.contrast for cell in cells))
    full = _full_colour(cells)
    parts = -(-len(contrasts) // _MOST_COLUMNS)
    size = -(-len(contrasts) // parts)
    return [
        Panel(
            f"{measure}-{first}",
            _alt(measure, settings, contrasts[first : first + size], table),
            functools.partial(
                _draw,
                table=table,
                settings=settings,
                contrasts=contrasts[first : first + size],
                full=full,
                measure=measure,
            ),
            height=_HEADINGS + _ROW * len(settings),
            width=WIDE,
        )
        for first in range(0, len(contrasts), size)
    ]


def _full_colour(cells: Sequence[MapCell]) -> float:
    """The difference at which the colour is full."""
    sizes = [abs(cell.difference) for cell in cells if cell.difference is not None]
    return float(np.quantile(sizes, _FULL_AT)) or 1.0 if sizes else 1.0


def _alt(
    measure: str,
    settings: Sequence[str],
    contrasts: Sequence[str],
    table: Mapping[tuple[str, str], MapCell],
) -> str:
    told = [
        f"{setting}: "
        + ", ".join(
            f"{contrast} {table[setting, contrast].outcome}"
            for contrast in contrasts
            if (setting, contrast) in table
        )
        for setting in settings
    ]
    return f"Map of the {measure}. {'; '.join(told)}"


def _draw(
    axes: Axes,
    *,
    table: Mapping[tuple[str, str], MapCell],
    settings: Sequence[str],
    contrasts: Sequence[str],
    full: float,
    measure: str,
) -> None:
    shades = colormaps["PuOr_r"].resampled(_SHADES)
    # Roots, so that small differences have a colour beside large ones.
    norm = FuncNorm((_root, _square), -full, full)
    cells = [[table.get((setting, contrast)) for contrast in contrasts] for setting in settings]
    known = [
        [np.nan if cell is None or cell.difference is None else cell.difference for cell in row]
        for row in cells
    ]
    drawn = axes.pcolormesh(
        np.ma.masked_invalid(known), cmap=shades, norm=norm, edgecolor="white", linewidth=1.0
    )
    for row, its in enumerate(cells):
        for column, cell in enumerate(its):
            if cell is not None:
                _write(axes, column, row, cell, shades, norm)
    axes.set_xticks(np.arange(len(contrasts)) + 0.5, [fitted(c, 1, 24) for c in contrasts])
    axes.tick_params(axis="x", labelrotation=35, labeltop=True, labelbottom=False, length=0)
    for label in axes.get_xticklabels():
        label.set(ha="left", rotation_mode="anchor")
    axes.set_yticks(np.arange(len(settings)) + 0.5, [fitted(s, 1, 36) for s in settings])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    figure = axes.get_figure()
    assert figure is not None
    bar = figure.colorbar(drawn, ax=axes, fraction=0.035, pad=0.015, extend="both")
    bar.set_label(fitted(measure, 3, 18), fontsize=7.5)
    bar.outline.set_visible(False)


def _root(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sign(values) * np.sqrt(np.abs(values))


def _square(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sign(values) * np.square(values)


def _write(
    axes: Axes, column: int, row: int, cell: MapCell, shades: Colormap, norm: Normalize
) -> None:
    """Sign and number, in what can be read on the cell's colour."""
    text = OUTCOME_SYMBOLS[cell.outcome]
    colour = FAINT
    if cell.difference is not None:
        decimals = max(2, 2 - math.floor(math.log10(norm.vmax or 1.0)))
        text = f"{text} {cell.difference:+.{decimals}f}".replace("-", "−")
        red, green, blue, _ = shades(norm(cell.difference))
        colour = _DARK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45 else _LIGHT
    axes.text(
        column + 0.5,
        row + 0.5,
        text,
        ha="center",
        va="center",
        fontsize=7.5,
        color=colour,
        alpha=1.0 if cell.excludes_zero or cell.difference is None else 0.75,
        fontweight="bold" if cell.outcome in ("holds", "fails") else "normal",
    )
