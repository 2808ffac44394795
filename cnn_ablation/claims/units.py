"""How a metric is called, and in which unit a reader sees it."""

from __future__ import annotations

from dataclasses import dataclass

# One tenth of a percentage point: what 10,000 test images at 99 % resolve by themselves.
ACCURACY_MARGIN = 0.001


@dataclass(frozen=True)
class Unit:
    """Display of one metric.

    Attributes:
        label: the metric in words.
        scale: multiplies a stored value for display (100 for a fraction shown in percent).
        level: suffix of a value, with its leading space.
        difference: suffix of a difference, with its leading space.
        spec: format specification of a displayed number, without sign.
    """

    label: str
    scale: float = 1.0
    level: str = ""
    difference: str = ""
    spec: str = ".4g"

    def value(self, value: float) -> str:
        """A value with its unit, such as '98.51 %'."""
        return f"{value * self.scale:{self.spec}}{self.level}"

    def number(self, value: float) -> str:
        """A number alone, such as '0.1', without padding zeros."""
        return f"{value * self.scale:.4g}"

    def size(self, difference: float) -> str:
        """The size of a difference with its unit and no sign, such as '0.34 points'."""
        return f"{abs(difference) * self.scale:{self.spec}}{self.difference}"

    def signed(self, difference: float) -> str:
        """A difference with sign and no unit, such as '+0.34'; adding 0.0 clears a minus zero."""
        return f"{difference * self.scale + 0.0:+{self.spec}}"


def unit_of(metric: str) -> Unit:
    """The display of a metric by its name: accuracies, losses, seconds, counts, or as it comes."""
    label = metric.replace("_", " ")
    if metric.endswith("accuracy"):
        return Unit(label, 100.0, " %", " points", ".2f")
    if metric.endswith("loss"):
        return Unit(label, spec=".4f")
    if metric == "train_seconds":
        return Unit("training time per epoch", 1.0, " s", " s", ".3g")
    if metric.endswith("seconds"):
        return Unit(label, 1.0, " s", " s", ".3g")
    if metric == "params":
        return Unit("parameter count", spec=",.0f")
    if metric == "macs":
        return Unit("multiply-accumulates", spec=",.0f")
    return Unit(label)


def default_margin(metric: str) -> float:
    """The smallest interesting difference where a claim names none: 0.1 points of accuracy.

    For any other metric 0, which makes the claim one of direction alone.
    """
    return ACCURACY_MARGIN if metric.endswith("accuracy") else 0.0
