"""Accuracy against what it costs: training time and parameters, with the Pareto front."""

import functools
from collections.abc import Callable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from cnn_ablation.claims import unit_of
from cnn_ablation.report.axes import ACCURACY, SECONDS, fit_limits, level_label, scaled
from cnn_ablation.report.charts import THIRD, Chart, Panel
from cnn_ablation.report.looks import INK, Look
from cnn_ablation.report.measures import Measured, Spread
from cnn_ablation.report.pareto import pareto_front
from cnn_ablation.report.tips import tip
from cnn_ablation.study.controls import PARAMS

_CAPTION = (
    "Mean {} after the last epoch, with its 95 % t interval. The stepped line is the "
    "Pareto front: no design left of it is as accurate."
)
_CONTROLS = " Hollow markers are the control arm, where parameters are held equal."
_ARMS = " Hollow markers are designs of other arms, where something is held equal or tuned."
_TIMES = (
    " Times are medians over the rounds of the timing pass, each design alone on the device, with "
    "a bar from the fastest round to the slowest."
)
_NO_TIMES = " There is no timing pass yet, so accuracy against time is not shown."
Cost = Callable[[Measured], Spread | None]


def tradeoff_chart(
    name: str, measured: Sequence[Measured], looks: Mapping[str, Look]
) -> Chart | None:
    """Accuracy against time and against parameters, or None where no trial is complete."""
    shown = [m for m in measured if m.completed]
    if not shown:
        return None
    timed = [m for m in shown if m.seconds is not None]
    panels = [_panel("params", "parameters", _params, shown, looks)]
    if timed:
        panels.insert(0, _panel("seconds", level_label(SECONDS), _seconds, timed, looks))
    caption = _CAPTION.format(unit_of(ACCURACY).label) + (_TIMES if timed else _NO_TIMES)
    arms = {m.variant.arm for m in shown} - {None}
    if arms:
        caption += _CONTROLS if arms == {PARAMS} else _ARMS
    key = tuple((m.label, looks[m.label]) for m in shown)
    return Chart(name, "Accuracy and its cost", caption, tuple(panels), key)


def _panel(
    name: str, axis: str, cost: Cost, shown: Sequence[Measured], looks: Mapping[str, Look]
) -> Panel:
    accuracy, labels = unit_of(ACCURACY).label.capitalize(), ", ".join(m.label for m in shown)
    alt = f"{accuracy} against {axis}, logarithmic, for {labels}"
    draw = functools.partial(_draw, shown=shown, cost=cost, looks=looks, axis=axis)
    return Panel(name, alt, draw, height=2.5, width=THIRD)


def _params(m: Measured) -> Spread | None:
    return Spread.of([float(m.summary.params)])


def _seconds(m: Measured) -> Spread | None:
    return m.seconds


def _draw(
    axes: Axes, *, shown: Sequence[Measured], cost: Cost, looks: Mapping[str, Look], axis: str
) -> None:
    axes.set_xscale("log")
    points, reached = [], []
    for m in shown:
        costs, accuracy = cost(m), m.final(ACCURACY)
        assert costs is not None and accuracy is not None
        points.append((costs.median, accuracy.mean))
        reached += _draw_point(axes, m.label, costs, accuracy, looks[m.label])
    _draw_front(axes, points)
    fit_limits(axes.set_ylim, reached)
    axes.set_xlabel(axis)
    axes.set_ylabel(level_label(ACCURACY))
    _label_decades(axes)


def _draw_point(axes: Axes, label: str, costs: Spread, accuracy: Spread, look: Look) -> list[float]:
    """One design; returns the accuracies that the axis must hold, its interval within reason."""
    (mean,) = scaled(ACCURACY, [accuracy.mean])
    axes.plot([costs.low, costs.high], [mean] * 2, color=look.colour, linewidth=1)
    if accuracy.interval:
        bounds = scaled(ACCURACY, (accuracy.interval.low, accuracy.interval.high))
        axes.plot([costs.median] * 2, bounds, color=look.colour, linewidth=1)
    (point,) = axes.plot([costs.median], [mean], **(look.marks() | {"ms": 7}))
    tip(point, [f"{label}: {unit_of(ACCURACY).value(accuracy.mean)} at {costs.median:,.4g}"])
    return scaled(ACCURACY, (accuracy.low, accuracy.high))


def _draw_front(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    front = [points[i] for i in pareto_front(points)]
    scale = unit_of(ACCURACY).scale
    left, right = axes.get_xlim()
    xs = [*(x for x, _ in front), right]
    ys = [*(scale * y for _, y in front), scale * front[-1][1]]
    axes.step(xs, ys, where="post", color=INK, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    axes.set_xlim(left, right)


def _label_decades(axes: Axes) -> None:
    """Plain numbers along the logarithmic axis: the more of them, the narrower the range."""
    left, right = axes.get_xlim()
    span = right / left
    steps = (1, 1.5, 2, 3, 4, 5, 7) if span < 6 else (1, 2, 5) if span < 60 else (1,)
    axes.xaxis.set_major_locator(LogLocator(subs=steps, numticks=12))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
