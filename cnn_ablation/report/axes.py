"""Axes that say their unit and hold what is drawn on them."""

import textwrap
from collections.abc import Callable, Iterable

from cnn_ablation.claims import Unit, unit_of

ACCURACY, LOSS, SECONDS = "test_accuracy", "test_loss", "train_seconds"


def level_label(metric: str) -> str:
    """A metric and the unit of its values: 'test accuracy (%)'."""
    return _with_unit(metric, unit_of(metric).level)


def difference_label(unit: Unit) -> str:
    """A difference and its unit: 'difference in test accuracy (points)', of a ratio in percent."""
    name = "%" if unit.ratio else unit.difference.strip()
    if not name and unit.label.endswith("loss"):
        name = "nats"
    return f"difference in {unit.label} ({name})" if name else f"difference in {unit.label}"


def fitted(label: str, lines: int = 2, width: int = 22) -> str:
    """A label broken into lines that leave room beside an axis; what is too long ends in `…`."""
    rows = textwrap.wrap(label, width) or ["…"]
    if len(rows) > lines:
        rows = [*rows[: lines - 1], rows[lines - 1][: width - 1] + "…"]
    return "\n".join(rows)


def scaled(metric: str, values: Iterable[float]) -> list[float]:
    """Values as a reader sees them, such as accuracies in percent."""
    scale = unit_of(metric).scale
    return [scale * value for value in values]


def padded(low: float, high: float) -> tuple[float, float]:
    """Limits a little outside a range, with some width around a single value."""
    pad = 0.06 * (high - low) or 0.02 * abs(high) or 0.5
    return low - pad, high + pad


def fit_limits(set_limits: Callable[[float, float], object], values: Iterable[float]) -> None:
    """Sets limits that hold the values: wide intervals of few seeds may run out of them."""
    found = list(values)
    set_limits(*padded(min(found), max(found)))


def _with_unit(metric: str, unit: str) -> str:
    name = unit.strip() or ("nats" if metric.endswith("loss") else "")
    return f"{unit_of(metric).label} ({name})" if name else unit_of(metric).label
