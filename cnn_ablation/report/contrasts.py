"""What each contrast of a claim was judged by, as a table."""

from cnn_ablation.claims import ContrastVerdict, Unit, Verdict, unit_of
from cnn_ablation.claims.words import p_text
from cnn_ablation.inference import Interval
from cnn_ablation.report.looks import OUTCOME_SYMBOLS
from cnn_ablation.report.tables import NONE, Cell, Table


def contrast_table(verdict: Verdict) -> Table | None:
    """What each contrast of a claim was judged by, or None where there is nothing to show."""
    rows = [row for row in verdict.contrasts if row.difference is not None]
    if not rows:
        return None
    unit = unit_of(verdict.claim.metric)
    if verdict.claim.kind == "exact":
        headings = ("contrast", "outcome", "first", "second", "difference")
        cells = [_exact_cells(row, verdict) for row in rows]
        return Table(f"Contrasts, {unit.label}", tuple(map(Cell, headings)), tuple(cells))
    of = (f"in {unit.difference.strip()}",) if unit.difference else ()
    return Table(
        f"Contrasts, {unit.label}",
        (
            Cell("contrast"),
            Cell("outcome"),
            Cell("difference", of),
            Cell("adjusted interval", of),
            Cell("p, Holm", ("sign-flip",)),
            Cell("d_z", ("mean / sd",)),
            Cell("first higher", ("of pairs",)),
            Cell("correlation", ("of the pairs",)),
            Cell("bootstrap interval", ("a check,", "unadjusted")),
        ),
        tuple(_contrast_cells(row, verdict) for row in rows),
    )


def _exact_cells(row: ContrastVerdict, verdict: Verdict) -> tuple[Cell, ...]:
    unit = unit_of(verdict.claim.metric)
    assert row.mean_a is not None and row.mean_b is not None and row.difference is not None
    figures = (unit.value(row.mean_a), unit.value(row.mean_b), unit.signed(row.difference))
    return (Cell(_pair(row)), _outcome_cell(row), *map(Cell, figures))


def _contrast_cells(row: ContrastVerdict, verdict: Verdict) -> tuple[Cell, ...]:
    unit, comparison = unit_of(verdict.claim.metric), row.comparison
    assert comparison is not None and row.difference is not None

    ahead = sum(difference > 0 for difference in comparison.differences)
    return (
        Cell(_pair(row)),
        _outcome_cell(row),
        Cell(unit.signed(row.difference)),
        _bounds(unit, row.interval),
        Cell(NONE if row.p_adjusted is None else p_text(row.p_adjusted).removeprefix("p = ")),
        Cell(_number(comparison.effect_size)),
        Cell(f"{ahead} of {comparison.n}"),
        Cell(_number(comparison.correlation)),
        _bounds(unit, comparison.bootstrap),
    )


def _bounds(unit: Unit, interval: Interval | None) -> Cell:
    if interval is None:
        return Cell(NONE)
    return Cell(f"{unit.signed(interval.low)} to {unit.signed(interval.high)}")


def _pair(row: ContrastVerdict) -> str:
    return f"{row.a} − {row.b}"


def _outcome_cell(row: ContrastVerdict) -> Cell:
    return Cell(f"{OUTCOME_SYMBOLS[row.outcome]} {row.outcome}", row.riders)


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:+.2f}"
