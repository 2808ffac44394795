"""What a chart is before it is drawn: panels that stand side by side, or one above another."""

import dataclasses
from collections.abc import Callable

from matplotlib.axes import Axes

from cnn_ablation.report.looks import Look


@dataclasses.dataclass(frozen=True)
class Panel:
    """One set of axes.

    Attributes:
        name: identifier, unique within its chart.
        alt: what it shows, for those who do not see it.
        draw: draws it.
        height: in inches; the width is the page's.
        title: heading in a file of its own; a page says it elsewhere.
    """

    name: str
    alt: str
    draw: Callable[[Axes], None]
    height: float = 2.9
    title: str = ""


@dataclasses.dataclass(frozen=True)
class Chart:
    """Panels under one caption.

    Attributes:
        name: identifier and name of its files, unique within a report.
        title: heading.
        caption: what is shown and what bands, bars and shades stand for.
        panels: its axes.
        key: the looks to explain, by label.
        columns: panels side by side in a file of its own.
    """

    name: str
    title: str
    caption: str
    panels: tuple[Panel, ...]
    key: tuple[tuple[str, Look], ...] = ()
    columns: int = 2
