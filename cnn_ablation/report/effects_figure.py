"""One picture of all design choices: what each does to the accuracy, and what it costs."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from cnn_ablation.claims import unit_of
from cnn_ablation.report.axes import ACCURACY, fitted, padded
from cnn_ablation.report.charts import WIDE, Chart, Panel, split
from cnn_ablation.report.effects import PRICES, Effect, count_choices, effects_of
from cnn_ablation.report.looks import FAINT, INK, PAPER
from cnn_ablation.report.tips import tip
from cnn_ablation.study.arms import TUNED
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.verdicts import setting_of

_HIGHER, _LOWER = "#b35806", "#7a5cc0"
_ROW, _MARGINS = 0.235, 0.95
_LETTERS, _TITLE_LETTERS = 40, 60
# A scale is compressed far from zero where the largest effect is so many times the middle one.
_FAR = 6.0
_NICE = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_CAPTION = (
    "Every variant against the base design of its question, sorted: the mean difference in "
    "{} over the seeds that both share. The bars are 95 % intervals that cover all at once "
    "(Bonferroni over {}); a hollow marker has zero in its interval. On the right what the variant "
    "costs, as a multiple of the base's."
)
_BENT = " The axis is linear up to the first tick on either side of zero and logarithmic beyond."


@dataclasses.dataclass(frozen=True)
class Column:
    """The effects of studies that share a dataset, or a setting.

    Attributes:
        title: the dataset, or the setting.
        effects: by row: question, label and base.
    """

    title: str
    effects: Mapping[tuple[str, str, str], Effect]


def columns_of(studies: Sequence[StudyResults], *, tuned_alone: bool = False) -> tuple[Column, ...]:
    """The effects of several studies, a column for each dataset.

    Studies of one dataset share a column where they ask about different choices; where two ask
    about the same one, columns are of the whole setting.
    """
    total = sum(count_choices(study, tuned_alone=tuned_alone) for study in studies)
    found = [(study, effects_of(study, total, tuned_alone=tuned_alone)) for study in studies]
    return _columns(found, whole=False) or _columns(found, whole=True) or ()


def effects_chart(
    studies: Sequence[StudyResults], name: str = "effects", *, tuned_alone: bool = False
) -> Chart | None:
    """The picture, or None where no choice has data.

    Args:
        studies: one or more, whose intervals are to cover together.
        name: the chart's.
        tuned_alone: whether questions with tuned variants leave out those as given.
    """
    columns = columns_of(studies, tuned_alone=tuned_alone)
    rows = _sorted(columns)
    if not rows:
        return None
    total = sum(len(column.effects) for column in columns)
    bent = any(_bend(_values(column)) for column in columns)
    panel = Panel(
        "effects",
        f"What each choice does to the {unit_of(ACCURACY).label}, in points. "
        + _alt(rows, columns),
        functools.partial(_draw, rows=rows, columns=columns),
        height=_MARGINS + _ROW * len(rows),
        width=WIDE,
    )
    words = f"{total} choices" if total > 1 else "one choice"
    caption = _CAPTION.format(unit_of(ACCURACY).label, words) + (_BENT if bent else "")
    return Chart(name, "What each choice does and costs", caption, (panel,), columns=1)


def _columns(
    found: Sequence[tuple[StudyResults, list[Effect]]], *, whole: bool
) -> tuple[Column, ...] | None:
    """None where two studies of one column have the same choice."""
    columns: dict[str, dict[tuple[str, str, str], Effect]] = {}
    for study, effects in found:
        setting = setting_of(study.plan)
        its = columns.setdefault(str(setting) if whole else setting.dataset, {})
        for effect in effects:
            key = (effect.question, effect.label, effect.base)
            if key in its and not whole:
                return None
            its[key] = effect
    titles = _differing(list(columns)) if whole else list(columns)
    return tuple(Column(title, its) for title, its in zip(titles, columns.values(), strict=True))


def _differing(settings: Sequence[str]) -> list[str]:
    """Of each setting its dataset and the phrases that not all of them have."""
    phrases = [setting.split(", ") for setting in settings]
    shared = set(phrases[0]).intersection(*phrases[1:])
    return [
        ", ".join(dict.fromkeys([its[0], *(one for one in its if one not in shared)]))
        for its in phrases
    ]


def _sorted(columns: Sequence[Column]) -> list[tuple[str, str, str]]:
    """The rows with data, the largest mean effect first."""
    means = {}
    for key in dict.fromkeys(key for column in columns for key in column.effects):
        known = [
            effect.difference
            for column in columns
            if (effect := column.effects.get(key)) is not None and effect.difference is not None
        ]
        if known:
            means[key] = float(np.mean(known))
    return sorted(means, key=lambda key: -means[key])


def _points(value: float) -> float:
    return unit_of(ACCURACY).scale * value


def _values(column: Column) -> list[float]:
    return [_points(e.difference) for e in column.effects.values() if e.difference is not None]


def _alt(rows: Sequence[tuple[str, str, str]], columns: Sequence[Column]) -> str:
    told = []
    for column in columns:
        known = [
            f"{key[0]} {key[1]} minus {key[2]} {number_of(effect)}"
            for key in rows
            if (effect := column.effects.get(key)) is not None
        ]
        told.append(f"{column.title}: {', '.join(known)}")
    return "; ".join(told)


def number_of(effect: Effect) -> str:
    """The difference and its interval in points: '+0.35 [+0.20, +0.50]'."""
    if effect.difference is None:
        return "no data"
    unit = unit_of(ACCURACY)
    text = unit.signed(effect.difference)
    if effect.interval is not None:
        text += f" [{', '.join(unit.bounds(effect.interval))}]"
    return text.replace("-", "−")


def _draw(axes: Axes, *, rows: Sequence[tuple[str, str, str]], columns: Sequence[Column]) -> None:
    """Columns of intervals, of one the numbers too, and the prices."""
    numbers = [2.5] if len(columns) == 1 else []
    widths = [*([4.4 / len(columns)] * len(columns)), *numbers, 2.2]
    *places, prices = split(axes, widths)
    for place in (*places, prices):
        for row in range(0, len(rows), 2):
            place.axhspan(row - 0.5, row + 0.5, color=FAINT, alpha=0.35, linewidth=0, zorder=0)
        place.grid(axis="y", visible=False)
        place.spines["left"].set_visible(False)
        place.tick_params(axis="y", length=0, labelleft=place is places[0])
    for place, column in zip(places, columns, strict=False):
        _draw_column(place, rows, column)
        if len(columns) > 1:
            letters = _TITLE_LETTERS // len(columns)
            place.set_title(fitted(column.title, 4, letters), loc="left", fontsize=8.5)
    if numbers:
        texts = [[number_of(columns[0].effects[key])] for key in rows]
        _write(places[-1], ["points, [interval]"], texts)
    known = [
        name
        for name in PRICES
        if any(name in e.prices for c in columns for e in c.effects.values())
    ]
    _write(prices, known, [_prices(key, columns, known) for key in rows])
    places[0].set_ylim(len(rows) - 0.5, -0.5)
    places[0].set_yticks(range(len(rows)), _row_labels(rows))


def _row_labels(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    """The question, the variant and its base, without what need not be said in each row."""
    ending = f" ({TUNED})"
    all_tuned = all(base.endswith(ending) for _, _, base in rows)
    labels = []
    for title, label, base in rows:
        if all_tuned:
            label, base = label.removesuffix(ending), base.removesuffix(ending)
        field, equal, value = base.partition("=")
        if equal and label.startswith(f"{field}="):
            base = value
            if field.replace("_", " ") == title.lower():
                label = label.removeprefix(f"{field}=")
        labels.append(fitted(f"{title}  {label} − {base}", 1, _LETTERS))
    return labels


def _draw_column(axes: Axes, rows: Sequence[tuple[str, str, str]], column: Column) -> None:
    drawn = [0.0]
    for row, key in enumerate(rows):
        effect = column.effects.get(key)
        if effect is not None and effect.difference is not None:
            drawn += _draw_effect(axes, row, effect)
    threshold = _bend(_values(column))
    if threshold:
        axes.set_xscale("symlog", linthresh=threshold, linscale=0.6)
        _bent_ticks(axes, threshold, drawn)
    else:
        axes.set_xlim(*padded(min(drawn), max(drawn)))
        axes.locator_params(axis="x", nbins=5)
    axes.axvline(0, color=INK, linewidth=0.9, zorder=1)
    axes.set_xlabel(f"points of {unit_of(ACCURACY).label}")


def _draw_effect(axes: Axes, row: int, effect: Effect) -> list[float]:
    """Marker and interval; returns what the axis must hold."""
    assert effect.difference is not None
    mean = _points(effect.difference)
    colour = INK if not effect.is_decided else _HIGHER if mean > 0 else _LOWER
    bounds = [mean]
    if effect.interval is not None:
        bounds = [_points(effect.interval.low), _points(effect.interval.high)]
        axes.plot(bounds, [row, row], color=colour, linewidth=1.8, solid_capstyle="butt")
    face = colour if effect.is_decided else PAPER
    (point,) = axes.plot([mean], [row], "o", color=colour, markerfacecolor=face, ms=5.5, mew=1.3)
    tip(point, [f"{effect.question}, {effect.label} − {effect.base}: {number_of(effect)} points"])
    return [*bounds, mean]


def _bend(values: Sequence[float]) -> float | None:
    """Up to where the scale is linear, if a few effects are far larger than the others."""
    sizes = sorted(abs(value) for value in values if value)
    if len(sizes) < 3 or sizes[-1] < _FAR * float(np.median(sizes)):
        return None
    wanted = float(np.quantile(sizes, 0.4))
    return min(_NICE, key=lambda nice: abs(np.log(nice / wanted)))


def _bent_ticks(axes: Axes, threshold: float, drawn: Sequence[float]) -> None:
    """Zero, the ends of the linear part and few round numbers beyond them."""
    low, high = min(drawn), max(drawn)
    axes.set_xlim(
        min(low * 1.25, -threshold * 0.3) if low < 0 else -threshold * 0.3,
        max(high * 1.25, threshold * 0.3),
    )
    beyond = [threshold * 10**power for power in range(4)]
    ticks = [0.0, *beyond, *(-tick for tick in beyond)]
    left, right = axes.get_xlim()
    axes.xaxis.set_major_locator(FixedLocator([t for t in sorted(ticks) if left <= t <= right]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
    axes.xaxis.set_minor_locator(NullLocator())


def _prices(
    key: tuple[str, str, str], columns: Sequence[Column], names: Sequence[str]
) -> list[str]:
    """A multiple for each price; the first column that has it speaks for all."""
    known = [column.effects[key].prices for column in columns if key in column.effects]
    texts = []
    for price in names:
        value = next((prices[price] for prices in known if price in prices), None)
        texts.append("–" if value is None else _multiple(value))
    return texts


def _multiple(value: float) -> str:
    """How many times the base's: '× 1.35', '÷ 15'."""
    if value < 0.1:
        return f"÷ {1.0 / value:.0f}"
    return f"× {value:.2f}" if value < 10.0 else f"× {value:.0f}"


def _write(axes: Axes, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns of text on the rows of the picture."""
    axes.set_xlim(0, len(headings))
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    for column, heading in enumerate(headings):
        axes.text(
            column + 0.97,
            1.01,
            heading,
            transform=axes.get_xaxis_transform(),
            ha="right",
            va="bottom",
            fontsize=8.5,
        )
        for row, texts in enumerate(rows):
            axes.text(column + 0.97, row, texts[column], ha="right", va="center", fontsize=8.5)
