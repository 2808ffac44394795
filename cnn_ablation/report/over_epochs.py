"""Each contrast over the epochs of training: when a difference comes, stays, or turns."""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from cnn_ablation.claims import Claim, Verdict
from cnn_ablation.inference import Band, simultaneous_band
from cnn_ablation.report.axes import difference_label, fitted, padded
from cnn_ablation.report.charts import WIDE, Chart, Panel, split
from cnn_ablation.report.looks import FAINT, INK, OUTCOME_COLOURS, OUTCOME_SYMBOLS
from cnn_ablation.study import Question
from cnn_ablation.study.metrics import TRIAL_METRICS
from cnn_ablation.study.results import StudyResults

_COLUMNS = 5
# Two epochs are a line, not yet a course of training.
_FEWEST_SHOWN = 3
_CAPTION = (
    "The mean paired difference after each epoch. The band covers the whole curve, and the curves "
    "of all contrasts of the question, at once with 95 % (studentised maximum over sign flips, "
    "Bonferroni over the contrasts); {}the verdict is that of the last epoch alone."
)
_MARGIN = "within the hatched band a difference is smaller than the margin; "


@dataclasses.dataclass(frozen=True)
class DifferenceCurve:
    """One contrast after each epoch.

    Attributes:
        claim: whose contrast it is.
        a: the first variant's label.
        b: the second's.
        outcome: the verdict after the last epoch.
        band: mean and band, on the scale of the claim's differences, a point an epoch.
    """

    claim: Claim
    a: str
    b: str
    outcome: str
    band: Band


def difference_curves(
    results: StudyResults, question: Question, verdicts: Sequence[Verdict]
) -> list[DifferenceCurve]:
    """The curves of every contrast that is taken from each epoch, each contrast once.

    A study of one epoch has none, nor has one of a single seed.
    """
    curves: dict[tuple[str, str, str], DifferenceCurve] = {}
    for verdict in verdicts:
        claim = verdict.claim
        if claim.metric not in TRIAL_METRICS or claim.is_ratio:
            continue
        for contrast in verdict.contrasts:
            if contrast.against is not None:
                continue
            values_NE = _differences(results, question, claim.metric, contrast.contrast)
            if values_NE is None or values_NE.shape[1] < 2:
                continue
            band = simultaneous_band(values_NE, verdict.level / verdict.family_size)
            if band is not None:
                key = (claim.metric, *contrast.contrast)
                curves.setdefault(key, DifferenceCurve(claim, *key[1:], contrast.outcome, band))
    return list(curves.values())


def over_epochs_chart(
    name: str, results: StudyResults, question: Question, verdicts: Sequence[Verdict]
) -> Chart | None:
    """Small pictures side by side, one a contrast; None where there is no curve."""
    curves = difference_curves(results, question, verdicts)
    panels = []
    for metric in dict.fromkeys(curve.claim.metric for curve in curves):
        own = [curve for curve in curves if curve.claim.metric == metric]
        rows = -(-len(own) // _COLUMNS)
        size = -(-len(own) // rows)
        panels += [
            _panel(f"{metric}-{first}", own[first : first + size], size)
            for first in range(0, len(own), size)
        ]
    if not panels:
        return None
    hatched = any(curve.claim.threshold > 0 for curve in curves)
    caption = _CAPTION.format(_MARGIN if hatched else "")
    few = max(len(curve.band.mean) for curve in curves) < _FEWEST_SHOWN
    folded = frozenset(panel.name for panel in panels) if few else frozenset()
    title = "The contrasts over training"
    return Chart(name, title, caption, tuple(panels), columns=1, folded=folded)


def _differences(
    results: StudyResults, question: Question, metric: str, contrast: tuple[str, str]
) -> NDArray[np.float64] | None:
    """A - B of each shared seed after each epoch, shape (seeds, epochs)."""
    by_label = {variant.label: variant for variant in question.variants}
    curves = [
        {
            trial.seed: [float(getattr(epoch, metric)) for epoch in trial.epochs]
            for trial in results.trials_of(by_label[label])
            if trial.status == "completed"
        }
        for label in contrast
        if label in by_label
    ]
    if len(curves) < 2:
        return None
    seeds = sorted(curves[0].keys() & curves[1].keys())
    if not seeds:
        return None
    epochs = min(len(curve[seed]) for curve in curves for seed in seeds)
    a, b = (np.array([curve[seed][:epochs] for seed in seeds]) for curve in curves)
    return a - b


def _panel(name: str, curves: Sequence[DifferenceCurve], places: int) -> Panel:
    unit = curves[0].claim.unit
    told = [
        f"{curve.a} minus {curve.b} from {unit.signed(curve.band.mean[0])} to "
        f"{unit.signed(curve.band.mean[-1])}"
        for curve in curves
    ]
    return Panel(
        name,
        f"{difference_label(unit).capitalize()} after each epoch: {', '.join(told)}",
        functools.partial(_draw, curves=curves, places=places),
        height=1.95,
        width=WIDE,
    )


def _draw(axes: Axes, *, curves: Sequence[DifferenceCurve], places: int) -> None:
    every = split(axes, [1.0] * places, share_y=False)
    for place, curve in zip(every, curves, strict=False):
        _draw_curve(place, curve)
    every[0].set_ylabel(fitted(difference_label(curves[0].claim.unit), 2, 24))
    for place in every[len(curves) :]:
        place.set_axis_off()


def _draw_curve(axes: Axes, curve: DifferenceCurve) -> None:
    unit, claim = curve.claim.unit, curve.claim
    low, mean, high = (
        [unit.drawn(value) for value in edge]
        for edge in (curve.band.low, curve.band.mean, curve.band.high)
    )
    epochs = range(1, len(mean) + 1)
    colour = OUTCOME_COLOURS.get(curve.outcome, INK)
    axes.fill_between(epochs, low, high, color=colour, alpha=0.22, linewidth=0)
    axes.plot(epochs, mean, color=colour, marker="o", ms=2.5, markevery=max(1, len(mean) // 10))
    axes.axhline(0, color=INK, linewidth=0.8, zorder=1)
    axes.set_xlim(1 - 0.04 * len(mean), len(mean) * 1.04)
    axes.set_ylim(*padded(min(*low, 0.0), max(*high, 0.0)))
    if claim.threshold > 0:
        edge = unit.drawn(claim.threshold)
        axes.axhspan(-edge, edge, facecolor="none", edgecolor=FAINT, hatch="////", linewidth=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.set_xlabel("epoch")
    pair = " − ".join(fitted(label, 1, 14) for label in (curve.a, curve.b))
    axes.set_title(f"{OUTCOME_SYMBOLS[curve.outcome]} {pair}", loc="left", fontsize=8.5)
