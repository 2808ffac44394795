"""Every seed of every variant after the last epoch, beside the mean and what was published."""

import functools
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from cnn_ablation.claims import unit_of
from cnn_ablation.report.axes import ACCURACY, LOSS, fit_limits, fitted, level_label, scaled
from cnn_ablation.report.charts import THIRD, Chart, Panel
from cnn_ablation.report.looks import INK, Look
from cnn_ablation.report.measures import Measured
from cnn_ablation.report.tips import tip
from cnn_ablation.study import Published
from cnn_ablation.study.controls import PARAMS

_CAPTION = (
    "Each dot is one seed after the last epoch; the larger marker is the mean over seeds and the "
    "bar its 95 % t interval."
)
_CONTROLS = " Hollow markers are the control arm, where parameters are held equal."
_ARMS = " Hollow markers are designs of other arms, where something is held equal or tuned."
_PUBLISHED = " The cross is the published figure, of one run"
_SOME_FAR = "; where there is none, it lies far outside the axis"
_ALL_FAR = " The published figures lie far outside these axes."


def outcome_chart(
    name: str, measured: Sequence[Measured], looks: Mapping[str, Look]
) -> Chart | None:
    """Final test accuracy and loss of every seed, or None where no trial is complete."""
    shown = [m for m in measured if m.completed]
    if not shown:
        return None
    labels = ", ".join(m.label for m in shown)
    panels = tuple(
        Panel(
            metric,
            f"Final {unit_of(metric).label} of every seed for {labels}",
            functools.partial(_draw, shown=shown, metric=metric, looks=looks),
            height=0.75 + 0.28 * len(shown),
            width=THIRD,
        )
        for metric in (ACCURACY, LOSS)
    )
    return Chart(name, "After the last epoch", _caption(shown), panels)


def _caption(shown: Sequence[Measured]) -> str:
    text = _CAPTION
    arms = {m.variant.arm for m in shown} - {None}
    if arms:
        text += _CONTROLS if arms == {PARAMS} else _ARMS
    cases = [(m.variant.published, metric) for m in shown for metric in (ACCURACY, LOSS)]
    near = [_is_near(p, metric, shown) for p, metric in cases if p is not None]
    if any(near):
        text += _PUBLISHED + ("." if all(near) else f"{_SOME_FAR}.")
    elif near:
        text += _ALL_FAR
    return text


def _draw(axes: Axes, *, shown: Sequence[Measured], metric: str, looks: Mapping[str, Look]) -> None:
    drawn: list[float] = []
    for row, m in enumerate(shown):
        values = _draw_seeds(axes, row, m, metric, looks[m.label])
        published = m.variant.published
        if published is not None and _is_near(published, metric, shown):
            value = _last(published, metric)
            axes.plot(scaled(metric, [value]), [row], color=INK, marker="x", ms=7, mew=1.6)
            values = [*values, value]
        drawn += scaled(metric, values)
    axes.set_yticks(range(len(shown)), [fitted(m.label) for m in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    fit_limits(axes.set_xlim, drawn)
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel(level_label(metric))


def _draw_seeds(axes: Axes, row: int, m: Measured, metric: str, look: Look) -> list[float]:
    """A dot for each seed in the lower half of the row, mean and interval in the upper."""
    spread = m.final(metric)
    assert spread is not None
    values, offset = scaled(metric, spread.values), 0.18
    (dots,) = axes.plot(
        values, [row + offset] * spread.n, "o", color=look.colour, ms=3.5, alpha=0.6, mew=0
    )
    unit = unit_of(metric)
    tip(
        dots,
        [
            f"{m.label}, seed {trial.seed}: {unit.value(value)}"
            for trial, value in zip(m.completed, spread.values, strict=True)
        ],
    )
    if spread.interval:
        bounds = scaled(metric, (spread.interval.low, spread.interval.high))
        axes.plot(bounds, [row - offset / 2] * 2, color=look.colour, linewidth=2)
    marks = look.marks() | {"ms": 6.5}
    (mean,) = axes.plot(scaled(metric, [spread.mean]), [row - offset / 2], **marks)
    tip(mean, [f"{m.label}, mean: {unit.value(spread.mean)}"])
    return list(spread.values)


def _last(published: Published, metric: str) -> float:
    figures = published.test_accuracy if metric == ACCURACY else published.test_loss
    return figures[-1]


def _is_near(published: Published, metric: str, shown: Sequence[Measured]) -> bool:
    """Whether showing a published figure leaves our own at least a third of the axis."""
    finals = [spread for m in shown if (spread := m.final(metric)) is not None]
    low, high = min(s.low for s in finals), max(s.high for s in finals)
    return low - (high - low) <= _last(published, metric) <= high + (high - low)
