"""Learning curves: a metric after each epoch, mean over seeds with a band."""

import functools
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from cnn_ablation.claims import unit_of
from cnn_ablation.report.axes import ACCURACY, LOSS, fit_limits, level_label, scaled
from cnn_ablation.report.charts import THIRD, Chart, Panel
from cnn_ablation.report.looks import Look
from cnn_ablation.report.measures import Measured, Spread

_CAPTION = (
    "Mean over the completed trials after each epoch. The band is the 95 % t interval of that "
    "mean: how well the mean is known, not how far single runs scatter. All lines share their "
    "seeds, so whether two differ is for the paired differences to say, not for the bands."
)


def learning_chart(
    name: str, title: str, arm: Sequence[Measured], looks: Mapping[str, Look]
) -> Chart | None:
    """Test accuracy and test loss after each epoch, or None where no trial is complete.

    None too where there is but one epoch: one point is no curve.
    """
    shown = [m for m in arm if m.completed and len(m.curve(LOSS)) > 1]
    if not shown:
        return None
    labels = ", ".join(m.label for m in shown)
    panels = tuple(
        Panel(
            metric,
            f"{unit_of(metric).label.capitalize()} after each epoch for {labels}",
            functools.partial(_draw, shown=shown, metric=metric, looks=looks),
            height=2.5,
            width=THIRD,
        )
        for metric in (ACCURACY, LOSS)
    )
    key = tuple((m.label, looks[m.label]) for m in shown)
    return Chart(name, title, _CAPTION, panels, key)


def _draw(axes: Axes, *, shown: Sequence[Measured], metric: str, looks: Mapping[str, Look]) -> None:
    every: list[float] = []
    for m in shown:
        curve = m.curve(metric)
        _draw_curve(axes, curve, metric, looks[m.label])
        every += [value for point in curve for value in point.values]
    longest = max(len(m.curve(metric)) for m in shown)
    axes.set_xlim(1 - 0.04 * longest, longest * 1.04)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    fit_limits(axes.set_ylim, scaled(metric, every))
    axes.set_xlabel("epoch")
    axes.set_ylabel(level_label(metric))


def _draw_curve(axes: Axes, curve: Sequence[Spread], metric: str, look: Look) -> None:
    epochs = range(1, len(curve) + 1)
    low = scaled(metric, (p.interval.low if p.interval else p.mean for p in curve))
    high = scaled(metric, (p.interval.high if p.interval else p.mean for p in curve))
    axes.fill_between(epochs, low, high, color=look.colour, alpha=0.18, linewidth=0)
    means = scaled(metric, (point.mean for point in curve))
    axes.plot(epochs, means, **look.strokes(), markevery=max(1, len(curve) // 10))
