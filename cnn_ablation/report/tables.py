"""Tables of words, ready for a page: what each cell says, not how it is marked up."""

import dataclasses
from collections.abc import Callable, Sequence

from cnn_ablation.claims import unit_of
from cnn_ablation.design.summary import Summary
from cnn_ablation.report.axes import ACCURACY, LOSS
from cnn_ablation.report.measures import Measured, Spread

NONE = "–"
_SPREAD = ("mean ± sd [95 % interval]",)


@dataclasses.dataclass(frozen=True)
class Cell:
    """What one cell or heading says: the words and, smaller below them, lines of detail."""

    text: str
    details: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows under headings; the first cell of a row names it, the others are figures.

    Attributes:
        caption: what the table is of.
        headings: one a column.
        rows: cells, as many as headings.
        total: whether the last row is the sum of the others.
    """

    caption: str
    headings: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: bool = False


@dataclasses.dataclass(frozen=True)
class Column:
    """A heading and what stands below it in a variant's row."""

    heading: Cell
    cell: Callable[[Measured], Cell]


def variant_table(caption: str, arm: Sequence[Measured]) -> Table:
    """What each variant reaches beside what was published of it, what it costs and what it is."""
    columns = [
        Column(Cell("variant"), lambda m: Cell(m.label)),
        Column(
            Cell(f"{unit_of(ACCURACY).label}, %", _SPREAD),
            lambda m: spread_cell(ACCURACY, m.final(ACCURACY)),
        ),
        Column(
            Cell(f"{unit_of(LOSS).label}, nats", _SPREAD),
            lambda m: spread_cell(LOSS, m.final(LOSS)),
        ),
        Column(Cell("s per epoch", ("median, range",)), _seconds_cell),
        Column(Cell("seeds"), _seeds_cell),
        Column(Cell("parameters"), lambda m: Cell(f"{m.summary.params:,}")),
        Column(Cell("MACs", ("of one image",)), lambda m: Cell(f"{m.summary.macs:,}")),
    ]
    # A control arm has at most its reference's published figures, which stand in the main arm.
    if any(m.variant.published for m in arm) and not any(m.variant.control_of for m in arm):
        columns.insert(2, _published_column(arm))
    rows = tuple(tuple(column.cell(m) for column in columns) for m in arm)
    return Table(caption, tuple(column.heading for column in columns), rows)


def layer_table(label: str, summary: Summary) -> Table:
    """The layers of one design and their totals."""
    headings = map(Cell, ("layer", "output shape", "parameters", "MACs", "receptive field"))
    rows = [
        (
            layer.name,
            _by(layer.output_shape),
            f"{layer.params:,}",
            f"{layer.macs:,}",
            _by(layer.receptive_field),
        )
        for layer in summary.layers
    ]
    rows.append(("total", "", f"{summary.params:,}", f"{summary.macs:,}", ""))
    cells = tuple(tuple(map(Cell, row)) for row in rows)
    return Table(f"Layers of {label}", tuple(headings), cells, total=True)


def spread_cell(metric: str, spread: Spread | None) -> Cell:
    """Mean ± sd, and below them the interval, in the unit of the column."""
    if spread is None:
        return Cell(NONE)
    unit = unit_of(metric)

    def number(value: float) -> str:
        return f"{value * unit.scale:{unit.spec}}"

    text = number(spread.mean) + ("" if spread.sd is None else f" ± {number(spread.sd)}")
    if spread.interval is None:
        return Cell(text)
    bounds = f"[{number(spread.interval.low)}, {number(spread.interval.high)}]"
    return Cell(text, (bounds,))


def _seeds_cell(m: Measured) -> Cell:
    lost = [f"{m.counts[s]} {s}" for s in ("diverged", "failed", "missing") if m.counts[s]]
    return Cell(str(len(m.completed)), tuple(lost))


def _seconds_cell(m: Measured) -> Cell:
    if m.seconds is None:
        return Cell(NONE)
    span = f"{_three_digits(m.seconds.low)} to {_three_digits(m.seconds.high)}"
    return Cell(_three_digits(m.seconds.median), (span,) if m.seconds.n > 1 else ())


def _published_column(arm: Sequence[Measured]) -> Column:
    """What was published, and how that was trained."""
    published = [m.variant.published for m in arm if m.variant.published]
    epochs = sorted({len(its.test_loss) for its in published})
    setting = " or ".join(dict.fromkeys(its.setting for its in published if its.setting))
    heading = Cell(
        "published %, loss, s",
        (
            f"{setting or 'setting not said'},",
            f"one run, {' or '.join(map(str, epochs))} epochs",
        ),
    )
    return Column(heading, _published_cell)


def _published_cell(m: Measured) -> Cell:
    its = m.variant.published
    if its is None:
        return Cell(NONE)
    others = f"{its.test_loss[-1]:.4f}, {_three_digits(its.seconds)}"
    return Cell(f"{100 * its.test_accuracy[-1]:.2f}", (others,))


def _three_digits(value: float) -> str:
    """Three significant digits, trailing zeros kept: 7.00, 10.2, 31.4."""
    return f"{value:#.3g}".rstrip(".")


def _by(sizes: Sequence[int]) -> str:
    return " × ".join(map(str, sizes))
