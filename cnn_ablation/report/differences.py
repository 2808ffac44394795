"""Paired differences: what each contrast of a claim was judged by, seed by seed."""

import functools
from collections.abc import Sequence

from matplotlib.axes import Axes

from cnn_ablation.claims import ContrastVerdict, Unit, Verdict
from cnn_ablation.report.axes import difference_label, fitted, padded
from cnn_ablation.report.charts import Chart, Panel
from cnn_ablation.report.looks import FAINT, INK, OUTCOME_COLOURS, OUTCOME_SYMBOLS

_CAPTION = (
    "Each dot is the difference within one seed (for times, within one round of the timing pass). "
    "The diamond is their mean and the bar its interval, adjusted so that all intervals that are "
    "judged together cover at once with 95 % probability. The arrow points to where the claim says "
    "the differences lie; the hatched band is smaller than the declared margin."
)


def difference_chart(name: str, verdicts: Sequence[Verdict]) -> Chart | None:
    """A panel for each claim with data, or None where there is none."""
    panels = tuple(panel for verdict in verdicts if (panel := difference_panel(verdict)))
    return Chart(name, "Paired differences", _CAPTION, panels, columns=1) if panels else None


def difference_panel(verdict: Verdict) -> Panel | None:
    """One row for each contrast, or None where no contrast has pairs."""
    rows = [contrast for contrast in verdict.contrasts if contrast.comparison is not None]
    if not rows:
        return None
    claim = verdict.claim
    pairs = ", ".join(f"{_words(row)} ({row.outcome})" for row in rows)
    return Panel(
        claim.name,
        f"Paired differences in {claim.unit.label}: {pairs}",
        functools.partial(_draw, verdict=verdict, rows=rows),
        height=0.85 + sum(0.9 if row.against else 0.45 for row in rows),
        title=f"{OUTCOME_SYMBOLS[verdict.outcome]} {verdict.outcome.capitalize()}: {claim.text}",
    )


def _draw(axes: Axes, *, verdict: Verdict, rows: list[ContrastVerdict]) -> None:
    claim = verdict.claim
    drawn = [0.0]
    for number, row in enumerate(rows):
        drawn += _draw_row(axes, number, row, claim.unit)
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    axes.set_xlim(*padded(min(drawn), max(drawn)))
    _draw_margin(axes, claim.unit.drawn(-claim.threshold), claim.unit.drawn(claim.threshold))
    _draw_claimed_side(axes, claim.sign)
    axes.set_yticks(range(len(rows)), [_label(row) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.75)
    axes.grid(axis="y", visible=False)
    axes.locator_params(axis="x", nbins=6)
    axes.set_xlabel(difference_label(claim.unit))


def _draw_row(axes: Axes, number: int, row: ContrastVerdict, unit: Unit) -> list[float]:
    """Dots below, mean and interval above; returns what the axis must hold."""
    assert row.comparison is not None and row.difference is not None
    colour = OUTCOME_COLOURS[row.outcome]
    dots = [unit.drawn(difference) for difference in row.comparison.differences]
    axes.plot(dots, [number + 0.17] * len(dots), "o", color=colour, ms=4, alpha=0.6, mew=0)
    mean = unit.drawn(row.difference)
    drawn = [*dots, mean]
    if row.interval:
        bounds = [unit.drawn(row.interval.low), unit.drawn(row.interval.high)]
        axes.plot(bounds, [number - 0.1] * 2, color=colour, linewidth=2.2, marker="|", ms=7)
        drawn += _within_reason(bounds, dots)
    axes.plot([mean], [number - 0.1], "D", color=colour, ms=5.5)
    return drawn


def _words(row: ContrastVerdict) -> str:
    pair = f"{row.a} minus {row.b}"
    return f"{pair} less {' minus '.join(row.against)}" if row.against else pair


def _label(row: ContrastVerdict) -> str:
    """The pair, on two lines where one is too short for it, and below it the outcome."""
    pair = _pair(row.a, row.b)
    if row.against:
        pair = f"({pair})\n− ({_pair(*row.against)})"
    return f"{pair}\n{OUTCOME_SYMBOLS[row.outcome]} {row.outcome}"


def _pair(a: str, b: str) -> str:
    separator = " − " if len(a) + len(b) < 16 else "\n− "
    return separator.join(fitted(label, lines=1) for label in (a, b))


def _within_reason(bounds: list[float], dots: list[float]) -> list[float]:
    """An interval's bounds, but at most three ranges of its dots away: few seeds give wide ones."""
    low, high = min(*dots, 0.0), max(*dots, 0.0)
    reach = 3 * (high - low)
    return [max(bounds[0], low - reach), min(bounds[1], high + reach)]


def _draw_margin(axes: Axes, low: float, high: float) -> None:
    if high > 0:
        axes.axvspan(
            low, high, facecolor="none", edgecolor=FAINT, hatch="////", linewidth=0, zorder=0
        )


def _draw_claimed_side(axes: Axes, sign: int) -> None:
    text, edge, side = ("claimed →", 1, "right") if sign > 0 else (" ← claimed", 0, "left")
    place = axes.transAxes
    axes.text(edge, 1, text, transform=place, ha=side, va="top", fontsize=8.5, fontstyle="italic")
