"""What each contrast of a claim was judged by, as a table."""

from collections.abc import Callable, Sequence

from cnn_ablation.claims import ContrastVerdict, Unit, Verdict
from cnn_ablation.claims.words import p_text
from cnn_ablation.inference import Interval
from cnn_ablation.report.looks import OUTCOME_SYMBOLS
from cnn_ablation.report.tables import NONE, Cell, Table

Column = tuple[Cell, Callable[[ContrastVerdict], Cell]]


def contrast_table(verdict: Verdict) -> Table | None:
    """What each contrast of a claim was judged by, or None where there is nothing to show."""
    rows = [row for row in verdict.contrasts if row.difference is not None]
    if not rows:
        return None
    unit = verdict.claim.unit
    if verdict.claim.kind == "exact":
        headings = ("contrast", "outcome", "first", "second", "difference")
        cells = [_exact_cells(row, verdict) for row in rows]
        return Table(f"Contrasts, {unit.label}", tuple(map(Cell, headings)), tuple(cells))
    columns = [*_columns(verdict, rows), *(_crossed_columns(unit) if _crossed(rows) else ())]
    return Table(
        f"Contrasts, {unit.label}",
        tuple(heading for heading, _ in columns),
        tuple(tuple(cell(row) for _, cell in columns) for row in rows),
    )


def _columns(verdict: Verdict, rows: Sequence[ContrastVerdict]) -> list[Column]:
    unit = verdict.claim.unit
    of = (f"in {unit.difference.strip()}",) if unit.difference else ()
    strength = Cell("look") if any(row.stop for row in rows) else Cell("p, Holm", ("sign-flip",))
    return [
        (Cell("contrast"), lambda row: Cell(_pair(row))),
        (Cell("outcome"), _outcome_cell),
        (Cell("difference", of), lambda row: Cell(unit.signed(row.difference or 0.0))),
        (Cell("adjusted interval", of), lambda row: _bounds(unit, row.interval)),
        (strength, _strength),
        (Cell("d_z", ("mean / sd",)), lambda row: _of_pairs(row, "effect_size")),
        (Cell("first higher", ("of pairs",)), _ahead),
        (Cell("correlation", ("of the pairs",)), lambda row: _of_pairs(row, "correlation")),
        (
            Cell("bootstrap interval", ("a check,", "unadjusted")),
            lambda row: _bounds(unit, row.comparison.bootstrap if row.comparison else None),
        ),
    ]


def _crossed_columns(unit: Unit) -> list[Column]:
    """For what the verdict speaks, the other interval, and where the variance comes from."""
    return [
        (
            Cell("the interval is for", ("new seeds and",)),
            lambda row: Cell("new images" if row.scope == "population" else "these images"),
        ),
        (
            Cell("beside it", ("these images, or new",)),
            lambda row: _bounds(unit, row.beside),
        ),
        (Cell("variance by", ("seed, image, both, %",)), _parts),
    ]


def _crossed(rows: Sequence[ContrastVerdict]) -> bool:
    return any(row.crossed is not None for row in rows)


def _parts(row: ContrastVerdict) -> Cell:
    """The shares that seeds, images and both together have in the variance of the difference."""
    parts = row.crossed.parts() if row.crossed else {}
    total = sum(parts.values())
    if total <= 0.0:
        return Cell(NONE)
    return Cell(", ".join(f"{100.0 * part / total:.0f}" for part in parts.values()))


def _strength(row: ContrastVerdict) -> Cell:
    if row.stop is not None:
        word = "decided" if row.stop.decided else "open"
        look = row.stop.decided or row.stop.taken
        return Cell(f"{look} of {len(row.stop.looks)}", (f"{word}, {row.stop.units} seeds",))
    return Cell(NONE if row.p_adjusted is None else p_text(row.p_adjusted).removeprefix("p = "))


def _ahead(row: ContrastVerdict) -> Cell:
    differences = row.comparison.differences if row.comparison else ()
    return Cell(f"{sum(difference > 0 for difference in differences)} of {len(differences)}")


def _of_pairs(row: ContrastVerdict, name: str) -> Cell:
    return Cell(_number(getattr(row.comparison, name) if row.comparison else None))


def _exact_cells(row: ContrastVerdict, verdict: Verdict) -> tuple[Cell, ...]:
    unit = verdict.claim.unit
    assert row.mean_a is not None and row.mean_b is not None and row.difference is not None
    figures = (unit.value(row.mean_a), unit.value(row.mean_b), unit.signed(row.difference))
    return (Cell(_pair(row)), _outcome_cell(row), *map(Cell, figures))


def _bounds(unit: Unit, interval: Interval | None) -> Cell:
    if interval is None:
        return Cell(NONE)
    return Cell(" to ".join(unit.bounds(interval)))


def _pair(row: ContrastVerdict) -> str:
    pair = f"{row.a} − {row.b}"
    return f"({pair}) − ({' − '.join(row.against)})" if row.against else pair


def _outcome_cell(row: ContrastVerdict) -> Cell:
    return Cell(f"{OUTCOME_SYMBOLS[row.outcome]} {row.outcome}", row.riders)


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:+.2f}"
