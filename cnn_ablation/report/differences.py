"""Paired differences: what each contrast of a claim was judged by, seed by seed."""

import functools
from collections.abc import Hashable, Mapping, Sequence

from matplotlib.axes import Axes

from cnn_ablation.claims import ContrastVerdict, Unit, Verdict
from cnn_ablation.claims.words import unit_noun
from cnn_ablation.report.axes import difference_label, fitted, padded
from cnn_ablation.report.charts import Chart, Panel
from cnn_ablation.report.looks import FAINT, INK, OUTCOME_COLOURS, OUTCOME_SYMBOLS
from cnn_ablation.report.tips import tip

# Of the axis open contrasts take a fifth or more.
_MOST_ROOM = 5.0
_CAPTION = (
    "Each dot is the difference within one seed (for times, within one round of the timing pass). "
    "The diamond is their mean and the bar its interval, adjusted so that all intervals that are "
    "judged together cover at once with 95 % probability. The arrow points to where the claim says "
    "the differences lie; the hatched band is smaller than the declared margin. Axes leave room "
    "for the contrasts that are open: what lies outside is a number at the edge."
)


Units = Mapping[tuple[str, str], Sequence[Hashable]]


def difference_chart(name: str, panels: Sequence[Panel | None]) -> Chart | None:
    """The panels of claims in one chart, or None where there is none."""
    there = tuple(panel for panel in panels if panel)
    return Chart(name, "Paired differences", _CAPTION, there, columns=1) if there else None


def difference_panel(verdict: Verdict, units: Units | None = None) -> Panel | None:
    """One row for each contrast, or None where no contrast has pairs.

    Args:
        verdict: of a claim.
        units: of a contrast the seeds or rounds of its pairs, in their order, where known.
    """
    rows = [contrast for contrast in verdict.contrasts if contrast.comparison is not None]
    if not rows:
        return None
    claim = verdict.claim
    pairs = ", ".join(f"{_words(row)} ({row.outcome})" for row in rows)
    return Panel(
        claim.name,
        f"Paired differences in {claim.unit.label}: {pairs}",
        functools.partial(_draw, verdict=verdict, rows=rows, units=units or {}),
        height=0.72 + sum(0.74 if row.against else 0.37 for row in rows),
        title=f"{OUTCOME_SYMBOLS[verdict.outcome]} {verdict.outcome.capitalize()}: {claim.text}",
    )


def _draw(axes: Axes, *, verdict: Verdict, rows: Sequence[ContrastVerdict], units: Units) -> None:
    claim = verdict.claim
    low, high = _limits(rows, claim.unit, claim.unit.drawn(claim.threshold))
    axes.set_xlim(low, high)
    for number, row in enumerate(rows):
        names = units.get(row.contrast) or range(1, row.n + 1)
        noun = unit_noun(claim.kind) if row.contrast in units else "pair"
        _draw_row(axes, number, row, claim.unit, [f"{noun} {name}" for name in names])
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    _draw_margin(axes, claim.unit.drawn(-claim.threshold), claim.unit.drawn(claim.threshold))
    _draw_claimed_side(axes, claim.sign)
    axes.set_yticks(range(len(rows)), [_label(row) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.75)
    axes.grid(axis="y", visible=False)
    axes.locator_params(axis="x", nbins=6)
    # Long names beside the axes leave them narrower than the label: it goes on below the names.
    axes.set_xlabel(difference_label(claim.unit), loc="right")


def _limits(rows: Sequence[ContrastVerdict], unit: Unit, margin: float) -> tuple[float, float]:
    """What the axis shows: everything, unless that would hide what is open.

    Open contrasts are to take a fifth of the axis at least. What then lies outside
    is drawn at the edge, with its number.
    """
    whole = padded(*_reach([_extent(row, unit) for row in rows]))
    opened = [_extent(row, unit) for row in rows if row.outcome == "inconclusive"]
    if not opened:
        return whole
    low, high = _reach([*opened, (-margin, margin)])
    room = (high - low) * _MOST_ROOM
    if whole[1] - whole[0] <= room:
        return whole
    beside = (room - (high - low)) / 3
    return max(whole[0], low - beside), min(whole[1], high + beside)


def _reach(extents: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """From the lowest to the highest, and zero."""
    return min(0.0, *(low for low, _ in extents)), max(0.0, *(high for _, high in extents))


def _extent(row: ContrastVerdict, unit: Unit) -> tuple[float, float]:
    """Dots and interval, but of an interval at most three ranges of the dots away from them."""
    assert row.comparison is not None
    dots = [unit.drawn(difference) for difference in row.comparison.differences]
    if row.interval is None:
        return min(dots), max(dots)
    low, high = min(*dots, 0.0), max(*dots, 0.0)
    reach = 3 * (high - low)
    return (
        min(*dots, max(unit.drawn(row.interval.low), low - reach)),
        max(*dots, min(unit.drawn(row.interval.high), high + reach)),
    )


def _draw_row(
    axes: Axes, number: int, row: ContrastVerdict, unit: Unit, names: Sequence[str]
) -> None:
    """Dots below, mean and interval above; a mean outside the axis as an arrow with its number."""
    assert row.comparison is not None and row.difference is not None
    colour = OUTCOME_COLOURS[row.outcome]
    left, right = axes.get_xlim()
    dots = [
        (unit.drawn(difference), f"{name}: {unit.signed(difference)}{unit.difference}")
        for difference, name in zip(row.comparison.differences, names, strict=True)
    ]
    shown = [(dot, text) for dot, text in dots if left <= dot <= right]
    (line,) = axes.plot(
        [dot for dot, _ in shown],
        [number + 0.2] * len(shown),
        "o",
        color=colour,
        ms=4,
        alpha=0.6,
        mew=0,
    )
    tip(line, [text for _, text in shown])
    mean = unit.drawn(row.difference)
    if not left <= mean <= right:
        _point_outside(axes, number, mean, unit.signed(row.difference), colour)
        return
    said = f"{row.a} − {row.b}: {unit.signed(row.difference)}"
    if row.interval:
        bounds = [unit.drawn(row.interval.low), unit.drawn(row.interval.high)]
        axes.plot(bounds, [number - 0.12] * 2, color=colour, linewidth=2.2, marker="|", ms=7)
        said += f" [{', '.join(unit.bounds(row.interval))}]"
    (diamond,) = axes.plot([mean], [number - 0.12], "D", color=colour, ms=5.5)
    tip(diamond, [f"{said}{unit.difference}"])


def _point_outside(axes: Axes, number: int, mean: float, text: str, colour: str) -> None:
    left, right = axes.get_xlim()
    edge, words, side = (
        (left, f"◂ {text}", "left") if mean < left else (right, f"{text} ▸", "right")
    )
    axes.text(
        edge,
        number,
        words,
        ha=side,
        va="center",
        fontsize=8.5,
        color=colour,
        fontweight="bold",
    )


def _words(row: ContrastVerdict) -> str:
    pair = f"{row.a} minus {row.b}"
    return f"{pair} less {' minus '.join(row.against)}" if row.against else pair


def _label(row: ContrastVerdict) -> str:
    """The outcome's sign and the pair, on two lines where one is too short for it."""
    pair = _pair(row.a, row.b)
    if row.against:
        pair = f"({pair})\n− ({_pair(*row.against)})"
    return f"{OUTCOME_SYMBOLS[row.outcome]} {pair}"


def _pair(a: str, b: str) -> str:
    separator = " − " if len(a) + len(b) < 22 else "\n− "
    return separator.join(fitted(label, lines=1) for label in (a, b))


def _draw_margin(axes: Axes, low: float, high: float) -> None:
    if high > 0:
        axes.axvspan(
            low, high, facecolor="none", edgecolor=FAINT, hatch="////", linewidth=0, zorder=0
        )


def _draw_claimed_side(axes: Axes, sign: int) -> None:
    text, edge, side = ("claimed →", 1, "right") if sign > 0 else (" ← claimed", 0, "left")
    place = axes.transAxes
    axes.text(edge, 1, text, transform=place, ha=side, va="top", fontsize=8.5, fontstyle="italic")
