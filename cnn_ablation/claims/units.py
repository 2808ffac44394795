"""How a metric is called, and in which unit a reader sees it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from cnn_ablation.inference.intervals import Interval

Scale = Literal["difference", "ratio"]

# The metric of which it is kept image by image what each trial got right.
COUNTED = "test_accuracy"
# One tenth of a percentage point: what 10,000 test images at 99 % resolve by themselves.
ACCURACY_MARGIN = 0.001
# Rounds of one machine are that far from settling whether two like designs differ in time.
TIME_MARGIN = 0.05
# The metrics of evaluation are stored under one name, whichever images they are of.
_TEST = "test "
_evaluated: ContextVar[str] = ContextVar("evaluated", default="test")


@contextlib.contextmanager
def evaluated_on(*images: str) -> Iterator[None]:
    """Within it, `test_accuracy` is called 'validation accuracy' where images are `validation`.

    Args:
        images: of each study that is told of, `test` or `validation`; where they differ it is test.
    """
    token = _evaluated.set(images[0] if len(set(images)) == 1 else "test")
    try:
        yield
    finally:
        _evaluated.reset(token)


@dataclass(frozen=True)
class Unit:
    """Display of one metric.

    Attributes:
        label: the metric in words.
        scale: multiplies a stored value for display (100 for a fraction shown in percent).
        level: suffix of a value, with its leading space.
        difference: suffix of a difference, with its leading space.
        spec: format specification of a displayed number, without sign.
        ratio: whether differences are those of logarithms, shown as ratios.
    """

    label: str
    scale: float = 1.0
    level: str = ""
    difference: str = ""
    spec: str = ".4g"
    ratio: bool = False

    def value(self, value: float) -> str:
        """A value with its unit, such as '98.51 %'."""
        return f"{value * self.scale:{self.spec}}{self.level}"

    def number(self, value: float) -> str:
        """A number alone, such as '0.1', without padding zeros."""
        return f"{value * self.scale:.4g}"

    def margin(self, margin: float) -> str:
        """A margin with its unit: '0.1 points', or '5 %' of a ratio."""
        if self.ratio:
            return f"{100.0 * margin:.4g} %"
        return f"{margin * self.scale:.4g}{self.difference}"

    def size(self, difference: float) -> str:
        """The size of a difference with its unit and no sign, such as '0.34 points' or '3.1 %'."""
        if self.ratio:
            percent = 100.0 * math.expm1(abs(difference))
            return f"{percent:,.0f} %" if percent >= 100.0 else f"{percent:.2g} %"
        return f"{abs(difference) * self.scale:{self.spec}}{self.difference}"

    def signed(self, difference: float) -> str:
        """A difference with sign and no unit, such as '+0.34'; of a ratio, how often as fast.

        Adding 0.0 clears a minus zero.
        """
        if self.ratio:
            return f"{math.exp(-difference):.3g}"
        return f"{difference * self.scale + 0.0:+{self.spec}}"

    def bounds(self, interval: Interval) -> tuple[str, str]:
        """Both ends as `signed` shows them, the lower first."""
        ends = self.signed(interval.low), self.signed(interval.high)
        return ends[::-1] if self.ratio else ends

    def drawn(self, difference: float) -> float:
        """A difference as a number on an axis: of a ratio, percent more than the second."""
        if self.ratio:
            return 100.0 * math.expm1(difference)
        return difference * self.scale


def unit_of(metric: str, ratio: bool = False) -> Unit:
    """The display of a metric by its name: accuracies, losses, seconds, counts, or as it comes.

    Args:
        metric: its name.
        ratio: whether differences are those of logarithms.
    """
    label = metric.replace("_", " ")
    if label.startswith(_TEST):
        label = f"{_evaluated.get()} {label.removeprefix(_TEST)}"
    if metric == "train_seconds":
        label = "training time per epoch"
    if ratio:
        faster = " times as fast" if metric.endswith("seconds") else " times less"
        return Unit(label, 1.0, " s" if metric.endswith("seconds") else "", faster, ".3g", True)
    if metric.endswith("accuracy"):
        return Unit(label, 100.0, " %", " points", ".2f")
    if metric.endswith("loss"):
        return Unit(label, spec=".4f")
    if metric.endswith("seconds"):
        return Unit(label, 1.0, " s", " s", ".3g")
    if metric == "params":
        return Unit("parameter count", spec=",.0f")
    if metric == "macs":
        return Unit("multiply-accumulates", spec=",.0f")
    return Unit(label)


def default_margin(metric: str) -> float:
    """The smallest interesting difference where a claim names none.

    0.1 points of accuracy and 5 % of a time; for any other metric 0, which makes the claim one of
    direction alone.
    """
    if metric.endswith("seconds"):
        return TIME_MARGIN
    return ACCURACY_MARGIN if metric.endswith("accuracy") else 0.0


def default_scale(metric: str) -> Scale:
    """Times are compared by their ratio: a busy machine slows all designs by a factor."""
    return "ratio" if metric.endswith("seconds") else "difference"
