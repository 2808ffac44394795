"""What a chart is before it is drawn: panels that stand side by side, or one above another."""

import dataclasses
from collections.abc import Callable, Sequence

from matplotlib.axes import Axes

from cnn_ablation.report.looks import Look

# Inches. 830 pixels at 96 to the inch are the width of a README.
WIDE, HALF, THIRD = 8.65, 4.2, 3.2


@dataclasses.dataclass(frozen=True)
class Panel:
    """One set of axes.

    Attributes:
        name: identifier, unique within its chart.
        alt: what it shows, for those who do not see it.
        draw: draws it.
        height: in inches.
        width: in inches where a page shows it.
        title: heading in a file of its own; a page says it elsewhere.
    """

    name: str
    alt: str
    draw: Callable[[Axes], None]
    height: float = 2.9
    width: float = HALF
    title: str = ""

    @property
    def is_wide(self) -> bool:
        """Whether it takes the whole width of a page."""
        return self.width > HALF


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
        folded: names of the panels that a page shows on demand.
    """

    name: str
    title: str
    caption: str
    panels: tuple[Panel, ...]
    key: tuple[tuple[str, Look], ...] = ()
    columns: int = 2
    folded: frozenset[str] = frozenset()

    @property
    def shown(self) -> tuple[Panel, ...]:
        """The panels that a page shows at once."""
        return tuple(panel for panel in self.panels if panel.name not in self.folded)

    @property
    def hidden(self) -> tuple[Panel, ...]:
        """The other ones."""
        return tuple(panel for panel in self.panels if panel.name in self.folded)


def split(axes: Axes, widths: Sequence[float], *, share_y: bool = True) -> list[Axes]:
    """Puts several axes side by side in the place of one.

    Args:
        axes: the one, which must stand in a grid; it is removed.
        widths: their widths, relative to each other.
        share_y: whether they have one scale from below to above.
    """
    figure, place = axes.get_figure(), axes.get_subplotspec()
    assert figure is not None and place is not None
    axes.remove()
    grid = place.subgridspec(1, len(widths), width_ratios=list(widths), wspace=0.02)
    found: list[Axes] = []
    for number in range(len(widths)):
        shared = found[0] if share_y and found else None
        found.append(figure.add_subplot(grid[number], sharey=shared))
    return found
